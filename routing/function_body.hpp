// What a function's or a DO block's body does, as far as its text proves it. Called by catalog_judge and
// for DO; needs parse_stack_bytes of stack as the classifier does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routing/facts.hpp"
#include "routing/walker.hpp"

namespace pgsteer::routing {

struct plpgsql_body {
  std::string_view source;
  std::vector<std::string_view> names;  // of parameters, as far as they have any
  std::size_t parameters = 0;           // that `$1` and so on stand for
  bool returns_set = false;
  bool returns_nothing = false;
  bool is_trigger = false;  // it knows NEW, OLD and TG_OP
};

// A list of SQL statements. What cannot be parsed is a doubt.
[[nodiscard]] findings judge_sql_body(std::string_view source, const facts& known);

// What it executes of a text made of its parameters' values is left to the caller: findings::executed.
[[nodiscard]] findings judge_plpgsql_body(const plpgsql_body& body, const facts& known);

}  // namespace pgsteer::routing
