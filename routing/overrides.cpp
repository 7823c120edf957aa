#include "routing/overrides.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "routing/normal_form.hpp"
#include "routing/settings_statements.hpp"

namespace pgsteer::routing {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

constexpr bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

// Of the text between `/*` and `*/`.
route_wish wish_in(std::string_view comment) {
  constexpr std::string_view mark = "pgsteer:";
  const auto text = trimmed(comment);
  if (!lower_case(text.substr(0, mark.size())).starts_with(mark)) return route_wish::automatic;
  return wish_named(trimmed(text.substr(mark.size()))).value_or(route_wish::automatic);
}

struct found_wish {
  route_wish wish = route_wish::automatic;
  std::string_view rest;
};

// An earlier comment does not count where a later one says otherwise.
found_wish take_leading(std::string_view sql) {
  found_wish found{route_wish::automatic, sql};
  for (;;) {
    const auto text = trimmed(found.rest);
    const auto end = text.starts_with("/*") ? text.find("*/", 2) : std::string_view::npos;
    if (end == std::string_view::npos) return found;
    const auto wish = wish_in(text.substr(2, end - 2));
    if (wish != route_wish::automatic) found.wish = wish;
    found.rest = text.substr(end + 2);
  }
}

found_wish take_trailing(std::string_view sql) {
  found_wish found{route_wish::automatic, sql};
  for (;;) {
    auto text = trimmed(found.rest);
    while (text.ends_with(';'))
      text = trimmed(text.substr(0, text.size() - 1));
    const auto begin = text.ends_with("*/") ? text.substr(0, text.size() - 2).rfind("/*") : text.npos;
    if (begin == std::string_view::npos) return found;
    const auto wish = wish_in(text.substr(begin + 2, text.size() - begin - 4));
    if (wish != route_wish::automatic && found.wish == route_wish::automatic) found.wish = wish;
    found.rest = text.substr(0, begin);
  }
}

// Of nearly every text this says that no wish can stand in it, at a glance.
bool may_have_wish(std::string_view sql) {
  const auto first = sql.find_first_not_of(blanks);
  if (first == std::string_view::npos) return false;
  if (sql[first] == '/') return true;
  auto last = sql.size() - 1;
  while (last > first && (is_blank(sql[last]) || sql[last] == ';'))
    --last;
  return sql[last] == '/';
}

std::string_view word_of(route_wish wish) {
  return wish == route_wish::primary ? "primary" : "replica";
}

const session_wishes* wishes_for(const std::vector<session_wishes>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &session_wishes::name);
  return found == all.end() ? nullptr : &*found;
}

std::string_view type_name(std::string_view written) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 16> aliases{{
      {"int", "integer"},
      {"int4", "integer"},
      {"int2", "smallint"},
      {"int8", "bigint"},
      {"float4", "real"},
      {"float", "double precision"},
      {"float8", "double precision"},
      {"bool", "boolean"},
      {"decimal", "numeric"},
      {"varchar", "character varying"},
      {"char", "character"},
      {"bpchar", "character"},
      {"timestamp", "timestamp without time zone"},
      {"timestamptz", "timestamp with time zone"},
      {"time", "time without time zone"},
      {"timetz", "time with time zone"},
  }};
  for (const auto& [alias, name] : aliases) {
    if (written == alias) return name;
  }
  return written;
}

// Of "int[]" the element and what is behind it.
std::string full_type_name(std::string_view written) {
  const auto text = trimmed(written);
  const auto brackets = text.find('[');
  const auto behind = brackets == std::string_view::npos ? std::string_view{} : text.substr(brackets);
  return fmt::format("{}{}", type_name(trimmed(text.substr(0, brackets))), behind);
}

}  // namespace

std::optional<route_wish> wish_named(std::string_view word) {
  const auto lower = lower_case(word);
  if (lower == "primary") return route_wish::primary;
  if (lower == "replica") return route_wish::replica;
  if (lower == "auto") return route_wish::automatic;
  return std::nullopt;
}

route_wish wish_of_comments(std::string_view sql) {
  if (!may_have_wish(sql)) return route_wish::automatic;
  const auto leading = take_leading(sql);
  return leading.wish != route_wish::automatic ? leading.wish : take_trailing(leading.rest).wish;
}

