// SET, RESET, SHOW and the statements of transaction control, from their parse nodes.
// Called by routing/statements.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "routing/classification.hpp"

namespace pgsteer::routing {

[[nodiscard]] classification judge_transaction(const boost::json::object& node);
[[nodiscard]] classification judge_set(const boost::json::object& node, std::string_view sql);
[[nodiscard]] classification judge_show(const boost::json::object& node);

// "serializable" and its like, in any case; nothing else is known.
[[nodiscard]] isolation isolation_named(std::string_view name);

// As PostgreSQL spells it; empty where it is unspecified.
[[nodiscard]] std::string_view name_of(isolation level);

// A boolean as SET takes it (on, true, yes, 1 and their prefixes); nothing where it is none.
enum class truth : std::uint8_t { unknown, no, yes };
[[nodiscard]] truth truth_of(std::string_view value);

// PostgreSQL's folding of ASCII letters.
[[nodiscard]] std::string lower_case(std::string_view text);

}  // namespace pgsteer::routing
