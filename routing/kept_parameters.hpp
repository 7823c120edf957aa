// Which parameters of a PL/pgSQL body always have the value of their argument: nothing in it assigns to them,
// and no other variable has their name. Used by function_body on what libpg_query says of the body.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "routing/function_body.hpp"

namespace pgsteer::routing {

class kept_parameters {
 public:
  // `tree` and `body` must outlive it.
  kept_parameters(const boost::json::value& tree, const plpgsql_body& body);

  // The place, from 0, of the parameter of this name, or of "$1" and so on.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

 private:
  void look(const boost::json::value& tree);
  void list(const boost::json::value& variables);
  [[nodiscard]] bool is_kept(std::string_view name) const;

  const plpgsql_body& body_;
  std::map<std::string_view, std::vector<std::size_t>> numbers_;  // of the variables of a name
  std::set<std::size_t> assigned_;                                // their numbers
};

}  // namespace pgsteer::routing
