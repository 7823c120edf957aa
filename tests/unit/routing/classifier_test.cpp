// The caches' bounds and hits, and texts made to exhaust a parser.
#include "routing/classifier.hpp"

#include <fstream>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "on_parse_stack.hpp"
#include "routing/facts.hpp"
#include "routing/text_cache.hpp"

namespace pgsteer::routing {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i)
    all += text;
  return all;
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  std::size_t resident = 0;
  statm >> pages >> resident;
  return resident * 4096;
}

TEST(classifier, texts_that_differ_in_literals_are_parsed_once) {
  classifier judge;
  for (int i = 0; i < 1000; ++i) {
    const auto sql = fmt::format("SELECT abalance FROM pgbench_accounts WHERE aid = {}", i);
    EXPECT_EQ(judge.classify(sql, {})->kind, statement_kind::read);
  }
  EXPECT_EQ(judge.stats().misses, 1U);
  EXPECT_EQ(judge.stats().hits, 999U);
}

TEST(classifier, a_text_without_literals_is_found_by_its_exact_bytes) {
  classifier judge;
  const auto first = judge.classify("SELECT a FROM t WHERE b = $1", {});
  const auto second = judge.classify("SELECT a FROM t WHERE b = $1", {});
  EXPECT_EQ(first.get(), second.get());
  EXPECT_EQ(judge.classify("SELECT a  FROM t WHERE b = $1", {}).get(), first.get());
  EXPECT_EQ(judge.stats().misses, 1U);
}

TEST(classifier, counts_what_cannot_be_parsed) {
  classifier judge;
  static_cast<void>(judge.classify("SELEC", {}));
  static_cast<void>(judge.classify("SELEC", {}));
  EXPECT_EQ(judge.stats().parse_failures, 1U);
  EXPECT_EQ(judge.stats().hits, 1U);
}

TEST(classifier, stays_within_its_bytes_whatever_comes) {
  constexpr std::size_t bound = 256 * 1024;
  classifier judge(bound);
  for (int i = 0; i < 20000; ++i) {
    static_cast<void>(judge.classify(fmt::format("SELECT c{} FROM t WHERE b = 'x'", i), {}));
    static_cast<void>(judge.classify(fmt::format("SET a = 'value {}'", i), {}));
    ASSERT_LE(judge.stats().bytes, bound);
  }
  EXPECT_GT(judge.stats().bytes, bound / 2);
}

TEST(classifier, what_is_used_stays_known_while_others_pass) {
  classifier judge(64 * 1024);
  for (int i = 0; i < 2000; ++i) {
    static_cast<void>(judge.classify(fmt::format("SELECT c{} FROM t", i), {}));
    static_cast<void>(judge.classify("SELECT kept FROM t", {}));
  }
  EXPECT_EQ(judge.stats().misses, 2001U);
}

TEST(classifier, works_without_any_cache) {
  classifier judge(0);
  EXPECT_EQ(judge.classify("SELECT 1", {})->kind, statement_kind::read);
  EXPECT_EQ(judge.classify("SELECT 1", {})->kind, statement_kind::read);
  EXPECT_EQ(judge.stats().misses, 2U);
  EXPECT_EQ(judge.stats().bytes, 0U);
}

class facts_that_know_foo final : public facts {
 public:
  verdict function(const function_call& call) const override {
    return call.name.name == "foo" ? verdict{} : builtin_facts().function(call);
  }
  verdict relation(const object_name& name) const override { return builtin_facts().relation(name); }
  session_effects written(const object_name& name) const override { return builtin_facts().written(name); }
  verdict operation(const object_name& name) const override { return builtin_facts().operation(name); }
  verdict type(const object_name& name) const override { return builtin_facts().type(name); }
  verdict column(std::string_view column, bool qualified) const override {
    return builtin_facts().column(column, qualified);
  }
};

TEST(classifier, judges_anew_when_facts_change) {
  classifier judge;
  EXPECT_EQ(judge.classify("SELECT foo()", {})->kind, statement_kind::write);
  judge.use_facts(std::make_shared<const facts_that_know_foo>());
  EXPECT_EQ(judge.classify("SELECT foo()", {})->kind, statement_kind::read);
  judge.use_facts(nullptr);
  EXPECT_EQ(judge.classify("SELECT foo()", {})->kind, statement_kind::write);
}

