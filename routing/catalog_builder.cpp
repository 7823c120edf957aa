#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "routing/catalog_queries.hpp"
#include "routing/catalog_tables.hpp"
#include "routing/custom_settings.hpp"

namespace pgsteer::routing {
namespace {

std::string_view text(catalog_row row, std::size_t column) {
  return column < row.size() && row[column] ? *row[column] : std::string_view{};
}

bool flag(catalog_row row, std::size_t column) {
  return text(row, column) == "t";
}

char letter(catalog_row row, std::size_t column) {
  const auto value = text(row, column);
  return value.empty() ? ' ' : value.front();
}

std::optional<std::uint32_t> number(std::string_view digits) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

template <class Visit>
void each_word(std::string_view words, char separator, Visit visit) {
  while (!words.empty()) {
    const auto end = std::min(words.find(separator), words.size());
    if (end > 0) visit(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

constexpr std::size_t most_named_settings = 100;

volatility volatility_of(char letter) {
  if (letter == 'i') return volatility::immutable;
  return letter == 's' ? volatility::stable : volatility::changing;
}

routine_language language_of(std::string_view name) {
  if (name == "sql") return routine_language::sql;
  if (name == "c") return routine_language::c;
  if (name == "internal") return routine_language::internal;
  return name == "plpgsql" ? routine_language::plpgsql : routine_language::other;
}

std::vector<std::string> names_of(std::string_view array) {
  std::vector<std::string> names;
  boost::system::error_code error;
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;
  const auto value = boost::json::parse(array, error, {}, options);
  const auto* list = error ? nullptr : value.if_array();
  if (list == nullptr) return names;
  for (const auto& item : *list) {
    const auto* name = item.if_string();
    names.push_back(name == nullptr ? std::string{} : std::string(name->data(), name->size()));
  }
  return names;
}

// A setting that changes more than how its function reads.
bool is_risky_setting(std::string_view name) {
  return name.starts_with("transaction_") || name.starts_with("default_transaction_") || name == "role" ||
         name == "session_authorization" || name == "session_replication_role";
}

}  // namespace

catalog_builder::catalog_builder() : made_(std::make_shared<catalog>()) {}

void catalog_builder::add(catalog_query from, catalog_row row) {
  switch (from) {
    case catalog_query::schemas:
      return add_schema(row);
    case catalog_query::types:
      return add_type(row);
    case catalog_query::functions:
      return add_function(row);
    case catalog_query::aggregates:
      return add_aggregate(row);
    case catalog_query::operators:
      return add_operator(row);
    case catalog_query::casts:
      return add_cast(row);
    case catalog_query::relations:
      return add_relation(row);
    case catalog_query::children:
      return add_child(row);
    case catalog_query::views:
      return add_tree(relation_uses_, row, true);
    case catalog_query::policies:
      return add_tree(relation_uses_, row, true);
    case catalog_query::checks:
      return add_tree(type_uses_, row, false);
    case catalog_query::type_functions:
      return add_type_use(row, object_kind::function);
    case catalog_query::type_operators:
      return add_type_use(row, object_kind::operation);
    case catalog_query::paths:
      return add_path(row);
    case catalog_query::superusers:
      made_->tables_->superusers.emplace(text(row, 0));
      return;
    case catalog_query::transaction_ids:
      made_->tables_->transaction_ids.emplace(text(row, 0));
      return;
    case catalog_query::askers:
      if (flag(row, 1)) sequence_askers_.insert(id(row, 0));
      if (flag(row, 2)) setting_askers_.insert(id(row, 0));
      return;
    case catalog_query::writes:
      return add_write(row);
    case catalog_query::temporary:
      made_->tables_->temporary.add_object(text(row, 0), text(row, 1));
      return;
    case catalog_query::temporary_anywhere:
      made_->tables_->temporary_anywhere.add_object(text(row, 0), text(row, 1));
      return;
  }
}

object_id catalog_builder::id(catalog_row row, std::size_t column) {
  const auto value = number(text(row, column));
  if (!value) is_whole_ = false;
  return value.value_or(0);
}

slice catalog_builder::keep(const std::vector<reference>& uses) {
  auto& all = made_->tables_->references;
  const slice part{static_cast<std::uint32_t>(all.size()), static_cast<std::uint32_t>(uses.size())};
  all.insert(all.end(), uses.begin(), uses.end());
  return part;
}

std::vector<reference> catalog_builder::references(std::string_view ids, object_kind kind) {
  std::vector<reference> list;
  each_word(ids, ' ', [&](std::string_view word) {
    if (const auto value = number(word)) list.push_back({kind, *value});
  });
  return list;
}

std::vector<reference> catalog_builder::with_settings(const tree_uses& uses) {
  auto all = uses.references;
  auto& settings = made_->tables_->settings;
  for (const auto& name : uses.settings) {
    const auto found = std::ranges::find(settings, name);
    all.push_back({object_kind::setting, static_cast<object_id>(found - settings.begin())});
    if (found == settings.end()) settings.push_back(name);
  }
  return all;
}

void catalog_builder::add_schema(catalog_row row) {
  auto& t = *made_->tables_;
  t.schemas.add({id(row, 0), t.texts.keep(text(row, 1)), t.texts.share(text(row, 2)), flag(row, 3)});
}

void catalog_builder::add_type(catalog_row row) {
  auto& t = *made_->tables_;
  catalog_type made;
  made.id = id(row, 0);
  made.schema = id(row, 1);
  made.name = t.texts.keep(text(row, 2));
  made.kind = letter(row, 3);
  made.element = id(row, 4);
  auto uses = references(text(row, 7), object_kind::function);
  if (const auto part = id(row, 5); part != 0) uses.push_back({object_kind::type, part});
  if (const auto relation = id(row, 6); relation != 0) uses.push_back({object_kind::relation, relation});
  if (const auto part = id(row, 8); part != 0) uses.push_back({object_kind::type, part});
  if (!uses.empty()) type_uses_[made.id] = std::move(uses);
  t.types.add(made);
}

void catalog_builder::add_function(catalog_row row) {
  auto& t = *made_->tables_;
  catalog_function made;
  made.id = id(row, 0);
  made.schema = id(row, 1);
  made.name = t.texts.keep(text(row, 2));
  made.arguments.from = static_cast<std::uint32_t>(t.ids.size());
  for (const auto& argument : references(text(row, 3), object_kind::type))
    t.ids.push_back(argument.id);
  made.arguments.size = static_cast<std::uint32_t>(t.ids.size()) - made.arguments.from;
  made.types = keep(references(text(row, 17), object_kind::type));
  made.defaults = static_cast<std::uint16_t>(id(row, 4));
  made.is_variadic = flag(row, 5);
  made.changes = volatility_of(letter(row, 6));
  made.kind = letter(row, 7);
  made.language = language_of(text(row, 8));
  made.returns_set = flag(row, 9);
  made.returns_nothing = flag(row, 10);
  made.mixes_outputs = flag(row, 18);
  made.source = t.texts.keep(text(row, 14));
  made.details = details(row);
  t.functions.add(made);
}

std::uint32_t catalog_builder::details(catalog_row row) {
  auto& t = *made_->tables_;
  const bool has_any = !text(row, 11).empty() || !text(row, 12).empty() || !text(row, 13).empty() ||
                       !text(row, 15).empty() || text(row, 16).size() > 2 || !text(row, 19).empty();
  if (!has_any) return 0;
  function_details made;
  made.extension = t.texts.share(text(row, 11));
  made.owner = t.texts.share(text(row, 12));
  made.names = names_of(text(row, 16));
  each_word(text(row, 13), '\n', [&](std::string_view setting) {
    const auto equals = std::min(setting.find('='), setting.size());
    const auto name = setting.substr(0, equals);
    if (is_risky_setting(name))
      made.refusal = t.texts.share("SET of a setting that changes its transaction or role");
    if (name != "search_path") return;
    made.has_search_path = true;
    made.search_path = t.texts.share(setting.substr(std::min(equals + 1, setting.size())));
  });
  if (const auto tree = text(row, 15); !tree.empty()) {
    const auto uses = uses_of_tree(tree);
    made.is_parsed = true;
    if (made.refusal.empty()) made.refusal = t.texts.share(uses.refusal);
    made.uses = keep(with_settings(uses));
  }
  if (const auto tree = text(row, 19); !tree.empty()) {
    const auto uses = uses_of_tree(tree);
    made.default_refusal = t.texts.share(uses.refusal);
    made.default_uses = keep(with_settings(uses));
  }
  t.details.push_back(std::move(made));
  return static_cast<std::uint32_t>(t.details.size() - 1);
}

void catalog_builder::add_aggregate(catalog_row row) {
  function_uses_[id(row, 0)] = references(text(row, 1), object_kind::function);
}

void catalog_builder::add_operator(catalog_row row) {
  auto& t = *made_->tables_;
  t.operators.add({id(row, 0), id(row, 1), id(row, 3), t.texts.keep(text(row, 2))});
}

void catalog_builder::add_cast(catalog_row row) {
  const auto from = id(row, 0);
  const auto to = id(row, 1);
  const auto function = id(row, 2);
  const bool is_implicit = flag(row, 3);
  if (is_implicit) made_->tables_->casts.push_back({from, to});
  if (!flag(row, 4) || function == 0) return;
  type_uses_[to].push_back({object_kind::function, function});
  // What becomes a type of the database's own stands beside something of that type, which is judged itself.
  const bool is_shown_by_target = from < first_user_object && to >= first_user_object;
  if (is_implicit && !is_shown_by_target) type_uses_[from].push_back({object_kind::function, function});
}

void catalog_builder::add_relation(catalog_row row) {
  auto& t = *made_->tables_;
  catalog_relation made;
  made.id = id(row, 0);
  made.schema = id(row, 1);
  made.name = t.texts.keep(text(row, 2));
  made.kind = letter(row, 3);
  made.persistence = letter(row, 4);
  made.row_type = id(row, 5);
  if (made.row_type != 0) t.row_types.emplace_back(made.row_type, made.id);
  auto uses = references(text(row, 6), object_kind::stored_type);
  if (!uses.empty()) relation_uses_[made.id] = std::move(uses);
  t.relations.add(made);
}

void catalog_builder::add_child(catalog_row row) {
  relation_uses_[id(row, 0)].push_back({object_kind::relation, id(row, 1)});
}

void catalog_builder::add_tree(uses_by_object& into, catalog_row row, bool is_view) {
  const auto object = id(row, 0);
  const auto uses = uses_of_tree(text(row, 1));
  auto& all = into[object];
  for (const auto& use : with_settings(uses)) {
    const bool is_itself = use.kind == object_kind::relation && use.id == object;  // OLD and NEW of its rule
    if (!is_itself) all.push_back(use);
  }
  if (is_view && !uses.refusal.empty()) view_refusals_[object] = uses.refusal;
}

void catalog_builder::add_write(catalog_row row) {
  auto& all = write_uses_[id(row, 0)];
  if (const auto function = id(row, 1); function != 0) all.push_back({object_kind::trigger, function});
  if (const auto relation = id(row, 2); relation != 0) all.push_back({object_kind::relation, relation});
  const auto uses = uses_of_tree(text(row, 3));
  all.insert(all.end(), uses.references.begin(), uses.references.end());
}

void catalog_builder::add_type_use(catalog_row row, object_kind kind) {
  type_uses_[id(row, 0)].push_back({kind, id(row, 1)});
}

void catalog_builder::add_path(catalog_row row) {
  made_->tables_->paths.push_back({std::string(text(row, 0)), flag(row, 1), std::string(text(row, 2))});
}

void catalog_builder::finish_uses() {
  auto& t = *made_->tables_;
  const auto uses_of = [this](const uses_by_object& all, object_id object) {
    const auto found = all.find(object);
    return found == all.end() ? slice{} : keep(found->second);
  };
  for (auto& relation : t.relations.rows()) {
    // A row that is no argument as it is becomes one by its casts.
    if (const auto casts = type_uses_.find(relation.row_type); casts != type_uses_.end())
      std::ranges::copy(casts->second, std::back_inserter(relation_uses_[relation.id]));
    relation.uses = uses_of(relation_uses_, relation.id);
    relation.written = uses_of(write_uses_, relation.id);
    relation.asks_sequences = sequence_askers_.contains(relation.id);
    relation.asks_settings = setting_askers_.contains(relation.id);
    if (const auto found = view_refusals_.find(relation.id); found != view_refusals_.end())
      relation.refusal = found->second;
  }
  for (auto& type : t.types.rows())
    type.uses = uses_of(type_uses_, type.id);
  for (auto& function : t.functions.rows()) {
    const auto found = function_uses_.find(function.id);
    if (found == function_uses_.end()) continue;
    if (function.details == 0) {
      function.details = static_cast<std::uint32_t>(t.details.size());
      t.details.emplace_back();
    }
    t.details[function.details].is_parsed = true;
    t.details[function.details].uses = keep(found->second);
  }
}

std::shared_ptr<const catalog> catalog_builder::finish() {
  auto& t = *made_->tables_;
  t.schemas.finish();
  t.functions.finish();
  t.operators.finish();
  t.relations.finish();
  t.types.finish();
  std::ranges::sort(t.row_types);
  std::ranges::sort(t.casts);
  finish_uses();
  for (const auto& function : t.functions.rows()) {
    if (function.id >= first_user_object)
      collect_custom_settings(function.source, t.set_by_functions, most_named_settings);
  }
  t.ids.shrink_to_fit();
  t.references.shrink_to_fit();
  t.details.shrink_to_fit();
  return std::move(made_);
}

std::shared_ptr<const catalog> make_catalog(const std::map<catalog_query, catalog_rows>& rows) {
  catalog_builder builder;
  std::vector<std::optional<std::string_view>> views;
  for (const auto& query : catalog_queries()) {
    const auto found = rows.find(query.id);
    if (found == rows.end()) continue;
    for (const auto& row : found->second) {
      views.assign(row.begin(), row.end());
      builder.add(query.id, views);
    }
  }
  return builder.finish();
}

}  // namespace pgsteer::routing
