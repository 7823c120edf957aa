#include "routing/classifier.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "routing/facts.hpp"
#include "routing/overrides.hpp"
#include "routing/parse.hpp"
#include "routing/settings_statements.hpp"
#include "routing/shape.hpp"
#include "routing/text_cache.hpp"

namespace pgsteer::routing {
namespace {

// Longer texts are known by their exact bytes only.
constexpr std::size_t max_shaped_text = std::size_t{8} << 10;

bool reads_as_usual(std::string_view sql, const parse_context& context) {
  if (context.standard_conforming_strings && context.ascii_safe_encoding) return true;
  for (const char c : sql) {
    if (c == '\\' || static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

// `EXPLAIN ROUTE statement` is the proxy's own, and no SQL.
void note_explain_route(std::string_view sql, classification& into) {
  constexpr std::string_view blanks = " \t\r\n\f\v";
  constexpr std::array<std::string_view, 2> words{"explain", "route"};
  for (const auto word : words) {
    sql.remove_prefix(std::min(sql.size(), sql.find_first_not_of(blanks)));
    if (lower_case(sql.substr(0, word.size())) != word) return;
    sql.remove_prefix(word.size());
    if (sql.empty() || blanks.find(sql.front()) == std::string_view::npos) return;
  }
  sql.remove_prefix(std::min(sql.size(), sql.find_first_not_of(blanks)));
  into = {};
  into.kind = statement_kind::explain_route;
  into.reason = "EXPLAIN ROUTE is answered by pgsteer";
  into.value = sql;
}

}  // namespace

struct classifier::state {
  explicit state(std::size_t cache_bytes) : exact(cache_bytes / 2), shapes(cache_bytes / 2) {}

  [[nodiscard]] const facts& known() const { return given == nullptr ? builtin_facts() : *given; }
  const classification_ref& judge(std::string_view sql, const std::optional<text_shape>& shape, bool is_kept,
                                  const parse_context& context);

  [[nodiscard]] std::optional<text_shape> shape_with_wish(std::string_view sql);
  const classification_ref& find_or_judge(std::string_view sql, const parse_context& context);
  void forget();

  std::shared_ptr<const facts> given;
  std::shared_ptr<const routing_rules> rules;
  marker mark;
  text_cache exact;
  text_cache shapes;
  text_judge judge_text;
  classification_ref last;
  const classification_ref* returned = &last;
  std::array<char, max_shaped_text> shape_buffer;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t parse_failures = 0;
};

const classification_ref& classifier::state::judge(std::string_view sql,
                                                   const std::optional<text_shape>& shape, bool is_kept,
                                                   const parse_context& context) {
  auto judged = judge_text.judge(sql, context, context.known == nullptr ? known() : *context.known);
  ++misses;
  if (!judged.is_parsed) {
    ++parse_failures;
    note_explain_route(sql, judged.is);
  }
  apply_overrides(sql, judged.is_parsed ? rules.get() : nullptr, judged.is);
  if (mark)
    judged.is.mark =
        mark(reads_as_usual(sql, context) ? sql : std::string_view{}, shape ? shape->text : sql, judged.is);
  last = std::make_shared<const classification>(std::move(judged.is));
  if (!is_kept) return last;
  const bool is_shape_known = shape && judged.is_parsed && !judged.depends_on_literals;
  if (is_shape_known) shapes.insert(shape->text, last, context.facts_number);
  if (!is_shape_known || !shape->has_literals) exact.insert(sql, last, context.facts_number);
  return last;
}

// The wish of its comments is part of a shape; the comments themselves would hide it.
std::optional<text_shape> classifier::state::shape_with_wish(std::string_view sql) {
  const auto wish = wish_of_comments(sql);
  if (wish == route_wish::automatic) return shape_of(sql, shape_buffer);
  shape_buffer[0] = wish == route_wish::primary ? '\1' : '\2';
  auto shape = shape_of(without_wishes(sql), std::span(shape_buffer).subspan(1));
  if (!shape) return shape;
  return text_shape{{shape_buffer.data(), shape->text.size() + 1}, shape->has_literals};
}

classifier::classifier(std::size_t cache_bytes) : state_(std::make_unique<state>(cache_bytes)) {}
classifier::~classifier() = default;

const classification_ref& classifier::classify(std::string_view sql, const parse_context& context) {
  const auto& is = state_->find_or_judge(sql, context);
  state_->returned = &is;
  return is;
}

const classification_ref& classifier::state::find_or_judge(std::string_view sql,
                                                           const parse_context& context) {
  if (sql.size() > max_parsed_text || !reads_as_usual(sql, context)) {
    return judge(sql, std::nullopt, false, context);
  }
  if (const auto* known = exact.find(sql, context.facts_number)) {
    ++hits;
    return *known;
  }
  const auto shape = shape_with_wish(sql);
  const auto* known = shape ? shapes.find(shape->text, context.facts_number) : nullptr;
  if (known == nullptr) return judge(sql, shape, true, context);
  ++hits;
  last = *known;
  if (!shape->has_literals) exact.insert(sql, last, context.facts_number);
  return last;
}

void classifier::state::forget() {
  returned = &last;
  exact.clear();
  shapes.clear();
}

const classification_ref& classifier::last() const {
  return *state_->returned;
}

void classifier::use_facts(std::shared_ptr<const facts> known) {
  state_->given = std::move(known);
  state_->forget();
}

void classifier::use_rules(std::shared_ptr<const routing_rules> rules) {
  state_->rules = std::move(rules);
  state_->forget();
}

void classifier::mark_with(marker mark) {
  state_->mark = std::move(mark);
}

classifier::statistics classifier::stats() const {
  return {state_->hits, state_->misses, state_->parse_failures,
          state_->exact.bytes() + state_->shapes.bytes()};
}

}  // namespace pgsteer::routing
