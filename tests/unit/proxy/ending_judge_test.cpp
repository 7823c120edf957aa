#include "proxy/control/ending_judge.hpp"

#include <gtest/gtest.h>

namespace pgsteer::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const ending_facts::time_point noticed{seconds{1000}};

ending_facts facts() {
  ending_facts f;
  f.noticed = noticed;
  f.opened = noticed - seconds{60};
  f.is_up = true;
  return f;
}

TEST(ending_judge, a_server_that_answers_a_while_later_has_not_stopped) {
  auto f = facts();
  f.heard = noticed + milliseconds{250};
  EXPECT_EQ(judge_ending(f, noticed + milliseconds{260}), ending::alone);
}

// Its own process may just not have been told yet, however late this is looked at.
TEST(ending_judge, an_answer_soon_after_tells_nothing) {
  auto f = facts();
  f.heard = noticed + milliseconds{20};
  EXPECT_EQ(judge_ending(f, noticed + milliseconds{900}), ending::undecided);
}

TEST(ending_judge, the_monitor_lost_its_connection_as_well) {
  auto f = facts();
  f.control_lost = noticed - milliseconds{400};
  EXPECT_EQ(judge_ending(f, noticed), ending::with_server);
  f.control_lost = noticed + milliseconds{400};
  EXPECT_EQ(judge_ending(f, noticed + milliseconds{400}), ending::with_server);
}

TEST(ending_judge, an_earlier_loss_of_the_monitor_alone_does_not_count) {
  auto f = facts();
  f.control_lost = noticed - seconds{5};
  f.heard = noticed + milliseconds{300};
  EXPECT_EQ(judge_ending(f, noticed + milliseconds{310}), ending::alone);
}

// A worker that had no processor for a second, and a server that is up again since.
TEST(ending_judge, a_server_that_started_anew_since_ended_all_that_were_open) {
  auto f = facts();
  f.control_lost = f.stopped = noticed - seconds{1};
  f.heard = noticed + milliseconds{300};
  EXPECT_EQ(judge_ending(f, noticed + milliseconds{310}), ending::with_server);
  f.opened = noticed - milliseconds{200};
  EXPECT_EQ(judge_ending(f, noticed + milliseconds{310}), ending::alone);
}

TEST(ending_judge, a_server_that_does_not_answer_has_stopped) {
  auto f = facts();
  f.is_up = false;
  f.heard = noticed + milliseconds{300};
  EXPECT_EQ(judge_ending(f, noticed + milliseconds{310}), ending::undecided);
  EXPECT_EQ(judge_ending(f, noticed + seconds{3}), ending::with_server);
}

}  // namespace
}  // namespace pgsteer::proxy
