#include "protocol/startup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/protocol/wire.hpp"

namespace pgsteer::protocol {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::uint32_t protocol_3_0 = 196608;
constexpr std::uint32_t ssl_code = 80877103;
constexpr std::uint32_t gssenc_code = 80877104;
constexpr std::uint32_t cancel_code = 80877102;

std::string startup(const std::vector<std::pair<std::string, std::string>>& pairs,
                    std::uint32_t version = protocol_3_0) {
  return wire::packet(version, wire::parameters(pairs));
}

void expect_fatal(const startup_result& result, std::string_view state, std::string_view message) {
  ASSERT_EQ(result.kind, startup_kind::invalid);
  EXPECT_FALSE(result.is_silent);
  EXPECT_EQ(result.error->severity, "FATAL");
  EXPECT_EQ(result.error->sqlstate, state);
  EXPECT_EQ(result.error->message, message);
  const auto sent = wire::split(result.reply);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].first, 'E');
  EXPECT_EQ(parse_error_fields(sent[0].second).message, message);
}

void expect_silent(const startup_result& result, std::string_view message) {
  ASSERT_EQ(result.kind, startup_kind::invalid);
  EXPECT_TRUE(result.is_silent);
  EXPECT_THAT(result.reply, IsEmpty());
  EXPECT_EQ(result.error->sqlstate, "08P01");
  EXPECT_EQ(result.error->message, message);
}

TEST(startup, reads_user_database_and_settings_in_the_order_they_apply) {
  const auto bytes = startup({{"user", "alice"},
                              {"application_name", "app"},
                              {"database", "shop"},
                              {"options", "-c work_mem=1MB --statement-timeout=5s"},
                              {"work_mem", "2MB"}});
  const auto result = parse_startup(bytes);
  ASSERT_EQ(result.kind, startup_kind::startup);
  EXPECT_EQ(result.consumed, bytes.size());
  EXPECT_EQ(result.packet.major, 3);
  EXPECT_EQ(result.packet.minor, 0);
  EXPECT_EQ(result.packet.user, "alice");
  EXPECT_EQ(result.packet.database, "shop");
  EXPECT_EQ(result.packet.replication, replication_mode::none);
  EXPECT_FALSE(result.packet.needs_negotiation());
  EXPECT_THAT(result.packet.settings, ElementsAre(Pair("work_mem", "1MB"), Pair("statement_timeout", "5s"),
                                                  Pair("application_name", "app"), Pair("work_mem", "2MB")));
}

TEST(startup, names_the_database_after_the_user_where_none_is_given) {
  EXPECT_EQ(parse_startup(startup({{"user", "alice"}})).packet.database, "alice");
  EXPECT_EQ(parse_startup(startup({{"user", "alice"}, {"database", ""}})).packet.database, "alice");
}

TEST(startup, takes_the_last_of_two_equal_names) {
  const auto result = parse_startup(startup({{"user", "alice"}, {"user", "bob"}}));
  EXPECT_EQ(result.packet.user, "bob");
}

