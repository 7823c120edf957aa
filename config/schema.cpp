#include "config/schema.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "config/schema_parts.hpp"

namespace pgsteer::config {
namespace {

std::vector<setting> join_parts() {
  std::vector<setting> all;
  for (const auto part :
       {server_settings(), access_settings(), pool_settings(), routing_settings(), limit_settings()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

std::string setting::variable() const {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper.starts_with("DATABASE_") ? upper : "PGSTEER_" + upper;
}

std::string setting::flag() const {
  std::string dashed(name);
  std::ranges::replace(dashed, '_', '-');
  return "--" + dashed;
}

std::string setting::default_text() const {
  return fmt::format("{}", fmt::join(get(settings{}), ","));
}

std::span<const setting> schema() {
  static const auto table = join_parts();
  return table;
}

const setting* find_setting(std::string_view name) {
  const auto table = schema();
  const auto found = std::ranges::find(table, name, &setting::name);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace pgsteer::config
