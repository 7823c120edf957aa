// What a statement costs to judge: known by its text, known by its shape, and new.
#include <array>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "routing/classifier.hpp"
#include "routing/decide.hpp"
#include "routing/sql_parser.hpp"

namespace pgsteer::routing {
namespace {

constexpr std::string_view prepared =
    "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = $1";

std::string simple(int key) {
  return fmt::format("SELECT abalance FROM pgbench_accounts WHERE aid = {}", key);
}

std::string orm(int key) {
  std::string columns;
  for (int i = 0; i < 20; ++i)
    columns += fmt::format("\"shop_order\".\"column_{}\", ", i);
  return fmt::format(
      "SELECT {}\"shop_order\".\"id\" FROM \"shop_order\" INNER JOIN \"shop_customer\" ON "
      "(\"shop_order\".\"customer_id\" = "
      "\"shop_customer\".\"id\") WHERE (\"shop_customer\".\"email\" = 'a{}@example.org' AND "
      "\"shop_order\".\"state\" IN "
      "(1, 2, 3, {})) ORDER BY \"shop_order\".\"id\" DESC LIMIT 21",
      columns, key, key);
}

void judge_known_text(benchmark::State& state) {
  classifier judge;
  for ([[maybe_unused]] auto _ : state) {
    const auto& is = judge.classify(prepared, {});
    benchmark::DoNotOptimize(decide(*is, {}).where);
  }
}
BENCHMARK(judge_known_text);

template <std::string (*Make)(int)>
void judge_known_shape(benchmark::State& state) {
  classifier judge;
  std::array<std::string, 64> texts;
  for (std::size_t i = 0; i < texts.size(); ++i)
    texts[i] = Make(static_cast<int>(i) + 1000);
  std::size_t at = 0;
  for ([[maybe_unused]] auto _ : state) {
    const auto& is = judge.classify(texts[++at % texts.size()], {});
    benchmark::DoNotOptimize(decide(*is, {}).where);
  }
}
BENCHMARK(judge_known_shape<simple>);
BENCHMARK(judge_known_shape<orm>);

template <std::string (*Make)(int)>
void judge_new(benchmark::State& state) {
  classifier judge(0);
  const auto text = Make(1);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(judge.classify(text, {})->kind);
}
BENCHMARK(judge_new<simple>);
BENCHMARK(judge_new<orm>);

// What a new text costs at the least: libpg_query, which gives PostgreSQL's own tree as JSON alone, and the
// reading of that.
template <std::string (*Make)(int)>
void parse_alone(benchmark::State& state) {
  sql_parser parser;
  const auto text = Make(1);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(parser.parse(text));
}
BENCHMARK(parse_alone<simple>);
BENCHMARK(parse_alone<orm>);

void decide_prepared(benchmark::State& state) {
  classifier judge;
  const auto is = judge.classify(prepared, {});
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(decide(*is, {}).where);
}
BENCHMARK(decide_prepared);

}  // namespace
}  // namespace pgsteer::routing

BENCHMARK_MAIN();
