#include "protocol/message_writer.hpp"

#include <array>

#include <gtest/gtest.h>

#include "tests/unit/protocol/wire.hpp"

namespace pgsteer::protocol {
namespace {

template <typename Write>
std::string written(Write write) {
  std::string out = "before";
  write(out);
  EXPECT_TRUE(out.starts_with("before"));
  return out.substr(6);
}

TEST(message_writer, asks_for_authentication) {
  EXPECT_EQ(written([](auto& out) { write::authentication_ok(out); }), wire::message('R', wire::int32(0)));
  EXPECT_EQ(written([](auto& out) { write::authentication_md5(out, std::string_view("\0\1\2\3", 4)); }),
            wire::message('R', wire::int32(5) + std::string("\0\1\2\3", 4)));
  constexpr std::array<std::string_view, 2> mechanisms = {"A", "B"};
  EXPECT_EQ(written([&](auto& out) { write::authentication_sasl(out, mechanisms); }),
            wire::message('R', wire::int32(10) + wire::text("A") + wire::text("B") + '\0'));
  EXPECT_EQ(written([](auto& out) { write::sasl_continue(out, "x"); }),
            wire::message('R', wire::int32(11) + "x"));
  EXPECT_EQ(written([](auto& out) { write::sasl_final(out, "y"); }),
            wire::message('R', wire::int32(12) + "y"));
}

TEST(message_writer, describes_the_session) {
  EXPECT_EQ(written([](auto& out) { write::parameter_status(out, "TimeZone", "UTC"); }),
            wire::message('S', wire::text("TimeZone") + wire::text("UTC")));
  EXPECT_EQ(written([](auto& out) { write::backend_key_data(out, -2, std::string_view("\0\xff\0\1", 4)); }),
            wire::message('K', wire::int32(0xfffffffeU) + std::string("\0\xff\0\1", 4)));
  EXPECT_EQ(written([](auto& out) { write::ready_for_query(out, 'T'); }), wire::message('Z', "T"));
  const std::vector<std::string> options = {"_pq_.foo", "_pq_.bar"};
  EXPECT_EQ(written([&](auto& out) { write::negotiate_protocol_version(out, 196608, options); }),
            wire::message(
                'v', wire::int32(196608) + wire::int32(2) + wire::text("_pq_.foo") + wire::text("_pq_.bar")));
}

TEST(message_writer, writes_errors_and_notices_with_both_severities) {
  const auto report = fatal_error("28P01", "no", "", "try");
  const auto body = wire::text("SFATAL") + wire::text("VFATAL") + wire::text("C28P01") + wire::text("Mno") +
                    wire::text("Htry") + '\0';
  EXPECT_EQ(written([&](auto& out) { write::error_response(out, report); }), wire::message('E', body));
  EXPECT_EQ(written([&](auto& out) { write::notice_response(out, report); }), wire::message('N', body));
}

TEST(message_writer, completes_statements) {
  EXPECT_EQ(written([](auto& out) { write::command_complete(out, "SET"); }),
            wire::message('C', wire::text("SET")));
  EXPECT_EQ(written([](auto& out) {
              write::empty_query_response(out);
              write::parse_complete(out);
              write::bind_complete(out);
              write::close_complete(out);
              write::no_data(out);
              write::portal_suspended(out);
            }),
            wire::message('I', "") + wire::message('1', "") + wire::message('2', "") +
                wire::message('3', "") + wire::message('n', "") + wire::message('s', ""));
}

TEST(message_writer, writes_rows_of_text) {
  constexpr std::array<std::string_view, 2> names = {"a", ""};
  const auto column = wire::int32(0) + wire::int16(0) + wire::int32(25) + wire::int16(0xffff) +
                      wire::int32(0xffffffffU) + wire::int16(0);
  EXPECT_EQ(written([&](auto& out) { write::row_description(out, names); }),
            wire::message('T', wire::int16(2) + wire::text("a") + column + wire::text("") + column));
  constexpr std::array<std::string_view, 2> values = {"on", ""};
  EXPECT_EQ(written([&](auto& out) { write::data_row(out, values); }),
            wire::message('D', wire::int16(2) + wire::int32(2) + "on" + wire::int32(0)));
  constexpr std::array<std::uint32_t, 2> types = {23, 0xfffffffeU};
  EXPECT_EQ(written([&](auto& out) { write::parameter_description(out, types); }),
            wire::message('t', wire::int16(2) + wire::int32(23) + wire::int32(0xfffffffeU)));
}

TEST(message_writer, speaks_to_backends) {
  EXPECT_EQ(written([](auto& out) { write::query(out, "select 1"); }),
            wire::message('Q', wire::text("select 1")));
  constexpr std::array<std::uint32_t, 1> types = {20};
  EXPECT_EQ(written([&](auto& out) { write::parse(out, "s", "select $1", types); }),
            wire::message('P', wire::text("s") + wire::text("select $1") + wire::int16(1) + wire::int32(20)));
  EXPECT_EQ(written([](auto& out) { write::close_statement(out, "s"); }),
            wire::message('C', "S" + wire::text("s")));
  EXPECT_EQ(written([](auto& out) { write::describe_statement(out, ""); }),
            wire::message('D', "S" + wire::text("")));
  EXPECT_EQ(written([](auto& out) {
              write::flush(out);
              write::sync(out);
              write::copy_fail(out, "why");
              write::terminate(out);
            }),
            wire::message('H', "") + wire::message('S', "") + wire::message('f', wire::text("why")) +
                wire::message('X', ""));
  EXPECT_EQ(written([](auto& out) { write::cancel_request(out, 7, "1234"); }),
            wire::packet(80877102, wire::int32(7) + "1234"));
}

TEST(message_writer, never_lets_a_nul_end_a_message_early) {
  EXPECT_EQ(written([](auto& out) { write::query(out, std::string_view("a\0b", 3)); }),
            wire::message('Q', wire::text("a")));
}

}  // namespace
}  // namespace pgsteer::protocol
