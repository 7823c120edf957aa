#include "proxy/client/plan_effects.hpp"

#include <string_view>

#include <gtest/gtest.h>

#include "routing/classifier.hpp"

namespace pgsteer::proxy {
namespace {

struct example {
  std::string_view sql;
  bool plans;
  bool reading;
};

class PlanEffects : public ::testing::TestWithParam<example> {};

TEST_P(PlanEffects, AreThoseOfWhatItSets) {
  routing::classifier classifier(1 << 20);
  const auto is = plan_effects(*classifier.classify(GetParam().sql, {}));
  EXPECT_EQ(is.changes_plans, GetParam().plans) << GetParam().sql;
  EXPECT_EQ(is.changes_reading, GetParam().reading) << GetParam().sql;
}

INSTANTIATE_TEST_SUITE_P(
    Statements, PlanEffects,
    ::testing::Values(example{"SELECT 1", false, false}, example{"INSERT INTO t VALUES (1)", false, false},
                      example{"SET app.tenant = '1'", false, false},
                      example{"SET LOCAL statement_timeout = 5", false, false},
                      example{"SET search_path TO a", true, false},
                      example{"SET LOCAL ROLE analyst", true, false},
                      example{"SET TimeZone = 'UTC'", true, true},
                      example{"SET LOCAL DateStyle = 'ISO'", true, true}, example{"RESET ALL", true, true},
                      example{"DISCARD ALL", true, true},
                      example{"SELECT pg_catalog.set_config('app.tenant', '1', true)", false, false},
                      example{"SELECT pg_catalog.set_config('TimeZone', 'UTC', true)", true, true},
                      example{"SELECT set_config('a' || 'b', 'UTC', true)", true, true},
                      example{"SET app.a = '1'; SET TimeZone = 'UTC'", true, true},
                      example{"DO $$ BEGIN EXECUTE 'SET a = 1'; END $$", true, true}));

}  // namespace
}  // namespace pgsteer::proxy
