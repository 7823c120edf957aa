#include "routing/catalog.hpp"

#include <array>

#include <fmt/format.h>

#include "routing/catalog_tables.hpp"

namespace pgsteer::routing {
namespace {

// As format_type() spells the types that SQL has other names for.
std::string_view sql_name(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 13> names{{
      {"int4", "integer"},
      {"int8", "bigint"},
      {"int2", "smallint"},
      {"float4", "real"},
      {"float8", "double precision"},
      {"bool", "boolean"},
      {"bpchar", "character"},
      {"varchar", "character varying"},
      {"varbit", "bit varying"},
      {"timestamptz", "timestamp with time zone"},
      {"timestamp", "timestamp without time zone"},
      {"timetz", "time with time zone"},
      {"time", "time without time zone"},
  }};
  for (const auto& [type, written] : names) {
    if (type == name) return written;
  }
  return name;
}

}  // namespace

catalog::catalog() : tables_(std::make_unique<tables>()) {}
catalog::~catalog() = default;

std::span<const catalog_function> catalog::functions(std::string_view name) const {
  return tables_->functions.named(name);
}

std::span<const catalog_operator> catalog::operators(std::string_view name) const {
  return tables_->operators.named(name);
}

std::span<const catalog_relation> catalog::relations(std::string_view name) const {
  return tables_->relations.named(name);
}

std::span<const catalog_type> catalog::types(std::string_view name) const {
  return tables_->types.named(name);
}

const catalog_function* catalog::function(object_id id) const {
  return tables_->functions.find(id);
}

const catalog_operator* catalog::operation(object_id id) const {
  return tables_->operators.find(id);
}

const catalog_relation* catalog::relation(object_id id) const {
  return tables_->relations.find(id);
}

const catalog_type* catalog::type(object_id id) const {
  return tables_->types.find(id);
}

const catalog_relation* catalog::relation_of_row_type(object_id type) const {
  const auto& pairs = tables_->row_types;
  const auto found = std::ranges::lower_bound(pairs, type, {}, &std::pair<object_id, object_id>::first);
  return found == pairs.end() || found->first != type ? nullptr : relation(found->second);
}

std::string_view catalog::setting(object_id id) const {
  return id < tables_->settings.size() ? std::string_view(tables_->settings[id]) : std::string_view{};
}

const std::set<std::string, std::less<>>& catalog::set_by_functions() const {
  return tables_->set_by_functions;
}

const catalog_schema* catalog::schema(object_id id) const {
  return tables_->schemas.find(id);
}

const catalog_schema* catalog::schema(std::string_view name) const {
  const auto found = tables_->schemas.named(name);
  return found.empty() ? nullptr : &found.front();
}

const function_details& catalog::details(const catalog_function& f) const {
  return tables_->details[f.details];
}

std::span<const reference> catalog::references(slice part) const {
  return std::span(tables_->references).subspan(part.from, part.size);
}

std::span<const object_id> catalog::ids(slice part) const {
  return std::span(tables_->ids).subspan(part.from, part.size);
}

bool catalog::can_cast_implicitly(object_id from, object_id to) const {
  return std::ranges::binary_search(tables_->casts, implicit_cast{from, to});
}

std::string_view catalog::search_path_of(std::string_view role) const {
  // Role in database, then role, then database, then the server's configuration.
  const auto rank = [&](const path_default& each) {
    if (!each.role.empty() && each.role != role) return 0;
    if (each.role.empty()) return each.is_of_database ? 2 : 1;
    return each.is_of_database ? 4 : 3;
  };
  const path_default* best = nullptr;
  for (const auto& each : tables_->paths) {
    if (rank(each) > (best == nullptr ? 0 : rank(*best))) best = &each;
  }
  return best == nullptr ? std::string_view{"\"$user\", public"} : std::string_view{best->search_path};
}

bool catalog::may_be_transaction_id(std::string_view column) const {
  return tables_->transaction_ids.contains(column);
}

bool catalog::is_superuser(std::string_view role) const {
  return tables_->superusers.contains(role);
}

const temporary_names& catalog::temporary() const {
  return tables_->temporary;
}

const temporary_names& catalog::temporary_anywhere() const {
  return tables_->temporary_anywhere;
}

std::string catalog::written(const catalog_function& f) const {
  const auto* home = schema(f.schema);
  std::string text = fmt::format("{}.{}(", home == nullptr ? "?" : home->name, f.name);
  std::string_view separator;
  for (const auto id : ids(f.arguments)) {
    const auto* known = type(id);
    const auto* row = known == nullptr ? relation_of_row_type(id) : nullptr;
    text += separator;
    text += known != nullptr ? written(*known) : row != nullptr ? written(*row) : std::string("?");
    separator = ", ";
  }
  return text + ')';
}

std::string catalog::written(const catalog_relation& r) const {
  const auto* home = schema(r.schema);
  return fmt::format("{}.{}", home == nullptr ? "?" : home->name, r.name);
}

std::string catalog::written(const catalog_type& t) const {
  const auto* element = t.element == 0 ? nullptr : type(t.element);
  if (element != nullptr) return written(*element) + "[]";
  if (t.schema == pg_catalog_schema) return std::string(sql_name(t.name));
  const auto* home = schema(t.schema);
  return fmt::format("{}.{}", home == nullptr ? "?" : home->name, t.name);
}

std::size_t catalog::bytes() const {
  const auto& t = *tables_;
  std::size_t names = 0;
  for (const auto& each : t.details)
    names += each.names.capacity() * sizeof(std::string);
  return t.texts.bytes() + t.schemas.bytes() + t.functions.bytes() + t.operators.bytes() +
         t.relations.bytes() + t.types.bytes() + t.row_types.capacity() * sizeof(t.row_types[0]) +
         t.details.capacity() * sizeof(function_details) + names +
         t.references.capacity() * sizeof(reference) + t.ids.capacity() * sizeof(object_id) +
         t.casts.capacity() * sizeof(implicit_cast);
}

std::size_t catalog::size() const {
  return tables_->functions.rows().size() + tables_->relations.rows().size();
}

}  // namespace pgsteer::routing