TEST(startup, waits_at_every_cut) {
  const auto bytes = startup({{"user", "alice"}, {"options", "-c a=b"}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto result = parse_startup(std::string_view(bytes).substr(0, size));
    EXPECT_EQ(result.kind, startup_kind::need_more) << size;
    EXPECT_EQ(result.consumed, 0U) << size;
  }
  EXPECT_EQ(parse_startup(bytes).kind, startup_kind::startup);
}

TEST(startup, leaves_what_follows_the_packet) {
  const auto bytes = startup({{"user", "alice"}});
  const auto result = parse_startup(bytes + "p1234");
  EXPECT_EQ(result.kind, startup_kind::startup);
  EXPECT_EQ(result.consumed, bytes.size());
}

TEST(startup, refuses_impossible_lengths_before_it_reads_on) {
  for (const std::uint32_t length : {0U, 3U, 7U, 10005U, 11000U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
    expect_silent(parse_startup(wire::int32(length)), "invalid length of startup packet");
  }
}

TEST(startup, takes_a_packet_of_exactly_the_limit) {
  // Version, "user\0u\0", "x\0", value, NUL, NUL.
  const std::string value(10000 - 4 - 7 - 2 - 2, 'v');
  const auto bytes = startup({{"user", "u"}, {"x", value}});
  ASSERT_EQ(bytes.size(), 10004U);
  EXPECT_EQ(parse_startup(bytes).kind, startup_kind::startup);
  expect_silent(parse_startup(startup({{"user", "u"}, {"x", value + "v"}})),
                "invalid length of startup packet");
}

TEST(startup, refuses_broken_layouts) {
  const std::string_view message = "invalid startup packet layout: expected terminator as last byte";
  const auto good = wire::parameters({{"user", "alice"}});
  expect_fatal(parse_startup(wire::packet(protocol_3_0, good.substr(0, good.size() - 1))), "08P01", message);
  expect_fatal(parse_startup(wire::packet(protocol_3_0, good.substr(0, good.size() - 2))), "08P01", message);
  expect_fatal(parse_startup(wire::packet(protocol_3_0, good + "x")), "08P01", message);
  expect_fatal(parse_startup(wire::packet(protocol_3_0, wire::text("user"))), "08P01", message);
  expect_fatal(parse_startup(wire::packet(protocol_3_0, "")), "08P01", message);
  expect_fatal(parse_startup(wire::packet(protocol_3_0, std::string("\0user\0a\0\0", 9))), "08P01", message);
}

TEST(startup, wants_a_user) {
  const std::string_view message = "no PostgreSQL user name specified in startup packet";
  expect_fatal(parse_startup(startup({})), "28000", message);
  expect_fatal(parse_startup(startup({{"user", ""}, {"database", "x"}})), "28000", message);
}

TEST(startup, refuses_other_major_versions) {
  expect_fatal(parse_startup(startup({{"user", "a"}}, 0x40000)), "0A000",
               "unsupported frontend protocol 4.0: server supports 3.0 to 3.0");
  expect_fatal(parse_startup(startup({{"user", "a"}}, 0xffffffffU)), "0A000",
               "unsupported frontend protocol 65535.65535: server supports 3.0 to 3.0");
}

TEST(startup, answers_version_2_in_its_own_form) {
  const auto result = parse_startup(startup({{"user", "a"}}, 0x20000));
  ASSERT_EQ(result.kind, startup_kind::invalid);
  EXPECT_EQ(result.error->sqlstate, "0A000");
  EXPECT_EQ(result.reply,
            wire::text("EFATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.0\n"));
}

TEST(startup, negotiates_newer_minor_versions_and_unknown_options) {
  const auto newer = parse_startup(startup({{"user", "a"}}, 0x30009));
  ASSERT_EQ(newer.kind, startup_kind::startup);
  EXPECT_EQ(newer.packet.minor, 9);
  EXPECT_TRUE(newer.packet.needs_negotiation());

  const auto grease = parse_startup(
      startup({{"user", "a"}, {"_pq_.foo", "1"}, {"_pq_.bar", "2"}, {"_pq", "3"}}, 0x30000 + 9999));
  ASSERT_EQ(grease.kind, startup_kind::startup);
  EXPECT_TRUE(grease.packet.needs_negotiation());
  EXPECT_THAT(grease.packet.protocol_options, ElementsAre("_pq_.foo", "_pq_.bar"));
  EXPECT_THAT(grease.packet.settings, ElementsAre(Pair("_pq", "3")));

  EXPECT_TRUE(parse_startup(startup({{"user", "a"}, {"_pq_.foo", "1"}})).packet.needs_negotiation());
}

TEST(startup, knows_the_replication_parameter) {
  const auto mode = [](const std::string& value) {
    const auto result = parse_startup(startup({{"user", "a"}, {"replication", value}}));
    EXPECT_EQ(result.kind, startup_kind::startup) << value;
    return result.packet.replication;
  };
  EXPECT_EQ(mode("database"), replication_mode::database);
  for (const auto* yes : {"true", "t", "TRUE", "yes", "y", "on", "1"}) {
    EXPECT_EQ(mode(yes), replication_mode::physical);
  }
  for (const auto* no : {"false", "f", "no", "n", "off", "of", "0"})
    EXPECT_EQ(mode(no), replication_mode::none);
  for (const auto* bad : {"maybe", "o", "", "truee", "11"}) {
    const auto result = parse_startup(startup({{"user", "a"}, {"replication", bad}}));
    expect_fatal(result, "22023",
                 std::string("invalid value for parameter \"replication\": \"") + bad + "\"");
    EXPECT_EQ(result.error->hint, "Valid values are: \"false\", 0, \"true\", 1, \"database\".");
  }
}

TEST(startup, refuses_bad_options) {
  expect_fatal(parse_startup(startup({{"user", "a"}, {"options", "-x"}})), "42601",
               "invalid command-line argument for server process: -x");
}

TEST(startup, understands_each_encryption_request_once) {
  const auto ssl = wire::packet(ssl_code, "");
  const auto gss = wire::packet(gssenc_code, "");
  EXPECT_EQ(parse_startup(ssl).kind, startup_kind::ssl_request);
  EXPECT_EQ(parse_startup(ssl).consumed, 8U);
  EXPECT_EQ(parse_startup(gss).kind, startup_kind::gssenc_request);
  EXPECT_EQ(parse_startup(gss, {.is_ssl_done = true}).kind, startup_kind::gssenc_request);
  EXPECT_EQ(parse_startup(ssl, {.is_gss_done = true}).kind, startup_kind::ssl_request);
  expect_fatal(parse_startup(ssl, {.is_ssl_done = true}), "0A000",
               "unsupported frontend protocol 1234.5679: server supports 3.0 to 3.0");
  expect_fatal(parse_startup(gss, {.is_ssl_done = true, .is_gss_done = true}), "0A000",
               "unsupported frontend protocol 1234.5680: server supports 3.0 to 3.0");
}

TEST(startup, refuses_plain_text_behind_an_encryption_request) {
  const auto tail = startup({{"user", "mallory"}});
  const auto ssl = parse_startup(wire::packet(ssl_code, "") + tail);
  expect_fatal(ssl, "08P01", "received unencrypted data after SSL request");
  EXPECT_FALSE(ssl.error->detail.empty());
  expect_fatal(parse_startup(wire::packet(ssl_code, "") + "x"), "08P01",
               "received unencrypted data after SSL request");
  expect_fatal(parse_startup(wire::packet(gssenc_code, "") + tail), "08P01",
               "received unencrypted data after GSSAPI encryption request");
}

TEST(startup, reads_cancel_requests_of_all_key_sizes) {
  for (const std::size_t size : {4U, 32U, 256U}) {
    const std::string secret(size, '\0');
    const auto result = parse_startup(wire::packet(cancel_code, wire::int32(0x80000001U) + secret));
    ASSERT_EQ(result.kind, startup_kind::cancel_request);
    EXPECT_EQ(result.cancel.pid, static_cast<std::int32_t>(0x80000001U));
    EXPECT_EQ(result.cancel.secret, secret);
  }
  expect_silent(parse_startup(wire::packet(cancel_code, "123")), "invalid length of cancel request packet");
  for (const std::size_t size : {0U, 3U, 257U}) {
    expect_silent(parse_startup(wire::packet(cancel_code, wire::int32(1) + std::string(size, 'k'))),
                  "invalid length of cancel key in cancel request packet");
  }
}

TEST(startup, recognises_http_and_direct_tls) {
  EXPECT_EQ(parse_startup("GET / HTTP/1.1\r\n").kind, startup_kind::http);
  EXPECT_EQ(parse_startup("POST").kind, startup_kind::http);
  EXPECT_EQ(parse_startup("GET").kind, startup_kind::need_more);
  EXPECT_EQ(parse_startup("\x16").kind, startup_kind::direct_tls);
  EXPECT_EQ(parse_startup("\x16\x03\x01").kind, startup_kind::direct_tls);
  expect_silent(parse_startup("\x16\x03\x01\x02", {.is_ssl_done = true}), "invalid length of startup packet");
}

}  // namespace
}  // namespace pgsteer::protocol
