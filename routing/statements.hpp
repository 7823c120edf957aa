// From one statement's parse tree to its class. Called by routing/parse.cpp for each statement of
// a text; knows every statement of PostgreSQL 15 and sends what it does not know to the primary.
#pragma once

#include <string_view>

#include <boost/json/value.hpp>

#include "routing/classification.hpp"
#include "routing/facts.hpp"

namespace pgsteer::routing {

struct judged_statement {
  classification is;
  bool depends_on_literals = true;  // false: any text of the same shape has this class
};

// `tree` is {"SelectStmt": {...}} or the like; `sql` the whole text its locations point into.
[[nodiscard]] judged_statement judge_statement(const boost::json::value& tree, std::string_view sql,
                                               const facts& known);

}  // namespace pgsteer::routing
