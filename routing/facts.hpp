// What is known of the names in a statement: functions, relations, operators, casts. Asked by
// routing::walker for every name; a catalog-backed implementation replaces the built-in one later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "routing/classification.hpp"

namespace pgsteer::routing {

// A name as written, folded as PostgreSQL folds it.
struct object_name {
  std::string_view catalog;  // empty: this database
  std::string_view schema;   // empty: found by search_path
  std::string_view name;
};

// Whether a standby's answer is right, and if not why. Judgements on one name must hold for every
// overload the name can stand for: a shape is judged once for all literals in its place.
struct verdict {
  bool is_safe = true;
  bool needs_catalog = false;        // safe as far as its name tells
  bool depends_on_literals = false;  // another literal argument may need another verdict
  session_effects effects;
  called_bodies bodies;
  asked_settings asks;    // safe where the session has set them
  std::string reason;     // for an operator of the database, where not safe
  bool is_doubt = false;  // not safe for want of knowledge, not for what is known
  bool is_local = false;  // not safe because each server has its own, which may be what is asked for
  std::span<const std::string_view> shared = {};  // of a system view, not safe: the columns that are the same
  bool asks_settings = false;                     // of a table: writing to it may call current_setting()
  bool asks_sequences = false;                    // of a table: writing to it may call currval() or lastval()
};

// What a call shows of an argument's type. Literals of one kind are alike: a shape stands for them all.
struct argument_type {
  // column: of a relation or of what one in FROM returns, under the name it has there.
  enum class kind : std::uint8_t { unknown, number, named, column };
  kind is = kind::unknown;
  object_name name;                          // of `named`; of `column`, its own alone
  std::optional<std::string_view> constant;  // its text, where it is a string constant
};

enum class object_sort : std::uint8_t { function, operation };

struct function_call {
  object_name name;
  std::size_t arguments = 0;
  std::span<const argument_type> types;  // of all arguments, or empty
};

class facts {
 public:
  facts() = default;
  facts(const facts&) = delete;
  facts& operator=(const facts&) = delete;
  virtual ~facts() = default;

  [[nodiscard]] virtual verdict function(const function_call& call) const = 0;
  [[nodiscard]] virtual verdict relation(const object_name& relation) const = 0;
  [[nodiscard]] virtual verdict operation(const object_name& operation) const = 0;
  [[nodiscard]] virtual verdict type(const object_name& type) const = 0;  // as the target of a cast
  // What writing to it may leave in the session: its triggers, defaults, checks, policies and rules run.
  [[nodiscard]] virtual session_effects written(const object_name& relation) const = 0;
  // A column, or the field of a composite value (`qualified`), which may be a function of it.
  [[nodiscard]] virtual verdict column(std::string_view column, bool qualified) const = 0;
  // `(value).field`, which is field(value) where the value has no such field.
  [[nodiscard]] virtual verdict selection(std::string_view field) const { return column(field, true); }
  // Whether nobody but PostgreSQL itself has made one of this name, in any schema; an operator, for two
  // texts.
  [[nodiscard]] virtual bool is_only_builtin(object_sort /*sort*/, std::string_view /*name*/) const {
    return false;
  }
};

struct builtin_function;

// What a reviewed entry says, as the judgement on a call.
[[nodiscard]] verdict judge_known_function(const builtin_function& known);

// A function that is another name of these of pg_catalog, with blanks between them; nothing where one of
// them is not known.
[[nodiscard]] std::optional<verdict> judge_alias(std::string_view names, std::size_t arguments);

// What current_setting() of this name is.
[[nodiscard]] verdict ask_setting(std::string_view name);

// Knows pg_catalog by the reviewed tables (builtin_functions.hpp, system_relations.hpp) and takes the
// database's own relations, operators and types at their word; its functions go to the primary.
[[nodiscard]] const facts& builtin_facts();

struct function_lists;

// The same with what the configuration lists. It holds until there is a catalog.
[[nodiscard]] std::shared_ptr<const facts> make_listed_facts(std::shared_ptr<const function_lists> lists);

}  // namespace pgsteer::routing
