#include "protocol/error_report.hpp"

#include <gtest/gtest.h>

#include "protocol/message_writer.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace pgsteer::protocol {
namespace {

TEST(error_report, survives_the_way_over_the_wire_with_every_field) {
  error_report report;
  report.severity = "ERROR";
  report.severity_localized = "FEHLER";
  for (const auto& field : error_field_table<std::string>)
    report.*(field.member) = std::string(2, field.code);
  std::string bytes;
  write::error_response(bytes, report);
  const auto sent = wire::split(bytes);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].first, 'E');
  const auto view = parse_error_fields(sent[0].second);
  EXPECT_EQ(view.hint, "HH");
  EXPECT_EQ(view.constraint_name, "nn");
  EXPECT_EQ(to_report(view), report);
}

TEST(error_report, never_overruns_a_cut_body) {
  const std::string body = wire::text("SFATAL") + wire::text("C57P01") + wire::text("Mgone") + '\0';
  for (std::size_t size = 0; size <= body.size(); ++size) {
    // A copy of its own, so that the address sanitizer sees an overrun.
    const std::vector<char> cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    const auto view = parse_error_fields({cut.data(), cut.size()});
    EXPECT_LE(view.sqlstate.size(), 5U);
    EXPECT_EQ(view.message.empty(), size <= 15) << size;
  }
}

TEST(error_report, tolerates_missing_unknown_and_repeated_fields) {
  const auto body = wire::text("SFATAL") + wire::text("?what") + wire::text("Mone") + wire::text("Mtwo") +
                    '\0' + wire::text("C00000");
  const auto view = parse_error_fields(body);
  EXPECT_EQ(view.sqlstate, "");
  EXPECT_EQ(view.message, "two");
  EXPECT_EQ(view.severity, "FATAL");
  EXPECT_TRUE(is_fatal(view));
  EXPECT_EQ(parse_error_fields("").message, "");
  EXPECT_EQ(parse_error_fields("M").message, "");
}

TEST(error_report, judges_by_the_untranslated_severity) {
  const auto body = wire::text("SFATAL") + wire::text("VERROR") + '\0';
  const auto view = parse_error_fields(body);
  EXPECT_EQ(view.severity, "ERROR");
  EXPECT_FALSE(is_fatal(view));
  EXPECT_TRUE(is_fatal(parse_error_fields(wire::text("VPANIC"))));
}

TEST(error_report, makes_fatal_and_statement_errors) {
  const auto fatal = fatal_error(sqlstate::invalid_password, "m", "d", "h");
  EXPECT_EQ(fatal.severity, "FATAL");
  EXPECT_EQ(fatal.sqlstate, "28P01");
  EXPECT_EQ(fatal.detail, "d");
  EXPECT_EQ(fatal.hint, "h");
  EXPECT_EQ(statement_error(sqlstate::connection_failure, "m").severity, "ERROR");
}

}  // namespace
}  // namespace pgsteer::protocol
