#include "routing/node_rules.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include "routing/text_hash.hpp"

namespace pgsteer::routing {
namespace {

// Field names, separated by blanks. `location` is a scalar everywhere and not listed. In `walk`, a star
// marks lists in which an absent node has a meaning: plain DISTINCT, a function without column types.
struct node_text {
  std::string_view name;
  node_judge judge;
  std::string_view skip;
  std::string_view walk;
  std::string_view within;  // field:NodeType
  std::string_view judged;
};

using enum node_judge;

// Reviewed against pg_query.proto of libpg_query 15-4.0. What carries no behaviour is skipped; every
// place an expression, a query, a type or a relation can stand is walked.
constexpr node_text query_nodes[] = {
    {"SelectStmt", select, "groupDistinct limitOption op all",
     "distinctClause* targetList fromClause whereClause groupClause havingClause windowClause valuesLists "
     "sortClause limitOffset limitCount",
     "withClause:WithClause larg:SelectStmt rarg:SelectStmt", "intoClause lockingClause"},
    {"WithClause", none, "recursive", "ctes", "", ""},
    {"CommonTableExpr", none,
     "ctename aliascolnames ctematerialized cterecursive cterefcount ctecolnames ctecoltypes ctecoltypmods "
     "ctecolcollations",
     "ctequery", "search_clause:CTESearchClause cycle_clause:CTECycleClause", ""},
    {"CTESearchClause", none, "search_col_list search_breadth_first search_seq_column", "", "", ""},
    {"CTECycleClause", none,
     "cycle_col_list cycle_mark_column cycle_path_column cycle_mark_type cycle_mark_typmod "
     "cycle_mark_collation cycle_mark_neop",
     "cycle_mark_value cycle_mark_default", "", ""},
    {"ResTarget", none, "name", "indirection val", "", ""},
    {"RangeVar", range_var, "inh", "", "alias:Alias", "catalogname schemaname relname relpersistence"},
    {"Alias", none, "aliasname colnames", "", "", ""},
    {"RangeSubselect", none, "lateral", "subquery", "alias:Alias", ""},
    {"RangeFunction", none, "lateral ordinality is_rowsfrom", "functions coldeflist", "alias:Alias", ""},
    {"RangeTableSample", none, "method", "relation args repeatable", "", ""},
    {"RangeTableFunc", none, "lateral", "docexpr rowexpr namespaces columns", "alias:Alias", ""},
    {"RangeTableFuncCol", none, "colname for_ordinality is_not_null", "colexpr coldefexpr",
     "typeName:TypeName", ""},
    {"ColumnDef", none, "colname is_local", "", "typeName:TypeName collClause:CollateClause", ""},
    {"JoinExpr", join, "jointype isNatural usingClause rtindex", "larg rarg quals",
     "join_using_alias:Alias alias:Alias", ""},
    {"SortBy", sort_by, "sortby_dir sortby_nulls", "node", "", "useOp"},
    {"WindowDef", none, "name refname frameOptions", "partitionClause orderClause startOffset endOffset", "",
     ""},
    {"GroupingSet", none, "kind", "content", "", ""},
    {"List", none, "", "items*", "", ""},
};

constexpr node_text expression_nodes[] = {
    {"A_Const", none, "ival fval boolval sval bsval isnull", "", "", ""},
    {"Integer", none, "ival", "", "", ""},
    {"Float", none, "fval", "", "", ""},
    {"Boolean", none, "boolval", "", "", ""},
    {"String", none, "sval", "", "", ""},
    {"BitString", none, "bsval", "", "", ""},
    {"ParamRef", none, "number", "", "", ""},
    {"ColumnRef", column_ref, "", "", "", "fields"},
    {"A_Star", none, "", "", "", ""},
    {"A_Expr", expression, "kind", "lexpr rexpr", "", "name"},
    {"A_Indices", none, "is_slice", "lidx uidx", "", ""},
    {"A_Indirection", indirection, "", "arg indirection", "", ""},
    {"A_ArrayExpr", none, "", "elements", "", ""},
    {"FuncCall", func_call, "agg_within_group agg_star agg_distinct func_variadic funcformat",
     "args agg_order agg_filter", "over:WindowDef", "funcname"},
    {"NamedArgExpr", none, "name argnumber", "arg", "", ""},
    {"SubLink", sub_link, "subLinkType subLinkId", "testexpr subselect", "", "operName"},
    {"TypeCast", none, "", "arg", "typeName:TypeName", ""},
    {"TypeName", type_name, "typeOid setof pct_type typemod arrayBounds", "typmods", "", "names"},
    {"CollateClause", none, "collname", "arg", "", ""},
    {"BoolExpr", none, "boolop", "args", "", ""},
    {"NullTest", none, "nulltesttype argisrow", "arg", "", ""},
    {"BooleanTest", none, "booltesttype", "arg", "", ""},
    {"CaseExpr", switch_case, "casetype casecollid", "arg args defresult", "", ""},
    {"CaseWhen", none, "", "expr result", "", ""},
    {"CoalesceExpr", none, "coalescetype coalescecollid", "args", "", ""},
    {"MinMaxExpr", none, "minmaxtype minmaxcollid inputcollid op", "args", "", ""},
    {"RowExpr", none, "row_typeid row_format colnames", "args", "", ""},
    {"SQLValueFunction", none, "op type typmod", "", "", ""},
    {"GroupingFunc", none, "refs cols agglevelsup", "args", "", ""},
    {"XmlExpr", none, "op name arg_names xmloption type typmod", "named_args args", "", ""},
    {"XmlSerialize", none, "xmloption", "expr", "typeName:TypeName", ""},
    {"SetToDefault", none, "typeId typeMod collation", "", "", ""},
};

// Never reads: known so that what they call is seen, for what it may leave in the session.
constexpr node_text modifying_nodes[] = {
    {"InsertStmt", modify, "override", "cols selectStmt returningList",
     "relation:RangeVar withClause:WithClause onConflictClause:OnConflictClause", ""},
    {"UpdateStmt", modify, "", "targetList whereClause fromClause returningList",
     "relation:RangeVar withClause:WithClause", ""},
    {"DeleteStmt", modify, "", "usingClause whereClause returningList",
     "relation:RangeVar withClause:WithClause", ""},
    {"MergeStmt", modify, "", "sourceRelation joinCondition mergeWhenClauses",
     "relation:RangeVar withClause:WithClause", ""},
    {"MergeWhenClause", none, "matched commandType override", "condition targetList values", "", ""},
    {"OnConflictClause", none, "action", "targetList whereClause", "infer:InferClause", ""},
    {"InferClause", none, "conname", "indexElems whereClause", "", ""},
    {"IndexElem", none, "name indexcolname collation opclass ordering nulls_ordering", "expr opclassopts", "",
     ""},
    {"MultiAssignRef", none, "colno ncolumns", "source", "", ""},
    {"CurrentOfExpr", none, "cvarno cursor_name cursor_param", "", "", ""},
};

using rule_index = boost::unordered_flat_map<std::string_view, node_rule, name_hash>;

template <typename Visit>
void each_word(std::string_view words, Visit visit) {
  while (!words.empty()) {
    const auto end = words.find(' ');
    visit(words.substr(0, end));
    words = end == std::string_view::npos ? std::string_view{} : words.substr(end + 1);
  }
}

void add_rule(rule_index& index, const node_text& text) {
  node_rule rule{text.name, text.judge, text.within.find("withClause:") != std::string_view::npos, {}};
  const auto add = [&](std::string_view words, field_action action) {
    each_word(words, [&](std::string_view word) {
      if (word.ends_with('*')) {
        rule.fields.push_back({word.substr(0, word.size() - 1), field_action::walk_some, nullptr});
      } else {
        rule.fields.push_back({word.substr(0, word.find(':')), action, nullptr});
      }
    });
  };
  add(text.walk, field_action::walk);
  add(text.within, field_action::within);
  add(text.judged, field_action::judged);
  add(text.skip, field_action::skip);
  rule.fields.push_back({"location", field_action::skip, nullptr});
  index.emplace(text.name, std::move(rule));
}

void resolve_within(rule_index& index, const node_text& text) {
  each_word(text.within, [&](std::string_view word) {
    const auto colon = word.find(':');
    for (auto& field : index.at(text.name).fields) {
      if (field.name == word.substr(0, colon)) field.inner = &index.at(word.substr(colon + 1));
    }
  });
}

rule_index build_rules() {
  rule_index index;
  for (const auto& text : query_nodes)
    add_rule(index, text);
  for (const auto& text : expression_nodes)
    add_rule(index, text);
  for (const auto& text : modifying_nodes)
    add_rule(index, text);
  for (const auto& text : query_nodes)
    resolve_within(index, text);
  for (const auto& text : expression_nodes)
    resolve_within(index, text);
  for (const auto& text : modifying_nodes)
    resolve_within(index, text);
  return index;
}

}  // namespace

const node_rule::field* node_rule::find(std::string_view field_name) const {
  if (field_name.empty()) return nullptr;
  for (const auto& each : fields) {
    // Asked of every field of every node: few come as far as the comparison.
    if (each.name.size() == field_name.size() && each.name.front() == field_name.front() &&
        each.name.back() == field_name.back() && each.name == field_name)
      return &each;
  }
  return nullptr;
}

const node_rule* find_node_rule(std::string_view name) {
  static const rule_index rules = build_rules();
  const auto found = rules.find(name);
  return found == rules.end() ? nullptr : &found->second;
}

}  // namespace pgsteer::routing
