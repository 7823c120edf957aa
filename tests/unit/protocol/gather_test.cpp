#include "protocol/gather.hpp"

#include <cstring>
#include <random>
#include <string>

#include <gtest/gtest.h>

using pgsteer::protocol::gather;

namespace {

std::string written(gather& batch) {
  std::string all;
  for (const auto& part : batch.parts())
    all.append(static_cast<const char*>(part.iov_base), part.iov_len);
  return all;
}

TEST(gather, borrows_neighbours_as_one_part) {
  const std::string bytes(100, 'x');
  gather batch;
  batch.borrow(std::string_view(bytes).substr(0, 40));
  batch.borrow(std::string_view(bytes).substr(40));
  ASSERT_EQ(batch.parts().size(), 1U);
  EXPECT_EQ(batch.parts()[0].iov_base, bytes.data());
  EXPECT_EQ(batch.size(), 100U);
}

TEST(gather, copies_a_few_bytes_behind_what_it_made) {
  const std::string few(20, 'f');
  const std::string many(5000, 'm');
  gather batch;
  batch.copy("head");
  batch.borrow(few);
  batch.copy("tail");
  batch.borrow(many);
  batch.borrow(few);
  EXPECT_EQ(written(batch), "head" + few + "tail" + many + few);
  ASSERT_EQ(batch.parts().size(), 3U);
  EXPECT_EQ(batch.parts()[1].iov_base, many.data());
}

TEST(gather, begins_anew) {
  gather batch;
  batch.copy("old");
  batch.borrow("older");
  batch.clear();
  EXPECT_EQ(batch.size(), 0U);
  EXPECT_EQ(written(batch), "");
  batch.begin_made().append("new");
  batch.end_made();
  EXPECT_EQ(written(batch), "new");
}

// In any order, of any size, whatever has been asked for between: the bytes are those that were added.
TEST(gather, keeps_the_order_of_all_that_is_added) {
  std::mt19937 random(7);
  std::string source(1 << 16, '\0');
  for (auto& c : source)
    c = static_cast<char>(random());
  gather batch;
  for (int round = 0; round < 200; ++round) {
    batch.clear();
    std::string expected;
    for (int step = 0; step < 30; ++step) {
      const auto bytes =
          std::string_view(source).substr(random() % 60000, random() % (step % 5 == 0 ? 5000 : 30));
      switch (random() % 4) {
        case 0:
          batch.borrow(bytes);
          break;
        case 1:
          batch.copy(bytes);
          break;
        case 2:
          std::memcpy(batch.make(bytes.size()), bytes.data(), bytes.size());
          break;
        default:
          batch.begin_made().append(bytes);
          batch.end_made();
      }
      expected += bytes;
      if (step % 11 == 0) {
        ASSERT_EQ(written(batch), expected);
      }
    }
    ASSERT_EQ(batch.size(), expected.size());
    ASSERT_EQ(written(batch), expected);
  }
}

}  // namespace
