#include "routing/catalog_rows.hpp"

#include <gtest/gtest.h>

#include "routing/sql_parser.hpp"

namespace pgsteer::routing {
namespace {

bool is_bound(std::string_view sql) {
  sql_parser parser;
  EXPECT_EQ(parser.parse(sql), parse_failure::none) << sql;
  return reads_bound_catalog_rows(parser.tree(),
                                  [](std::string_view name) { return name.starts_with("mine"); });
}

TEST(catalog_rows, are_bound_by_an_object_that_the_text_names) {
  for (
      const auto* sql :
      {"SELECT oid::regclass FROM pg_class WHERE oid = '16400'",
       "SELECT c.oid::regclass FROM pg_catalog.pg_class c WHERE c.oid = 16400 AND c.relkind <> 'i'",
       "SELECT pg_table_is_visible(c.oid) FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace"
       " WHERE c.relname OPERATOR(pg_catalog.~) '^(orders)$' COLLATE pg_catalog.default",
       "SELECT 1 FROM pg_class c WHERE c.relname IN ('a', 'b')",
       "SELECT 1 FROM pg_class c WHERE 'a' = c.relname",
       "SELECT (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid"
       " AND d.adnum = a.attnum) FROM pg_attribute a WHERE a.attrelid = '16400' AND a.attnum > 0",
       "SELECT c2.relname FROM pg_class c, pg_class c2, pg_index i LEFT JOIN pg_constraint con ON (conrelid ="
       " i.indrelid AND conindid = i.indexrelid) WHERE c.oid = '1' AND c.oid = i.indrelid AND i.indexrelid = "
       "c2.oid",
       "SELECT c.oid::regclass FROM pg_class c, pg_inherits i WHERE c.oid = i.inhparent AND i.inhrelid = '1'",
       "SELECT c.oid::regclass FROM pg_class c, pg_inherits i WHERE c.oid = i.inhrelid AND i.inhparent = '1'",
       "SELECT 1 FROM pg_constraint WHERE conrelid = 'a'::regclass",
       "SELECT 1 FROM pg_constraint c WHERE confrelid IN (SELECT pg_partition_ancestors('1') UNION ALL "
       "VALUES ('1'))",
       "SELECT 1 FROM pg_constraint, pg_partition_ancestors('1') WHERE conrelid = relid",
       "SELECT x FROM pg_class c, unnest(c.reloptions) x WHERE c.oid = 1",
       "SELECT string_agg(attname, ', ') FROM generate_series(0, 3) s, pg_attribute WHERE attrelid = 1 AND"
       " attnum = (ARRAY[1, 2])[s]",
       "SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = '1'",
       "SELECT 1 FROM pg_proc p WHERE p.proname ~ '^(f.*)$'",
       "SELECT nspname FROM pg_namespace",
       "SELECT 1 FROM (SELECT oid FROM pg_class WHERE oid = 1) AS s",
       "SELECT 1 FROM pg_class WHERE oid = 1 UNION SELECT 1 FROM pg_type WHERE typname = 'a'",
       "SELECT 'a'::regclass"})
    EXPECT_TRUE(is_bound(sql)) << sql;
}

TEST(catalog_rows, are_not_bound_by_less) {
  for (const auto* sql : {"SELECT oid::regclass FROM pg_class",
                          "SELECT 1 FROM pg_class WHERE oid = '1' OR relkind = 'r'",
                          "SELECT 1 FROM pg_class WHERE oid <> '1'",
                          "SELECT 1 FROM pg_class WHERE NOT oid = '1'",
                          "SELECT 1 FROM pg_class WHERE oid > '1'",
                          "SELECT 1 FROM pg_class WHERE oid = $1",
                          "SELECT 1 FROM pg_class WHERE relkind = 'r'",
                          "SELECT 1 FROM pg_class WHERE relname ~ 'orders'",
                          "SELECT 1 FROM pg_class WHERE relname ~ '^(orders|mine)$'",
                          "SELECT 1 FROM pg_class WHERE relname ~ '^(mine)$'",
                          "SELECT 1 FROM pg_class WHERE relname ~ '^(.*)$'",
                          "SELECT 1 FROM pg_class WHERE relname ~ '^(a?.*)$'",
                          "SELECT 1 FROM pg_class WHERE relname !~ '^(orders)$'",
                          "SELECT 1 FROM pg_class c LEFT JOIN pg_index i ON c.oid = 1 AND i.indrelid = c.oid",
                          "SELECT 1 FROM pg_index i RIGHT JOIN pg_class c ON i.indrelid = 1",
                          "SELECT 1 FROM pg_class c FULL JOIN pg_index i ON c.oid = 1 AND i.indrelid = 1",
                          "SELECT 1 FROM pg_class c, pg_class d WHERE c.oid = 1",
                          "SELECT 1 FROM pg_class c, pg_class d WHERE oid = 1",
                          "SELECT 1 FROM pg_class c, pg_inherits i WHERE c.oid = 1 AND i.inhparent = c.oid",
                          "SELECT 1 FROM pg_depend d WHERE d.refobjid = '1'",
                          "SELECT 1 FROM pg_depend d WHERE d.objid = '1'",
                          "SELECT 1 FROM pg_trigger t WHERE t.oid = '1'",
                          "SELECT 1 FROM t WHERE oid = 1",
                          "SELECT 1 FROM s.pg_class WHERE oid = 1",
                          "SELECT g::regclass FROM generate_series(1, 99) g",
                          "SELECT g.g::regclass FROM generate_series(1, 99) g",
                          "SELECT generate_series::regclass FROM generate_series(1, 99)",
                          "SELECT 1 FROM pg_class c, generate_series(1, 99) g WHERE c.oid = g",
                          "SELECT 1 FROM unnest(ARRAY[1]) x",
                          "WITH x AS (SELECT 1) SELECT 1 FROM x",
                          "SELECT 1 FROM pg_class c, LATERAL (SELECT 1) x WHERE c.oid = 1",
                          "SELECT (SELECT 1 FROM pg_class LIMIT 1) FROM pg_type WHERE oid = 1",
                          "SELECT 1 FROM pg_constraint WHERE confrelid IN (SELECT oid FROM pg_class)",
                          "SELECT 1 FROM pg_class NATURAL JOIN pg_index WHERE oid = 1"})
    EXPECT_FALSE(is_bound(sql)) << sql;
}

}  // namespace
}  // namespace pgsteer::routing
