// The one table of settings: everything that knows a setting's name knows it from here.
// Read by every source, by the checks, by --help, --print-config and the test of the documentation.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "config/surroundings.hpp"
#include "config/values.hpp"

namespace pgsteer::config {

enum class shape { scalar, list, flag };
enum class effect { on_reload, at_start };       // when a change takes effect
enum class emptiness { as_unset, has_meaning };  // what an empty text says

struct setting {
  std::string_view name;  // as in YAML; environment variable and flag derive from it
  std::string_view kind;  // what the help shows for its value
  shape form = shape::scalar;
  bool has_parts = false;  // a list whose elements may be nested in YAML: see config/records.hpp
  effect reload = effect::on_reload;
  emptiness empty = emptiness::as_unset;
  bool is_secret = false;
  std::string_view doc;

  // Sets the value from its texts (one, unless it is a list) or says why not.
  std::optional<complaint> (*set)(settings&, std::span<const std::string>, const surroundings&) = nullptr;
  // The value as texts that `set` takes; secrets redacted.
  std::vector<std::string> (*get)(const settings&) = nullptr;

  [[nodiscard]] std::string variable() const;  // "PGSTEER_POOL_SIZE", "DATABASE_URL"
  [[nodiscard]] std::string flag() const;      // "--pool-size"
  [[nodiscard]] std::string default_text() const;
  [[nodiscard]] bool is_list() const { return form == shape::list; }
};

/// In the order in which settings are documented, printed and applied.
[[nodiscard]] std::span<const setting> schema();

/// The setting of that YAML name; null where there is none.
[[nodiscard]] const setting* find_setting(std::string_view name);

}  // namespace pgsteer::config
