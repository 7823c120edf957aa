#include "routing/consistency.hpp"

#include <vector>

#include <gtest/gtest.h>

using namespace pgsteer::routing;

namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

TEST(consistency, reads_segment_sizes) {
  EXPECT_EQ(parse_wal_segment_size("16MB"), 16 * mib);
  EXPECT_EQ(parse_wal_segment_size("1GB"), 1024 * mib);
  EXPECT_EQ(parse_wal_segment_size("x"), 0U);
}

TEST(consistency, a_replica_must_have_replayed_what_the_session_saw) {
  freshness f;
  EXPECT_TRUE(f.accepts(1, 0)) << "a session that saw nothing asks nothing";
  f.floor = 100;
  EXPECT_FALSE(f.accepts(1, 99));
  EXPECT_TRUE(f.accepts(1, 100));
  f.is_sampled = false;
  EXPECT_FALSE(f.accepts(1, 1000)) << "a write whose position is not known yet";
}

TEST(consistency, an_idle_transaction_does_not_keep_reads_from_replicas_for_ever) {
  using namespace std::chrono_literals;
  quiet_primary primary;
  const auto at = [&](int server, lsn insert, lsn flush, std::optional<std::chrono::milliseconds> delay,
                      std::chrono::milliseconds when) {
    return primary.floor_of(server, insert, flush, delay, when, when);
  };
  EXPECT_EQ(at(1, 200, 100, 200ms, 1000ms), lsn{200});
  EXPECT_EQ(at(1, 200, 100, 200ms, 1800ms), lsn{200}) << "an asynchronous commit may not be flushed yet";
  EXPECT_EQ(at(1, 200, 100, 200ms, 1801ms), lsn{100});
  EXPECT_EQ(at(1, 200, 200, 200ms, 1900ms), lsn{200});
  EXPECT_EQ(at(1, 300, 100, 200ms, 9000ms), lsn{300}) << "something was inserted: it begins anew";
  EXPECT_EQ(at(2, 300, 100, 200ms, 99000ms), lsn{300}) << "another server";
  EXPECT_EQ(at(2, 300, 100, std::nullopt, 999000ms), lsn{300}) << "an unknown delay";
}

TEST(consistency, a_sample_behind_a_slow_statement_was_taken_at_its_end) {
  using namespace std::chrono_literals;
  quiet_primary primary;
  EXPECT_EQ(primary.floor_of(1, 200, 100, 200ms, 1000ms, 11000ms), lsn{200});
  EXPECT_EQ(primary.floor_of(1, 200, 100, 200ms, 11001ms, 11002ms), lsn{200}) << "inserted a moment ago";
  EXPECT_EQ(primary.floor_of(1, 200, 100, 200ms, 11100ms, 12000ms), lsn{200}) << "it may be of 11.1 s";
  EXPECT_EQ(primary.floor_of(1, 200, 100, 200ms, 11801ms, 11802ms), lsn{100});
}

TEST(consistency, a_write_asks_how_far_it_is_where_reads_follow_writes) {
  read_forecast f;
  EXPECT_FALSE(f.expects_read());
  f.has_read();
  f.wrote();
  EXPECT_FALSE(f.expects_read()) << "nobody has read behind a write yet";
  f.has_read();
  EXPECT_TRUE(f.expects_read());
  f.wrote();
  f.has_read();
  f.has_read();
  EXPECT_TRUE(f.expects_read());
  f.wrote();
  EXPECT_TRUE(f.expects_read());
  f.wrote();
  EXPECT_FALSE(f.expects_read()) << "it writes on";
}

TEST(consistency, reads_milliseconds) {
  EXPECT_EQ(parse_milliseconds("200ms"), std::chrono::milliseconds(200));
  for (const auto* bad : {"", "ms", "1s", "0ms", "-1ms", "200"})
    EXPECT_FALSE(parse_milliseconds(bad)) << bad;
}

TEST(consistency, a_session_does_not_go_back_in_time_from_one_replica_to_another) {
  const freshness f{100, true, 2};
  EXPECT_TRUE(f.accepts(2, 100));
  EXPECT_FALSE(f.accepts(3, 100));
}

TEST(consistency, a_replica_that_restarted_has_to_be_sampled_again) {
  const freshness f{.last_replica = 2, .last_start = 5};
  EXPECT_TRUE(f.accepts(2, 100, 5));
  EXPECT_FALSE(f.accepts(2, 100, 6)) << "it may show less than it did";
  EXPECT_TRUE((freshness{.floor = 100}.accepts(2, 100, 6))) << "the primary was asked since";
}

TEST(consistency, a_new_session_begins_where_those_that_left_have_been) {
  using std::chrono::milliseconds;
  departures d;
  EXPECT_TRUE(d.arrive().accepts(1, 0));
  d.leave({100, true, 1}, milliseconds(5));
  d.leave({50, true, 0}, milliseconds(6));
  EXPECT_FALSE(d.arrive().accepts(1, 99));
  EXPECT_TRUE(d.arrive().accepts(2, 100));

  d.leave({0, false, 0}, milliseconds(10));  // it wrote, and nobody asked how far that is
  EXPECT_FALSE(d.arrive().accepts(1, 1000));
  d.sampled(150, 1, milliseconds(10));  // may have been before it
  EXPECT_FALSE(d.arrive().accepts(1, 1000));
  d.sampled(160, 1, milliseconds(11));
  EXPECT_FALSE(d.arrive().accepts(1, 159));
  EXPECT_TRUE(d.arrive().accepts(1, 160));
}

