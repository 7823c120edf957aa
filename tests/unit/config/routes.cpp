// What the operator may say of routes, in every form, and what is refused.
#include "config/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/support.hpp"

namespace pgsteer::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> one(std::string text) {
  return {std::move(text)};
}

TEST(patterns, have_a_target_and_a_reason) {
  const auto found = parse_patterns(one("primary  SELECT *\tFROM a -- b -- why ; replica *c* -- d"));
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre(route_pattern{"primary", "SELECT * FROM a -- b", "why"},
                                  route_pattern{"replica", "*c*", "d"}));
  EXPECT_EQ(to_text(found->front()), "primary SELECT * FROM a -- b -- why");
  for (const auto* wrong :
       {"SELECT 1 -- x", "primary SELECT 1", "primary -- x", "primary SELECT 1 -- ", "auto a -- b"})
    EXPECT_FALSE(parse_patterns(one(wrong))) << wrong;
}

TEST(session_defaults, name_what_they_say) {
  const auto found =
      parse_session_defaults(one("reports route=replica consistency=eventual max_lag=5s, shop route=auto"));
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre(session_defaults{"reports", "replica", "eventual", "", "5s"},
                                  session_defaults{"shop", "auto", ""}));
  EXPECT_EQ(to_text(found->front()), "reports route=replica consistency=eventual max_lag=5s");
  for (const auto* wrong :
       {"reports", "reports route", "reports route=here", "reports consistency=always", "reports pool_size=3",
        "a max_lag=5", "a max_lag=1ms", "a max_lag=25h", "a route=auto, a route=auto"})
    EXPECT_FALSE(parse_session_defaults(one(wrong))) << wrong;
}

TEST(functions, carry_their_schema) {
  const auto found = parse_functions(one("public.rate, app.f(integer, text) ,a.b()"));
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre("public.rate", "app.f(integer, text)", "a.b()"));
  for (const auto* wrong : {"rate", "a.b.c", "a.b(", "a.b(int) c", ".b", "a.", "a .b c"})
    EXPECT_FALSE(parse_functions(one(wrong))) << wrong;
}

TEST_F(loading_test, reads_settings_of_routes_in_groups) {
  arguments = {"--config", write("c.yaml",
                                 "routing:\n  functions:\n    read: [public.rate]\n  patterns:\n"
                                 "    - primary TABLE queue -- pollers\n")};
  const auto found = values();
  EXPECT_THAT(found.functions_read, ElementsAre("public.rate"));
  EXPECT_EQ(found.patterns.size(), 1U);
  arguments = {"--config", write("c.yaml", "routing:\n  function:\n    read: [public.rate]\n")};
  EXPECT_THAT(only_problem().what, HasSubstr("routing_function"));
  arguments = {"--config", write("c.yaml", "routing_patterns: []\nrouting:\n  patterns: []\n")};
  EXPECT_THAT(only_problem().what, HasSubstr("again"));
}

}  // namespace
}  // namespace pgsteer::config