TEST(classifier, survives_long_and_deep_texts) {
  const auto longest = max_parsed_text;
  const std::string texts[] = {
      "SELECT " + repeated("1+", 64000) + "1",
      "SELECT " + repeated("1+", (longest - 20) / 2) + "1",
      "SELECT " + repeated("(", 20000) + "1" + repeated(")", 20000),
      "SELECT " + repeated("(", 16000) + "1" + repeated(")", 16000),
      "SELECT " + repeated("(", 16000),
      "SELECT " + repeated(" -", 16000) + "a",
      "SELECT " + repeated("NOT ", 8000) + "true",
      "SELECT " + repeated("ARRAY[", 5000) + "1" + repeated("]", 200),
      "SELECT " + repeated("ARRAY[", 4000) + "1" + repeated("]", 4000),
      "SELECT " + repeated("(SELECT ", 3500) + "1" + repeated(")", 3500),
      "SELECT " + repeated("f(", 10000) + "1" + repeated(")", 10000),
      "SELECT " + repeated("CASE WHEN ", 2500) + "1" + repeated(" THEN 1 END", 600),
      "SELECT " + repeated("CASE WHEN ", 1400) + "1" + repeated(" THEN 1 END", 1400),
      "SELECT 1" + repeated(" UNION SELECT 1", 2100),
      "SELECT 1" + repeated("::int", 6500),
      "SELECT a" + repeated("[1]", 10000),
      "SELECT " + repeated("a OR ", 6500) + "a",
      "SELECT * FROM " + repeated("(", 3000) + "a" + repeated(" JOIN b ON c)", 2000),
      "SELECT * FROM a" + repeated(" JOIN b ON c", 2600),
      repeated("SELECT 1;", 3600),
      repeated("WITH a AS (", 2900) + "SELECT 1" + repeated(")", 100),
      repeated("EXPLAIN ", 4000) + "SELECT 1",
      std::string(longest, ';'),
      std::string(longest, 'a'),
      std::string(longest, '\''),
      std::string(longest + 1, ' '),
  };
  on_parse_stack([&] {
    classifier judge;
    for (const auto& sql : texts) {
      const auto& is = judge.classify(sql, {});
      EXPECT_FALSE(is->reason.empty()) << sql.substr(0, 40);
    }
    EXPECT_EQ(judge.classify(texts[0], {})->kind, statement_kind::write);
    EXPECT_EQ(judge.classify(repeated("SELECT 1;", 3600), {})->kind, statement_kind::read);
  });
}

// Each of these needs more than the parser's own buffer: blocks that grew from text to text would soon
// be gigabytes.
TEST(classifier, memory_is_flat_after_many_large_texts) {
  on_parse_stack([] {
    classifier judge(0);
    const auto large = "SELECT " + repeated("a, ", 3000) + "a";
    const auto deep = "SELECT " + repeated("NOT ", 6000) + "a";
    const auto before = resident_bytes();
    for (int i = 0; i < 60; ++i) {
      EXPECT_EQ(judge.classify(large, {})->kind, statement_kind::read);
      EXPECT_EQ(judge.classify(deep, {})->kind, statement_kind::write);
    }
    EXPECT_LT(resident_bytes(), before + (std::size_t{1} << 30));
  });
}

TEST(text_cache, compares_whole_texts_and_forgets_the_oldest) {
  text_cache cache(4096);
  const auto value = std::make_shared<const classification>();
  for (int i = 0; i < 100; ++i)
    cache.insert(fmt::format("text {}", i), value);
  EXPECT_LE(cache.bytes(), 4096U);
  EXPECT_EQ(cache.find("text 0"), nullptr);
  EXPECT_NE(cache.find("text 99"), nullptr);
  EXPECT_EQ(cache.find("text 9"), nullptr);
  EXPECT_EQ(cache.find("text 999"), nullptr);
  cache.clear();
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_EQ(cache.find("text 99"), nullptr);
}

TEST(text_cache, does_not_keep_what_is_larger_than_itself) {
  text_cache cache(1024);
  cache.insert(std::string(2000, 'a'), std::make_shared<const classification>());
  EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace pgsteer::routing
