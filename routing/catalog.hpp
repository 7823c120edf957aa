// What one database's catalog says, as far as routing asks: an immutable snapshot, small and quick to
// search. Made by catalog_builder from rows; shared by every catalog_facts that judges by it.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgsteer::routing {

class temporary_names;

using object_id = std::uint32_t;

// Objects below this were made by initdb.
inline constexpr object_id first_user_object = 16384;
inline constexpr object_id pg_catalog_schema = 11;
inline constexpr object_id text_type = 25;

// stored_type: of a column, whose values passed their domain's checks when they were made.
enum class object_kind : std::uint8_t { function, operation, relation, type, stored_type, setting, trigger };

struct reference {
  object_kind kind;
  object_id id;
  bool operator==(const reference&) const = default;
  auto operator<=>(const reference&) const = default;
};

// A part of catalog::references() or catalog::ids().
struct slice {
  std::uint32_t from = 0;
  std::uint32_t size = 0;
};

enum class volatility : std::uint8_t { immutable, stable, changing };
// internal: another name of functions of PostgreSQL's own.
enum class routine_language : std::uint8_t { sql, plpgsql, c, internal, other };

struct catalog_schema {
  object_id id = 0;
  std::string_view name;
  std::string_view owner;
  bool is_public = false;  // everybody may use it
};

// What few functions have.
struct function_details {
  std::string_view extension;
  std::string_view owner;        // of SECURITY DEFINER
  std::string_view search_path;  // by the function's own SET
  std::string_view refusal;      // why its parsed body, or a setting of its own, is no read
  bool has_search_path = false;
  bool is_parsed = false;          // its body, or its parts, are in `uses`
  std::vector<std::string> names;  // of its parameters, in order; out parameters too
  slice uses;
  slice default_uses;                // of the expressions that stand for arguments left out
  std::string_view default_refusal;  // why these are no reads
};

struct catalog_function {
  object_id id = 0;
  object_id schema = 0;
  std::string_view name;
  std::string_view source;  // of SQL and PL/pgSQL; of `internal`, the names in pg_catalog
  slice arguments;          // types, in catalog::ids()
  slice types;              // the database's own among all it takes and gives
  std::uint32_t details = 0;
  std::uint16_t defaults = 0;
  volatility changes = volatility::changing;
  routine_language language = routine_language::other;
  char kind = 'f';  // pg_proc.prokind
  bool is_variadic = false;
  bool returns_set = false;
  bool returns_nothing = false;  // void, or by its out parameters
  bool mixes_outputs = false;    // among its parameters: `arguments` does not count them
};

struct catalog_operator {
  object_id id = 0;
  object_id schema = 0;
  object_id function = 0;
  std::string_view name;
};

struct catalog_relation {
  object_id id = 0;
  object_id schema = 0;
  std::string_view name;
  std::string_view refusal;  // of a view
  slice uses;                // a view's definition, policies, children, column types of the database's own
  slice written;  // what writing to it runs: triggers' functions, and trees' of defaults and the like
  object_id row_type = 0;
  char kind = 'r';              // pg_class.relkind
  char persistence = 'p';       // pg_class.relpersistence
  bool asks_settings = false;   // ... or current_setting()
  bool asks_sequences = false;  // what is written to it may ask for currval() or lastval()
};

struct catalog_type {
  object_id id = 0;
  object_id schema = 0;
  std::string_view name;
  slice uses;  // its functions, checks and casts, as far as they are the database's own
  object_id element = 0;
  char kind = 'b';  // pg_type.typtype
};

struct implicit_cast {
  object_id from;
  object_id to;
  auto operator<=>(const implicit_cast&) const = default;
};

// What ALTER ROLE, ALTER DATABASE and the server's configuration say of search_path.
struct path_default {
  std::string role;  // empty: every role
  bool is_of_database = false;
  std::string search_path;
};

class catalog {
 public:
  catalog();
  ~catalog();
  catalog(const catalog&) = delete;
  catalog& operator=(const catalog&) = delete;

  // All of this name in any schema.
  [[nodiscard]] std::span<const catalog_function> functions(std::string_view name) const;
  [[nodiscard]] std::span<const catalog_operator> operators(std::string_view name) const;
  [[nodiscard]] std::span<const catalog_relation> relations(std::string_view name) const;
  [[nodiscard]] std::span<const catalog_type> types(std::string_view name) const;

  // By identifier, or nullptr.
  [[nodiscard]] const catalog_function* function(object_id id) const;
  [[nodiscard]] const catalog_operator* operation(object_id id) const;
  [[nodiscard]] const catalog_relation* relation(object_id id) const;
  [[nodiscard]] const catalog_type* type(object_id id) const;
  [[nodiscard]] const catalog_relation* relation_of_row_type(object_id type) const;
  // The name of a setting that something asks for: numbered by this catalog alone.
  [[nodiscard]] std::string_view setting(object_id id) const;
  // Names of custom settings that bodies of functions set, a bounded number of them.
  [[nodiscard]] const std::set<std::string, std::less<>>& set_by_functions() const;

  [[nodiscard]] const catalog_schema* schema(object_id id) const;
  [[nodiscard]] const catalog_schema* schema(std::string_view name) const;
  [[nodiscard]] const function_details& details(const catalog_function& f) const;
  [[nodiscard]] std::span<const reference> references(slice part) const;
  [[nodiscard]] std::span<const object_id> ids(slice part) const;
  [[nodiscard]] bool can_cast_implicitly(object_id from, object_id to) const;

  // The search_path a session of this role starts with, where it does not say itself.
  [[nodiscard]] std::string_view search_path_of(std::string_view role) const;
  [[nodiscard]] bool is_superuser(std::string_view role) const;
  // Some relation or function has a column of this name whose type is xid, or passes for one.
  [[nodiscard]] bool may_be_transaction_id(std::string_view column) const;
  // Of all sessions; empty where they were not asked for.
  [[nodiscard]] const temporary_names& temporary() const;
  // The same for a session that looks for names in other schemas than it began with.
  [[nodiscard]] const temporary_names& temporary_anywhere() const;

  // "public.next_invoice(integer)", "public.orders"
  [[nodiscard]] std::string written(const catalog_function& f) const;
  [[nodiscard]] std::string written(const catalog_relation& r) const;
  [[nodiscard]] std::string written(const catalog_type& t) const;

  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t size() const;  // functions and relations

 private:
  friend class catalog_builder;
  struct tables;
  std::unique_ptr<tables> tables_;
};

}  // namespace pgsteer::routing
