#include "config/databases.hpp"

#include <array>

#include "config/limit_parts.hpp"

namespace pgsteer::config {
namespace {

refusal set_name(database_entry& to, const std::string& value) {
  if (auto wrong = check_name(value, "database")) return wrong;
  to.name = value;
  return std::nullopt;
}

constexpr std::array parts{part<database_entry>{"name", set_name}, pool_mode_part<database_entry>,
                           pool_size_part<database_entry>, max_clients_part<database_entry>,
                           max_connections_part<database_entry>};

}  // namespace

parsed<database_entry> parse_database(std::string_view text) {
  auto out = parse_entry<database_entry>(text, parts, "databases");
  if (out.has_value() && out->name.empty())
    return complaint{"has no name", "write name=..., as the database is called"};
  return out;
}

parsed<std::vector<database_entry>> parse_databases(std::span<const std::string> texts) {
  return parse_entries<database_entry>(texts, parse_database, "database");
}

std::string to_text(const database_entry& database) {
  record out{{"name", database.name}};
  append_limits(out, database.limits);
  return to_text(out);
}

}  // namespace pgsteer::config
