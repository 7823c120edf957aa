#include "routing/catalog_rows.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "routing/name_questions.hpp"
#include "routing/tree.hpp"

namespace pgsteer::routing {
namespace json = boost::json;
namespace {

// The columns of a catalog that say whose row it is; a catalog without any holds nothing that is temporary.
struct catalog_keys {
  std::string_view relation;
  std::array<std::string_view, 4> objects;  // a relation, type or function
  std::array<std::string_view, 2> parts;    // what belongs to one: only a bound row says which is meant
  std::string_view name;                    // of the object
};

// A temporary table cannot have a foreign key to a permanent one, but can be its child: of whose parent a
// text must speak itself.
constexpr catalog_keys keyed[] = {
    {"pg_attrdef", {"adrelid"}, {"oid"}, ""},
    {"pg_attribute", {"attrelid"}, {}, ""},
    {"pg_class", {"oid"}, {}, "relname"},
    {"pg_constraint", {"conrelid", "conindid", "contypid", "confrelid"}, {"oid"}, ""},
    {"pg_depend", {}, {"objid"}, ""},
    {"pg_description", {}, {"objoid"}, ""},
    {"pg_index", {"indrelid", "indexrelid"}, {}, ""},
    {"pg_inherits", {"inhrelid", "inhparent"}, {}, ""},
    {"pg_partitioned_table", {"partrelid"}, {}, ""},
    {"pg_policy", {"polrelid"}, {"oid"}, ""},
    {"pg_proc", {"oid"}, {}, "proname"},
    {"pg_rewrite", {"ev_class"}, {"oid"}, ""},
    {"pg_seclabel", {}, {"objoid"}, ""},
    {"pg_sequence", {"seqrelid"}, {}, ""},
    {"pg_statistic_ext", {"stxrelid"}, {"oid"}, ""},
    {"pg_trigger", {"tgrelid"}, {"oid", "tgparentid"}, ""},
    {"pg_type", {"oid", "typrelid"}, {}, "typname"},
};

constexpr std::string_view never_temporary[] = {
    "pg_aggregate",
    "pg_am",
    "pg_amop",
    "pg_amproc",
    "pg_auth_members",
    "pg_authid",
    "pg_cast",
    "pg_collation",
    "pg_conversion",
    "pg_database",
    "pg_db_role_setting",
    "pg_default_acl",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_language",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_publication",
    "pg_publication_namespace",
    "pg_publication_rel",
    "pg_range",
    "pg_roles",
    "pg_subscription",
    "pg_tablespace",
    "pg_ts_config",
    "pg_ts_config_map",
    "pg_ts_dict",
    "pg_ts_parser",
    "pg_ts_template",
    "pg_user",
    "pg_user_mapping",
};

// What makes rows of a value: as bound as that is.
constexpr std::string_view unfolding[] = {"aclexplode", "pg_get_publication_tables", "pg_options_to_table",
                                          "pg_partition_ancestors", "unnest"};

struct item {
  std::string_view alias = {};
  std::string_view relation = {};  // or function; empty: a subquery
  const catalog_keys* keys = nullptr;
  bool is_bound = false;
  bool is_harmless = false;  // not bound, but nothing asks what its values mean
};

struct column {
  std::string_view table;  // empty: not said
  std::string_view name;
};

// A condition that holds of every row in items [from, to).
struct condition {
  const json::value* tree;
  std::size_t from;
  std::size_t to;
};

struct scope {
  const scope* outer = nullptr;
  std::vector<item> items = {};
  std::vector<condition> conditions = {};
};

std::optional<column> column_of(const json::value& tree) {
  const auto* node = as_node(tree, "ColumnRef");
  const auto name = node == nullptr ? std::nullopt : name_field(*node, "fields");
  if (!name || !name->catalog.empty()) return std::nullopt;
  return column{name->schema, name->name};
}

bool is_object_key(const catalog_keys& keys, std::string_view column) {
  return std::ranges::find(keys.objects, column) != keys.objects.end();
}

bool is_key(const catalog_keys& keys, std::string_view column) {
  return is_object_key(keys, column) || std::ranges::find(keys.parts, column) != keys.parts.end();
}

const json::value& without_collation(const json::value& tree) {
  const auto* collated = as_node(tree, "CollateClause");
  const auto* inner = collated == nullptr ? nullptr : collated->if_contains("arg");
  return inner == nullptr ? tree : *inner;
}

std::string_view text_of(const json::value& tree) {
  const auto* constant = as_node(without_collation(tree), "A_Const");
  const auto* text = constant == nullptr ? nullptr : object_field(*constant, "sval");
  return text == nullptr ? std::string_view{} : text_field(*text, "sval");
}

// What every name that matches `pattern` begins with, or nothing.
std::string_view beginning_of(std::string_view pattern) {
  if (!pattern.starts_with('^')) return {};
  pattern.remove_prefix(1);
  if (pattern.starts_with('(')) pattern.remove_prefix(1);
  const auto* end =
      std::ranges::find_if_not(pattern, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  auto length = static_cast<std::size_t>(end - pattern.begin());
  const auto next = pattern.substr(length);
  if (pattern.find('|') != std::string_view::npos) return {};
  // The last character may be there any number of times.
  if (length > 0 && !next.empty() && std::string_view("*?{+").find(next.front()) != std::string_view::npos)
    --length;
  return pattern.substr(0, length);
}

// Whether `tree` speaks of the item of that name.
bool speaks_of(const json::value& tree, std::string_view alias) {
  if (const auto* list = tree.if_array())
    return std::ranges::any_of(*list, [&](const auto& each) { return speaks_of(each, alias); });
  const auto* object = tree.if_object();
  if (object == nullptr) return false;
  if (const auto* node = as_node(tree, "ColumnRef")) {
    const auto name = name_field(*node, "fields");
    return !name || name->name == alias || name->schema == alias;
  }
  return std::ranges::any_of(*object, [&](const auto& field) { return speaks_of(field.value(), alias); });
}

// ... in what is asked for the meaning of a name.
bool asks_of(const json::value& tree, std::string_view alias) {
  if (const auto* list = tree.if_array())
    return std::ranges::any_of(*list, [&](const auto& each) { return asks_of(each, alias); });
  const auto* object = tree.if_object();
  if (object == nullptr) return false;
  const bool asks = (object->contains("FuncCall") || object->contains("TypeCast")) &&
                    worst_question(tree) != name_question::none;
  return (asks && speaks_of(tree, alias)) ||
         std::ranges::any_of(*object, [&](const auto& field) { return asks_of(field.value(), alias); });
}

// `(SELECT pg_partition_ancestors('16400') UNION ALL VALUES ('16400'))`: no row is read.
bool is_constant_query(const json::value& tree) {
  if (const auto* list = tree.if_array()) return std::ranges::all_of(*list, is_constant_query);
  const auto* object = tree.if_object();
  if (object == nullptr) return true;
  return std::ranges::all_of(*object, [](const auto& field) {
    const std::string_view key(field.key().data(), field.key().size());
    if (key == "FuncCall" && field.value().is_object()) {
      const auto name = name_field(field.value().get_object(), "funcname");
      const auto* arguments = list_field(field.value().get_object(), "args");
      return name && name->name == "pg_partition_ancestors" && arguments != nullptr &&
             std::ranges::all_of(*arguments, is_constant);
    }
    const bool varies = key == "ColumnRef" || key == "ParamRef" || key == "SubLink" || key == "RangeVar" ||
                        key == "RangeFunction";
    return !varies && is_constant_query(field.value());
  });
}

std::string_view alias_of(const json::object& node) {
  const auto* alias = object_field(node, "alias");
  return alias == nullptr ? std::string_view{} : text_field(*alias, "aliasname");
}

bool has_column(const item& each, std::string_view name) {
  if (each.relation == "pg_partition_ancestors") return name == "relid";
  // Catalogs' columns have beginnings of their own, but for oid.
  if (each.keys == nullptr) return name == "oid" && each.relation.starts_with("pg_");
  return name == "oid" || is_key(*each.keys, name) || each.keys->name == name;
}

// The item of this query that is meant; without a table's name only where there is but one that can be.
template <class Scope>
auto find(Scope& here, const column& named) -> decltype(here.items.data()) {
  decltype(here.items.data()) found = nullptr;
  for (auto& each : here.items) {
    const bool is_meant = named.table.empty() ? has_column(each, named.name) : each.alias == named.table;
    if (!is_meant) continue;
    if (found != nullptr) return nullptr;
    found = &each;
  }
  return found;
}

bool is_bound(const scope& here, const json::value& value) {
  if (is_constant(value)) return true;
  const auto named = column_of(value);
  if (!named) return false;
  for (const auto* at = &here; at != nullptr; at = at->outer) {
    if (const auto* found = find(*at, *named)) return found->is_bound;
  }
  return false;
}

// FROM, as items and conditions. False: something in it is not followed.
class from_reader {
 public:
  explicit from_reader(scope& here) : here_(here) {}

  bool add(const json::value& value) {
    if (const auto* relation = as_node(value, "RangeVar")) return add_relation(*relation);
    if (const auto* join = as_node(value, "JoinExpr")) return add_join(*join);
    if (const auto* function = as_node(value, "RangeFunction")) return add_function(*function);
    const auto* sub = as_node(value, "RangeSubselect");
    if (sub == nullptr || flag_field(*sub, "lateral")) return false;
    here_.items.push_back({.alias = alias_of(*sub), .is_bound = true});  // the caller looks into it
    return true;
  }

  void add_condition(const json::value& value, std::size_t from, std::size_t to) {
    const auto* both = as_node(value, "BoolExpr");
    const auto* parts = both == nullptr ? nullptr : list_field(*both, "args");
    if (parts == nullptr || text_field(*both, "boolop") != "AND_EXPR") {
      here_.conditions.push_back({&value, from, to});
      return;
    }
    for (const auto& part : *parts)
      add_condition(part, from, to);
  }

 private:
  bool add_relation(const json::object& node) {
    const auto name = relation_name(node);
    if (!name.catalog.empty() || (!name.schema.empty() && name.schema != "pg_catalog")) return false;
    const auto alias = alias_of(node);
    item added{.alias = alias.empty() ? name.name : alias, .relation = name.name};
    const auto* keys = std::ranges::find(keyed, name.name, &catalog_keys::relation);
    if (keys != std::end(keyed)) {
      added.keys = keys;
    } else if (std::ranges::find(never_temporary, name.name) == std::end(never_temporary)) {
      return false;
    }
    added.is_bound = added.keys == nullptr;
    here_.items.push_back(added);
    return true;
  }

  bool add_join(const json::object& join) {
    const auto* left = join.if_contains("larg");
    const auto* right = join.if_contains("rarg");
    if (left == nullptr || right == nullptr || flag_field(join, "isNatural")) return false;
    const auto begin = here_.items.size();
    if (!add(*left)) return false;
    const auto middle = here_.items.size();
    if (!add(*right)) return false;
    const auto end = here_.items.size();
    const auto* quals = join.if_contains("quals");
    if (quals == nullptr) return true;
    const auto type = text_field(join, "jointype");
    if (type == "JOIN_INNER") add_condition(*quals, begin, end);
    if (type == "JOIN_LEFT") add_condition(*quals, middle, end);
    if (type == "JOIN_RIGHT") add_condition(*quals, begin, middle);
    return true;
  }

  bool add_function(const json::object& node) {
    const auto* functions = list_field(node, "functions");
    if (functions == nullptr || functions->size() != 1) return false;
    const auto* list = as_node(functions->front(), "List");
    const auto* items = list == nullptr ? nullptr : list_field(*list, "items");
    const auto* call = items == nullptr || items->empty() ? nullptr : as_node(items->front(), "FuncCall");
    const auto name = call == nullptr ? std::nullopt : name_field(*call, "funcname");
    const auto* arguments = call == nullptr ? nullptr : list_field(*call, "args");
    if (!name || arguments == nullptr) return false;
    const auto alias = alias_of(node);
    item added{.alias = alias.empty() ? name->name : alias, .relation = name->name};
    added.is_bound =
        std::ranges::find(unfolding, name->name) != std::end(unfolding) &&
        std::ranges::all_of(*arguments, [](const auto& each) { return column_of(each).has_value(); });
    added.is_bound |= name->name == "pg_partition_ancestors" && std::ranges::all_of(*arguments, is_constant);
    added.is_harmless = name->name == "generate_series";
    here_.items.push_back(added);
    return added.is_bound || added.is_harmless;
  }

  scope& here_;
};

// Binds items by conditions until no more can be.
class binder {
 public:
  binder(scope& here, const name_suspicion& is_suspected) : here_(here), is_suspected_(is_suspected) {}

  void run() {
    for (bool has_changed = true; has_changed;) {
      has_changed = false;
      for (const auto& each : here_.conditions)
        has_changed |= use(each);
    }
  }

 private:
  bool use(const condition& each) {
    if (const auto* in = as_node(*each.tree, "SubLink")) return use_query(each, *in);
    const auto* test = as_node(*each.tree, "A_Expr");
    const auto operation = test == nullptr ? std::nullopt : name_field(*test, "name");
    const auto* left = test == nullptr ? nullptr : test->if_contains("lexpr");
    const auto* right = test == nullptr ? nullptr : test->if_contains("rexpr");
    if (!operation || left == nullptr || right == nullptr) return false;
    const auto kind = text_field(*test, "kind");
    if (operation->name == "~" && kind == "AEXPR_OP") return use_pattern(each, *left, *right);
    if (operation->name != "=" || (kind != "AEXPR_OP" && kind != "AEXPR_IN")) return false;
    return use_equality(each, *left, *right) || (kind == "AEXPR_OP" && use_equality(each, *right, *left));
  }

  bool use_equality(const condition& each, const json::value& key, const json::value& to) {
    auto* found = unbound(each, key);
    if (found == nullptr || !is_bound(here_, to)) return false;
    const auto& keys = *found->keys;
    const auto name = column_of(key)->name;
    if (!is_constant(to)) return bind(*found, is_key(keys, name) && name != "inhparent");
    return bind(*found, is_object_key(keys, name) || (keys.name == name && !name.empty()) ||
                            (is_key(keys, name) && is_part_of_relation(*found)));
  }

  // `confrelid IN (SELECT ... UNION ALL VALUES ...)`
  bool use_query(const condition& each, const json::object& in) {
    const auto* key = in.if_contains("testexpr");
    const auto* query = in.if_contains("subselect");
    if (key == nullptr || query == nullptr || text_field(in, "subLinkType") != "ANY_SUBLINK") return false;
    if (in.contains("operName") || !is_constant_query(*query)) return false;
    auto* found = unbound(each, *key);
    return found != nullptr && bind(*found, is_object_key(*found->keys, column_of(*key)->name));
  }

  bool use_pattern(const condition& each, const json::value& key, const json::value& pattern) {
    const auto beginning = beginning_of(text_of(pattern));
    auto* found = unbound(each, key);
    if (found == nullptr || beginning.empty() || is_suspected_(beginning)) return false;
    return bind(*found, found->keys->name == column_of(key)->name);
  }

  static bool bind(item& found, bool is_now) {
    found.is_bound = is_now;
    return is_now;
  }

  // The item whose column `key` is, where the condition holds for it and something is to be gained.
  item* unbound(const condition& each, const json::value& key) {
    const auto named = column_of(key);
    auto* found = named ? find(here_, *named) : nullptr;
    if (found == nullptr || found->is_bound || found->keys == nullptr) return nullptr;
    const auto at = static_cast<std::size_t>(found - here_.items.data());
    return at >= each.from && at < each.to ? found : nullptr;
  }

  // `classid = 'pg_class'::regclass`
  bool is_part_of_relation(const item& found) const {
    return std::ranges::any_of(here_.conditions, [&](const condition& each) {
      const auto* test = as_node(*each.tree, "A_Expr");
      const auto* left = test == nullptr ? nullptr : test->if_contains("lexpr");
      const auto* right = test == nullptr ? nullptr : test->if_contains("rexpr");
      if (left == nullptr || right == nullptr || text_field(*test, "kind") != "AEXPR_OP") return false;
      const auto named = column_of(*left);
      const auto* cast = as_node(*right, "TypeCast");
      const auto* value = cast == nullptr ? nullptr : cast->if_contains("arg");
      const auto operation = name_field(*test, "name");
      if (!named || value == nullptr || !operation || operation->name != "=") return false;
      const auto of = text_of(*value);
      return (named->name == "classid" || named->name == "classoid") &&
             (named->table == found.alias || (named->table.empty() && here_.items.size() == 1)) &&
             (of == "pg_class" || of == "pg_catalog.pg_class");
    });
  }

  scope& here_;
  const name_suspicion& is_suspected_;
};

class reader {
 public:
  explicit reader(const name_suspicion& is_suspected) : is_suspected_(is_suspected) {}

  bool tree(const json::value& value, const scope* outer) {
    if (const auto* list = value.if_array())
      return std::ranges::all_of(*list, [&](const auto& each) { return tree(each, outer); });
    const auto* object = value.if_object();
    if (object == nullptr) return true;
    return std::ranges::all_of(*object, [&](const auto& field) {
      if (field.key() == "SelectStmt" && field.value().is_object())
        return select(field.value().get_object(), outer);
      return tree(field.value(), outer);
    });
  }

 private:
  bool select(const json::object& node, const scope* outer) {
    if (node.contains("withClause")) return false;
    if (text_field(node, "op") != "SETOP_NONE") {
      const auto* left = object_field(node, "larg");
      const auto* right = object_field(node, "rarg");
      return left != nullptr && right != nullptr && select(*left, outer) && select(*right, outer);
    }
    scope here{.outer = outer};
    from_reader from(here);
    const auto* items = list_field(node, "fromClause");
    if (items != nullptr && !std::ranges::all_of(*items, [&](const auto& each) { return from.add(each); }))
      return false;
    if (const auto* where = node.if_contains("whereClause")) from.add_condition(*where, 0, here.items.size());
    binder(here, is_suspected_).run();
    const auto is_fine = [&](const item& each) {
      return each.is_bound || (each.is_harmless && std::ranges::none_of(node, [&](const auto& field) {
                                 return asks_of(field.value(), each.alias);
                               }));
    };
    return std::ranges::all_of(here.items, is_fine) &&
           std::ranges::all_of(node, [&](const auto& field) { return tree(field.value(), &here); });
  }

  const name_suspicion& is_suspected_;
};

}  // namespace

bool reads_bound_catalog_rows(const json::value& tree, const name_suspicion& is_suspected) {
  return reader(is_suspected).tree(tree, nullptr);
}

}  // namespace pgsteer::routing
