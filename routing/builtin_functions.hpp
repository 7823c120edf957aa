// The reviewed judgement on every function of pg_catalog and of PostgreSQL's contrib extensions: may a
// hot standby run it? Called by the classifier, and by the catalog facts for functions of extensions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pgsteer::routing {

// safe: its answer on a hot standby is the primary's, and it has no effect beyond its answer.
enum class function_safety : std::uint8_t { safe, primary };

// What a call may leave behind or depend on; bits of builtin_function::effects.
inline constexpr unsigned fx_may_set = 1;           // changes a setting of the session
inline constexpr unsigned fx_may_pin = 2;           // takes or gives back state held by the backend's session
inline constexpr unsigned fx_session_sequence = 4;  // reads what nextval left in the session
inline constexpr unsigned fx_nextval = 8;           // leaves what currval and lastval read
inline constexpr unsigned fx_reads_custom = 32;     // reads settings by name, custom ones too
inline constexpr unsigned fx_literal_sensitive = 16;  // a literal argument names a relation or other object
// Runs functions that its arguments do not show: anything may be left behind.
inline constexpr unsigned fx_remembers = 64;  // leaves in the backend what nobody can ask for
inline constexpr unsigned fx_unknown = fx_may_set | fx_may_pin | fx_nextval;  // runs any SQL it is told

struct builtin_function {
  std::string_view name;
  function_safety safety = function_safety::primary;
  unsigned effects = 0;
  std::string_view reason;
};

// What is known of pg_catalog's functions of this lower-case, unqualified name; the worst overload
// decides. nullptr: unknown, and so for the primary. Names that only the server itself can call
// (internal arguments, triggers, handlers) are unknown on purpose.
[[nodiscard]] const builtin_function* find_builtin_function(std::string_view name);

// The same where the call's number of arguments is known (VARIADIC ones not expanded): two arguments
// make age() one of timestamps, which is safe, while age(xid) is not.
[[nodiscard]] const builtin_function* find_builtin_function(std::string_view name, std::size_t arguments);

// The same for a function that catalog facts have proved to belong to this extension: anybody may
// define another function of that name.
[[nodiscard]] const builtin_function* find_contrib_function(std::string_view extension,
                                                            std::string_view name);

// All of pg_catalog's, in order of their names.
[[nodiscard]] std::span<const builtin_function> builtin_functions();

struct contrib_function {
  std::string_view extension;
  builtin_function function;
};

// All of the extensions', in order of extension and name.
[[nodiscard]] std::span<const contrib_function> contrib_functions();

}  // namespace pgsteer::routing
