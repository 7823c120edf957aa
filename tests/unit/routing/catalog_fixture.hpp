// A small catalog made by hand, in the rows that the queries would give.
// Used by the unit tests of catalog facts.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routing/catalog_queries.hpp"

namespace pgsteer::routing {

class catalog_fixture {
 public:
  catalog_fixture() {
    add(catalog_query::schemas, {"11", "pg_catalog", "postgres", "t"});
    add(catalog_query::schemas, {"2200", "public", "postgres", "t"});
    add(catalog_query::schemas, {"16400", "app", "postgres", "t"});
    add(catalog_query::schemas, {"16401", "hidden", "postgres", "f"});
    add(catalog_query::schemas, {"16402", "alice", "alice", "f"});
    type(23, 11, "int4");
    type(20, 11, "int8");
    type(1700, 11, "numeric");
    type(25, 11, "text");
    type(1184, 11, "timestamptz");
    add(catalog_query::casts, {"23", "20", "481", "t", "f"});
    add(catalog_query::casts, {"23", "1700", "1740", "t", "f"});
    builtin(870, "lower", "25");
    builtin(3539, "format", "25 2276", true);
    builtin(1282, "quote_ident", "25");
    builtin(1574, "nextval", "25");
    builtin(1299, "now", "");
    builtin(65, "int4eq", "23 23");
  }

  struct function_row {
    std::string id = {};
    std::string schema = "2200";
    std::string name = {};
    std::string arguments = {};
    std::string volatility = "v";
    std::string language = "sql";
    std::optional<std::string> source = {};
    std::optional<std::string> tree = {};
    std::optional<std::string> extension = {};
    std::optional<std::string> owner = {};
    std::optional<std::string> config = {};
    std::optional<std::string> names = {};
    std::optional<std::string> types = {};
    std::string defaults = "0";
    std::string is_variadic = "f";
    std::string kind = "f";
    std::string mixes_outputs = "f";
    std::optional<std::string> default_tree = {};
    std::string returns_set = "f";
  };

  void function(const function_row& f) {
    add(catalog_query::functions,
        {f.id,     f.schema,   f.name,        f.arguments,   f.defaults,      f.is_variadic, f.volatility,
         f.kind,   f.language, f.returns_set, f.returns_set, f.extension,     f.owner,       f.config,
         f.source, f.tree,     f.names,       f.types,       f.mixes_outputs, f.default_tree});
  }

  // A function of public in SQL or PL/pgSQL.
  void sql(int id, const std::string& name, const std::string& arguments, const std::string& source,
           const std::string& volatility = "v") {
    function_row f;
    f.id = std::to_string(id);
    f.name = name;
    f.arguments = arguments;
    f.source = source;
    f.volatility = volatility;
    function(f);
  }
  void plpgsql(int id, const std::string& name, const std::string& arguments, const std::string& source,
               const std::string& volatility = "v") {
    function_row f;
    f.id = std::to_string(id);
    f.name = name;
    f.arguments = arguments;
    f.source = source;
    f.volatility = volatility;
    f.language = "plpgsql";
    function(f);
  }
  void relation(int id, int schema, const std::string& name, const std::string& kind = "r",
                const std::string& persistence = "p", std::optional<std::string> types = {}) {
    add(catalog_query::relations, {std::to_string(id), std::to_string(schema), name, kind, persistence,
                                   std::to_string(id + 100000), std::move(types)});
  }
  void type(int id, int schema, const std::string& name, const std::string& kind = "b", int base = 0,
            const std::string& functions = "") {
    add(catalog_query::types, {std::to_string(id), std::to_string(schema), name, kind, "0",
                               std::to_string(base), "0", functions, "0"});
  }
  void add(catalog_query query, std::vector<std::optional<std::string>> row) {
    rows_[query].push_back(std::move(row));
  }

  [[nodiscard]] std::shared_ptr<const catalog> make() const { return make_catalog(rows_); }

  void builtin(int id, const std::string& name, const std::string& arguments, bool is_variadic = false) {
    function_row f;
    f.id = std::to_string(id);
    f.schema = "11";
    f.name = name;
    f.arguments = arguments;
    f.volatility = "i";
    f.language = "internal";
    f.is_variadic = is_variadic ? "t" : "f";
    function(f);
  }

 private:
  std::map<catalog_query, catalog_rows> rows_;
};

}  // namespace pgsteer::routing
