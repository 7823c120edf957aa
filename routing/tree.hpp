// Small readings of libpg_query's parse tree as JSON; absent fields read as empty.
// Used by routing's walker and statement judges.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "routing/facts.hpp"

namespace pgsteer::routing {

inline std::string_view view(const boost::json::string& text) {
  return {text.data(), text.size()};
}

// The field's text, or empty.
[[nodiscard]] std::string_view text_field(const boost::json::object& node, std::string_view field);

// Whether the field stands and is true.
[[nodiscard]] bool flag_field(const boost::json::object& node, std::string_view field);

// The field's array, or nullptr where there is none.
[[nodiscard]] const boost::json::array* list_field(const boost::json::object& node, std::string_view field);

// The fields of `value` when it is {"type": {...}}, else nullptr.
[[nodiscard]] const boost::json::object* as_node(const boost::json::value& value, std::string_view type);

// The field's object, or nullptr.
[[nodiscard]] const boost::json::object* object_field(const boost::json::object& node,
                                                      std::string_view field);

// A list of String nodes as a name; nothing when it holds anything else or more than three.
[[nodiscard]] std::optional<object_name> name_field(const boost::json::object& node, std::string_view field);

// A RangeVar's name.
[[nodiscard]] object_name relation_name(const boost::json::object& range_var);

}  // namespace pgsteer::routing