std::string_view without_wishes(std::string_view sql) {
  const auto leading = take_leading(sql);
  const auto trailing = take_trailing(leading.rest);
  const bool is_said = leading.wish != route_wish::automatic || trailing.wish != route_wish::automatic;
  return is_said ? trailing.rest : sql;
}

void apply_overrides(std::string_view sql, const routing_rules* rules, classification& into) {
  into.wish = wish_of_comments(sql);
  if (into.wish != route_wish::automatic) {
    into.is_wish_of_comment = true;
    into.wish_reason = fmt::format("comment asks for the {}", word_of(into.wish));
    return;
  }
  if (rules == nullptr || rules->patterns.empty() || into.kind == statement_kind::empty) return;
  const auto text = normal_form(sql);
  if (text.empty()) return;
  for (const auto& each : rules->patterns) {
    if (!matches(each.pattern, text)) continue;
    into.wish = each.wish;
    into.wish_reason = fmt::format("pattern \"{}\": {}", each.pattern, each.reason);
    return;
  }
}

session_wish wish_of_session(std::string_view own, std::string_view user, std::string_view database,
                             const routing_rules& rules) {
  if (const auto wish = own.empty() ? std::nullopt : wish_named(own)) {
    return {*wish, true,
            *wish == route_wish::primary ? "pgsteer.route is primary" : "pgsteer.route is replica"};
  }
  const auto* of_user = wishes_for(rules.users, user);
  if (of_user != nullptr && of_user->route != route_wish::automatic) {
    return {of_user->route, false,
            of_user->route == route_wish::primary
                ? "routing_users sends this user's statements to the primary"
                : "routing_users sends this user's reads to a replica"};
  }
  const auto* of_database = wishes_for(rules.databases, database);
  if (of_database != nullptr && of_database->route != route_wish::automatic) {
    return {of_database->route, false,
            of_database->route == route_wish::primary
                ? "routing_databases sends this database's statements to the primary"
                : "routing_databases sends this database's reads to a replica"};
  }
  return {};
}

std::string_view said_of_session(std::string session_wishes::*setting, std::string_view own,
                                 std::string_view user, std::string_view database,
                                 const routing_rules& rules) {
  if (!own.empty()) return own;
  for (const auto* said : {wishes_for(rules.users, user), wishes_for(rules.databases, database)}) {
    if (said != nullptr && !(said->*setting).empty()) return said->*setting;
  }
  return {};
}

bool splits_transactions(std::string_view own, std::string_view user, std::string_view database,
                         const routing_rules& rules) {
  const auto said = said_of_session(&session_wishes::transactions, own, user, database, rules);
  return said.empty() ? rules.splits_transactions : lower_case(said) == "split";
}

std::string listed_function(std::string_view written) {
  auto text = std::string(trimmed(written));
  const auto open = text.find('(');
  const bool is_quoted = text.find('"') < open;
  if (!is_quoted) text = lower_case(text);
  std::string name(trimmed(std::string_view(text).substr(0, open)));
  std::erase(name, '"');
  const auto dot = name.find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == name.size() ||
      name.find_first_of(blanks) != std::string::npos || name.find('.', dot + 1) != std::string::npos)
    return {};
  if (open == std::string::npos) return name;
  if (!text.ends_with(')')) return {};
  auto types = trimmed(std::string_view(text).substr(open + 1, text.size() - open - 2));
  std::string out = name + '(';
  while (!types.empty()) {
    const auto comma = types.find(',');
    const auto type = full_type_name(types.substr(0, comma));
    if (type.empty()) return {};
    out += out.ends_with('(') ? type : ", " + type;
    types = comma == std::string_view::npos ? std::string_view{} : trimmed(types.substr(comma + 1));
  }
  return out + ')';
}

listing find_listing(const function_lists& lists, std::string_view signature) {
  if (lists.is_empty()) return listing::none;
  if (lists.writes.contains(signature)) return listing::write;
  if (lists.reads.contains(signature)) return listing::read;
  const auto name = signature.substr(0, signature.find('('));
  if (lists.writes.contains(name)) return listing::write;
  return lists.reads.contains(name) ? listing::read : listing::none;
}

}  // namespace pgsteer::routing
