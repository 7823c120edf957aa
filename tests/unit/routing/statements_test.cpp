// The table in statements.txt, line by line: where each statement goes and a part of why.
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/classifier.hpp"
#include "routing/decide.hpp"

namespace pgsteer::routing {
namespace {

using testing::HasSubstr;

struct row {
  std::string target;
  std::string reason;
  std::string sql;
};

std::string with_line_ends(std::string text) {
  for (auto at = text.find("\\n"); at != std::string::npos; at = text.find("\\n", at + 1)) {
    const bool is_escaped = at > 0 && text[at - 1] == '\\';
    if (is_escaped) {
      text.erase(at - 1, 1);
    } else {
      text.replace(at, 2, "\n");
    }
  }
  return text;
}

row parse_row(const std::string& line) {
  const auto first = line.find(" | ");
  const auto second = line.find(" |", first + 3);
  const auto sql = second + 3 < line.size() ? line.substr(second + 3) : std::string{};
  return {line.substr(0, first), line.substr(first + 3, second - first - 3), with_line_ends(sql)};
}

std::string word_of(target where) {
  switch (where) {
    case target::primary:
      return "primary";
    case target::replica:
      return "replica";
    case target::stay:
      return "stay";
    case target::move_primary:
      return "move_primary";
  }
  return {};
}

TEST(statements, go_where_the_table_says) {
  std::ifstream table(PGSTEER_SOURCE_DIR "/tests/unit/routing/statements.txt");
  ASSERT_TRUE(table.is_open());
  classifier judge;
  int rows = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto wanted = parse_row(line);
    for (const auto* time : {"at first sight", "from the cache"}) {
      const auto judged = judge.classify(wanted.sql, {});
      const auto unit = for_settings(*judged, [](std::string_view) { return false; }).value_or(*judged);
      const auto decided = decide(unit, {});
      EXPECT_EQ(word_of(decided.where), wanted.target) << time << ": " << line << "\n" << decided.reason;
      EXPECT_THAT(std::string(decided.reason), HasSubstr(wanted.reason)) << time << ": " << line;
    }
    ++rows;
  }
  EXPECT_GE(rows, 600);
}

}  // namespace
}  // namespace pgsteer::routing