TEST(consistency, a_position_of_an_older_timeline_is_kept_up_to_where_the_newer_begins) {
  const std::vector<timeline_switch> known{{2, 100}, {3, 200}};
  EXPECT_EQ(fate_of(100, 1, 2, known), position_fate::kept);
  EXPECT_EQ(fate_of(101, 1, 2, known), position_fate::lost);
  EXPECT_EQ(fate_of(500, 2, 2, known), position_fate::kept);
  EXPECT_EQ(fate_of(150, 1, 3, known), position_fate::lost) << "at the first of two promotions";
  EXPECT_EQ(fate_of(150, 2, 3, known), position_fate::kept);
  EXPECT_EQ(fate_of(201, 2, 3, known), position_fate::lost);
  EXPECT_EQ(fate_of(50, 3, 4, known), position_fate::unknown) << "nobody knows where it begins";
  EXPECT_EQ(fate_of(50, 4, 3, known), position_fate::unknown) << "it is not known here yet";
  EXPECT_EQ(fate_of(50, 1, 4, known), position_fate::unknown);
  EXPECT_EQ(fate_of(101, 1, 4, known), position_fate::lost);
  EXPECT_EQ(fate_of(50, 0, 2, known), position_fate::kept);
}

TEST(consistency, a_session_goes_on_on_the_new_timeline) {
  const std::vector<timeline_switch> known{{2, 100}};
  freshness kept{.floor = 90, .last_replica = 3, .timeline = 1};
  EXPECT_EQ(settle_timeline(kept, 2, known), position_fate::kept);
  EXPECT_EQ(kept.floor, lsn{90});
  EXPECT_TRUE(kept.is_sampled);
  EXPECT_EQ(kept.timeline, 2U);

  freshness lost{.floor = 110, .last_replica = 3, .timeline = 1};
  EXPECT_EQ(settle_timeline(lost, 2, known), position_fate::lost);
  EXPECT_EQ(lost.floor, lsn{0});
  EXPECT_FALSE(lost.is_sampled) << "the new primary is asked first";
  EXPECT_EQ(settle_timeline(lost, 2, known), position_fate::kept) << "counted once";

  freshness fresh;
  EXPECT_EQ(settle_timeline(fresh, 2, known), position_fate::kept);
  EXPECT_TRUE(fresh.accepts(1, 0));
  freshness unknown{.floor = 90, .timeline = 2};
  EXPECT_EQ(settle_timeline(unknown, 0, known), position_fate::kept) << "no primary has spoken yet";
  EXPECT_EQ(unknown.floor, lsn{90});
}

TEST(consistency, what_departed_sessions_lost_is_counted_once) {
  using std::chrono::milliseconds;
  const std::vector<timeline_switch> known{{2, 100}};
  departures d;
  d.leave({.floor = 110, .timeline = 1}, milliseconds(5));
  EXPECT_EQ(d.settle(2, known, milliseconds(20)), position_fate::lost);
  EXPECT_EQ(d.settle(2, known, milliseconds(21)), position_fate::kept);
  EXPECT_FALSE(d.arrive().is_sampled);
  d.sampled(120, 2, milliseconds(30));
  EXPECT_TRUE(d.arrive().accepts(1, 120));
}

TEST(consistency, a_sample_serves_all_whose_last_sight_came_before_it_was_sent) {
  shared_sample s;
  EXPECT_FALSE(s.covers(0, 1)) << "nobody has asked yet";
  s.learn(7, 3, 500, 1);
  EXPECT_TRUE(s.covers(7, 1));
  EXPECT_TRUE(s.covers(0, 1)) << "has seen nothing of the primary";
  EXPECT_FALSE(s.covers(8, 1)) << "seen after it was sent";
  EXPECT_FALSE(s.covers(7, 2)) << "of a timeline that ended";
  s.learn(6, 3, 490, 1);
  EXPECT_TRUE(s.covers(7, 1)) << "an older one that came late says less";
  s.learn(2, 1, 90, 2);
  EXPECT_TRUE(s.covers(2, 2));
  EXPECT_FALSE(s.covers(3, 2));
}

TEST(consistency, a_sample_never_lowers_what_is_demanded) {
  shared_sample s;
  s.learn(7, 3, 500, 1);
  EXPECT_EQ(s.writes(), 3U);
  freshness f{.floor = 400, .is_sampled = false};
  s.raise(f);
  EXPECT_TRUE(f.accepts(1, 500));
  EXPECT_FALSE(f.accepts(1, 499));
  freshness ahead{.floor = 600, .is_sampled = false};
  s.raise(ahead);
  EXPECT_FALSE(ahead.accepts(1, 599));
}

TEST(consistency, a_replica_that_lacks_nothing_but_time_is_worth_waiting_for) {
  const freshness f{.floor = 100, .last_replica = 2, .last_start = 5};
  EXPECT_TRUE(f.may_come_to_accept(2, 5));
  EXPECT_FALSE(f.may_come_to_accept(3, 5));
  EXPECT_FALSE(f.may_come_to_accept(2, 6));
  EXPECT_FALSE((freshness{.floor = 100, .is_sampled = false}.may_come_to_accept(2)));
}

}  // namespace
