// A statement that a function makes as it runs: as far as it is made of constants and of the function's own
// parameters, it is known once the arguments are. Found by function_body, filled by catalog_judge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

namespace pgsteer::routing {

class facts;

struct text_piece {
  enum class kind : std::uint8_t { constant, plain, identifier, literal };
  kind is = kind::constant;
  std::string text;           // of a constant
  std::size_t parameter = 0;  // of the others, from 0: as it is, or quoted as format() does for %I and %L
};
using text_template = std::vector<text_piece>;

// The parameter that a name stands for ("$1" too), if it always has the argument's value.
using find_parameter = std::function<std::optional<std::size_t>(std::string_view name)>;

// What an expression of type text makes, by ||, format(), quote_ident() and quote_literal() of pg_catalog
// alone; nothing where it may be made of anything else.
[[nodiscard]] std::optional<text_template> template_of(const boost::json::value& expression,
                                                       const find_parameter& parameter, const facts& known);

[[nodiscard]] bool needs_no_values(const text_template& made);

// The text with these values of the parameters.
[[nodiscard]] std::string fill(const text_template& made,
                               const std::function<std::string_view(std::size_t parameter)>& value);

}  // namespace pgsteer::routing
