#include "protocol/statement_names.hpp"

#include <gtest/gtest.h>

#include "protocol/error_report.hpp"
#include "protocol/message_writer.hpp"

namespace pgsteer::protocol {
namespace {

std::string error_saying(const std::string& message) {
  std::string frame;
  write::error_response(frame, statement_error(sqlstate::protocol_violation, message));
  return frame;
}

std::optional<std::string> name_of(std::uint64_t number) {
  if (number == 3) return "mine";
  if (number == 17) return "";
  return std::nullopt;
}

TEST(statement_names, are_those_of_the_client) {
  const auto said = [](const std::string& text) { return with_client_names(error_saying(text), name_of); };
  EXPECT_EQ(said("prepared statement \"pgsteer_3\" requires 2"),
            error_saying("prepared statement \"mine\" requires 2"));
  EXPECT_EQ(said("\"pgsteer_17\" and pgsteer_3"), error_saying("\"\" and mine"));
  EXPECT_EQ(statement_name_on_server(17), "pgsteer_17");
}

TEST(statement_names, leave_other_words_alone) {
  for (const auto* text : {"nothing", "pgsteer_", "pgsteer_4", "my_pgsteer_3", "pgsteer_3x", "pgsteer_33",
                           "pgsteer_99999999999999999999999"})
    EXPECT_EQ(with_client_names(error_saying(text), name_of), std::nullopt) << text;
  EXPECT_EQ(with_client_names({}, name_of), std::nullopt);
  EXPECT_EQ(with_client_names("pgsteer_3", name_of), std::nullopt);
}

}  // namespace
}  // namespace pgsteer::protocol
