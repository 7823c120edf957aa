#include "protocol/ledger.hpp"

#include <string_view>

#include <gtest/gtest.h>

using namespace pgsteer::protocol;

namespace {

ledger_entry client(expected what, std::uint32_t change = 0) {
  return {what, owner::client, 0, change};
}
ledger_entry ours(expected what) {
  return {what, owner::proxy, 0, 0};
}

// Feeds the types of whole messages; the verdicts as letters: p(ass), d(rop), m(ismatch).
std::string feed(ledger& l, std::string_view types) {
  std::string out;
  for (const char type : types) {
    const auto r = l.on_reply(type);
    out.push_back(r.what == verdict::pass ? 'p' : r.what == verdict::drop ? 'd' : 'm');
  }
  return out;
}

TEST(ledger, follows_a_simple_query) {
  ledger l;
  l.expect(client(expected::query));
  EXPECT_EQ(feed(l, "TDDCTDCZ"), "pppppppp");
  EXPECT_TRUE(l.is_empty());
}

TEST(ledger, follows_an_extended_batch) {
  ledger l;
  for (const auto what :
       {expected::parse, expected::bind, expected::describe_portal, expected::execute, expected::sync}) {
    l.expect(client(what));
  }
  EXPECT_EQ(feed(l, "12TDDCZ"), "ppppppp");
  EXPECT_TRUE(l.is_empty());
}

TEST(ledger, tells_what_is_not_due) {
  for (const std::string_view types : {"2", "Z", "D", "T", "3", "R", "K", "\x01"}) {
    ledger l;
    l.expect(client(expected::parse));
    EXPECT_EQ(feed(l, types), "m") << types;
  }
  ledger empty;
  EXPECT_EQ(feed(empty, "D"), "m");
}

TEST(ledger, drops_answers_to_the_proxys_own_messages) {
  ledger l;
  l.expect(ours(expected::query));
  l.expect(client(expected::query));
  EXPECT_EQ(feed(l, "CZTDCZ"), "ddpppp");
}

TEST(ledger, knows_whether_the_client_still_waits) {
  ledger l;
  EXPECT_FALSE(l.owes_client());
  l.expect({expected::query, owner::proxy, 0, 0});
  l.expect({expected::query, owner::client, 0, 0});
  l.expect({expected::query, owner::proxy, 0, 0});
  EXPECT_TRUE(l.owes_client());
  for (const char type : {'C', 'Z', 'C'})
    (void)l.on_reply(type);
  EXPECT_TRUE(l.owes_client());
  (void)l.on_reply('Z');
  EXPECT_FALSE(l.owes_client());
  EXPECT_FALSE(l.is_empty());
}

TEST(ledger, skips_to_sync_after_an_error_and_tells_the_first_change_that_failed) {
  ledger l;
  l.expect(client(expected::parse, 1));
  l.expect(client(expected::parse, 2));
  l.expect(client(expected::bind));
  l.expect(client(expected::sync));
  EXPECT_EQ(feed(l, "1EZ"), "ppp");
  EXPECT_TRUE(l.is_empty());
  EXPECT_EQ(l.take_failed_change(), 2U);
  EXPECT_EQ(l.take_failed_change(), 0U);
}

TEST(ledger, counts_the_proxys_own_queries_that_were_skipped) {
  ledger l;
  for (const auto what : {expected::parse, expected::query})
    l.expect({what, owner::client, 0, 0});
  l.expect({expected::query, owner::proxy, 0, 0});
  EXPECT_EQ(l.on_reply('E').what, verdict::pass);
  EXPECT_EQ(l.take_skipped_queries(), 1U);
  EXPECT_EQ(l.take_skipped_queries(), 0U);
}

TEST(ledger, expects_nothing_of_messages_sent_behind_an_error_until_sync) {
  ledger l;
  l.expect(client(expected::parse, 1));
  EXPECT_EQ(feed(l, "E"), "p");
  EXPECT_TRUE(l.is_skipping());
  l.expect(client(expected::bind));
  l.expect(client(expected::parse, 2));
  EXPECT_TRUE(l.is_empty());
  l.expect(client(expected::sync));
  EXPECT_FALSE(l.is_skipping());
  EXPECT_EQ(feed(l, "Z"), "p");
}

TEST(ledger, an_error_of_a_simple_query_skips_nothing) {
  ledger l;
  l.expect(client(expected::query));
  l.expect(ours(expected::query));
  EXPECT_EQ(feed(l, "EZ"), "pp");
  EXPECT_EQ(feed(l, "TDCZ"), "dddd");
}

TEST(ledger, takes_synthetic_answers_in_their_turn) {
  ledger l;
  l.expect({expected::synthetic, owner::client, '1', 0});
  l.expect(client(expected::bind));
  l.expect({expected::synthetic, owner::client, '3', 0});
  EXPECT_EQ(l.take_synthetic(), '1');
  EXPECT_EQ(l.take_synthetic(), 0);
  EXPECT_EQ(feed(l, "2"), "p");
  EXPECT_EQ(l.take_synthetic(), '3');
  EXPECT_TRUE(l.is_empty());
}

TEST(ledger, forgets_a_sync_that_the_server_ignores_while_it_copies) {
  ledger l;
  l.expect(client(expected::bind));
  l.expect(client(expected::execute));
  l.expect(client(expected::sync));
  EXPECT_EQ(feed(l, "2G"), "pp");
  EXPECT_TRUE(l.is_copy_in());
  l.end_copy_in();
  l.expect(client(expected::sync));
  EXPECT_EQ(feed(l, "CZ"), "pp");
  EXPECT_TRUE(l.is_empty());
}

TEST(ledger, knows_a_copy_whose_data_was_whole_before_the_server_asked) {
  ledger l;
  for (const auto what : {expected::parse, expected::bind, expected::execute})
    l.expect(client(what));
  l.end_copy_in();
  for (const auto what : {expected::bind, expected::execute})
    l.expect(client(what));
  l.end_copy_in();
  l.expect(client(expected::sync));
  EXPECT_EQ(feed(l, "12G"), "ppp");
  EXPECT_FALSE(l.is_copy_in());
  EXPECT_EQ(feed(l, "C2GCZ"), "ppppp");
  EXPECT_TRUE(l.is_empty());
}

TEST(ledger, a_copy_behind_one_with_its_data_waits_for_its_own) {
  ledger l;
  l.expect(client(expected::execute));
  l.end_copy_in();
  l.expect(client(expected::execute));
  l.expect(client(expected::sync));
  EXPECT_EQ(feed(l, "GCG"), "ppp");
  EXPECT_TRUE(l.is_copy_in());
  EXPECT_EQ(l.size(), 1U) << "the server ignores that Sync";
}

// Messages of these types, each with a body of two bytes.
std::string messages(std::string_view types) {
  std::string bytes;
  for (const char type : types)
    bytes += type + std::string("\0\0\0\6xy", 6);
  return bytes;
}

std::size_t pass(ledger& l, std::string_view types, bool minds_tags = false) {
  return l.pass_plain(messages(types), minds_tags) / 7;
}

TEST(ledger, passes_answers_of_no_interest_at_once) {
  ledger l;
  for (int i = 0; i < 2; ++i) {
    l.expect(client(expected::parse));
    l.expect(client(expected::bind));
    l.expect(client(expected::describe_portal));
    l.expect(client(expected::execute));
  }
  l.expect(client(expected::sync));
  EXPECT_EQ(pass(l, "12TDDC12nCZ"), 10U) << "all but ReadyForQuery";
  EXPECT_EQ(l.size(), 1U);
  EXPECT_EQ(feed(l, "Z"), "p");
  l.expect(client(expected::query));
  EXPECT_EQ(pass(l, "TDDCTDCIZ"), 8U);
  EXPECT_EQ(feed(l, "Z"), "p");
  EXPECT_TRUE(l.is_empty());
}

TEST(ledger, passes_only_what_is_due_and_the_clients) {
  ledger l;
  EXPECT_EQ(pass(l, "D"), 0U);
  l.expect(ours(expected::query));
  EXPECT_EQ(pass(l, "TDC"), 0U);
  EXPECT_EQ(feed(l, "TDCZ"), "dddd");
  l.expect(client(expected::bind));
  EXPECT_EQ(pass(l, "D"), 0U);
  EXPECT_EQ(pass(l, "2E"), 1U);
  l.expect(client(expected::execute));
  l.expect({expected::synthetic, owner::client, '3', 0});
  l.expect(client(expected::execute));
  EXPECT_EQ(pass(l, "DCDC"), 2U) << "the proxy's own answer has its turn";
  EXPECT_EQ(l.take_synthetic(), '3');
  for (const char* each : {"E", "G", "H", "W", "s", "N", "S", "A", "Z"})
    EXPECT_EQ(pass(l, each), 0U) << each;
  EXPECT_EQ(pass(l, "DC", true), 1U) << "somebody minds the tag";
}

TEST(ledger, passes_whole_messages_alone) {
  ledger l;
  l.expect(client(expected::execute));
  auto bytes = messages("DD");
  EXPECT_EQ(l.pass_plain(bytes.substr(0, 13), false), 7U);
  EXPECT_EQ(l.pass_plain(bytes.substr(0, 4), false), 0U);
  bytes[4] = 3;  // shorter than its own length field
  EXPECT_EQ(l.pass_plain(bytes, false), 0U);
}

TEST(ledger, that_skips_goes_on_skipping_whatever_is_asked) {
  ledger l;
  l.expect(client(expected::execute));
  EXPECT_EQ(feed(l, "E"), "p");
  EXPECT_TRUE(l.is_skipping());
  EXPECT_EQ(pass(l, "D"), 0U);
  EXPECT_TRUE(l.is_skipping());
}

}  // namespace
