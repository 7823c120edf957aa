#include "routing/temporary_objects.hpp"

#include <fmt/format.h>

namespace pgsteer::routing {
namespace {

// Permanent objects that have the name of a temporary one, or types made of one, can be told by their own
// names and identifiers, unless another object shows them: a view, a foreign key, a parent or a child, a
// sequence of a column.
constexpr std::string_view query = R"(
WITH mine AS (
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS class, oid, relname AS name
    FROM pg_catalog.pg_class WHERE relnamespace OPERATOR(pg_catalog.=) ANY ({0})
  UNION ALL
  SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, typname
    FROM pg_catalog.pg_type WHERE typnamespace OPERATOR(pg_catalog.=) ANY ({0})
  UNION ALL
  SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, proname
    FROM pg_catalog.pg_proc WHERE pronamespace OPERATOR(pg_catalog.=) ANY ({0})
  UNION ALL
  SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, s.oid, stxname
    FROM pg_catalog.pg_statistic_ext AS s JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) stxrelid
   WHERE c.relpersistence OPERATOR(pg_catalog.=) 't' AND stxnamespace OPERATOR(pg_catalog.=) ANY ({0})),
neighbour AS (
  SELECT m.class, o.oid, o.relname AS name
    FROM mine AS m JOIN pg_catalog.pg_class AS o ON o.relname OPERATOR(pg_catalog.=) m.name
   WHERE m.class OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND o.relpersistence OPERATOR(pg_catalog.<>) 't' AND o.relnamespace OPERATOR(pg_catalog.=) ANY ({1})
  UNION
  SELECT m.class, o.oid, o.typname
    FROM mine AS m JOIN pg_catalog.pg_type AS o ON o.typname OPERATOR(pg_catalog.=) m.name
   WHERE m.class OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
     AND o.typnamespace OPERATOR(pg_catalog.<>) ALL ({0}) AND o.typnamespace OPERATOR(pg_catalog.=) ANY ({1})
  UNION
  SELECT d.classid, t.oid, t.typname
    FROM mine AS m JOIN pg_catalog.pg_depend AS d
      ON d.refclassid OPERATOR(pg_catalog.=) m.class AND d.refobjid OPERATOR(pg_catalog.=) m.oid
    JOIN pg_catalog.pg_type AS t
      ON t.oid OPERATOR(pg_catalog.=) d.objid OR t.typelem OPERATOR(pg_catalog.=) d.objid
   WHERE d.deptype OPERATOR(pg_catalog.=) 'n'
     AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
     AND t.typnamespace OPERATOR(pg_catalog.<>) ALL ({0})),
suspect AS (
  SELECT m.name, m.oid, EXISTS (
    SELECT FROM pg_catalog.pg_depend AS d
     WHERE d.refclassid OPERATOR(pg_catalog.=) m.class AND d.refobjid OPERATOR(pg_catalog.=) m.oid
       AND d.deptype OPERATOR(pg_catalog.=) 'n'
       AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_type'::pg_catalog.regclass
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS x
                        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND x.oid OPERATOR(pg_catalog.=) d.objid
                          AND x.relpersistence OPERATOR(pg_catalog.=) 't')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r JOIN pg_catalog.pg_class AS x
                           ON x.oid OPERATOR(pg_catalog.=) r.ev_class
                        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                          AND r.oid OPERATOR(pg_catalog.=) d.objid
                          AND x.relpersistence OPERATOR(pg_catalog.=) 't')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_attrdef AS a JOIN pg_catalog.pg_class AS x
                           ON x.oid OPERATOR(pg_catalog.=) a.adrelid
                        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                          AND a.oid OPERATOR(pg_catalog.=) d.objid
                          AND x.relpersistence OPERATOR(pg_catalog.=) 't')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c JOIN pg_catalog.pg_class AS x
                           ON x.oid OPERATOR(pg_catalog.=) c.conrelid
                        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass
                          AND c.oid OPERATOR(pg_catalog.=) d.objid
                          AND x.relpersistence OPERATOR(pg_catalog.=) 't')) AS is_mixed
    FROM mine AS m
  UNION ALL
  SELECT o.name, o.oid, EXISTS (
    SELECT FROM pg_catalog.pg_depend AS d
      LEFT JOIN pg_catalog.pg_class AS x
        ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
       AND x.oid OPERATOR(pg_catalog.=) d.objid
     WHERE d.refclassid OPERATOR(pg_catalog.=) o.class AND d.refobjid OPERATOR(pg_catalog.=) o.oid
       AND (d.deptype OPERATOR(pg_catalog.=) 'n'
            OR x.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['S', 'r', 'p', 'f']::"char"[])))
    OR EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid OPERATOR(pg_catalog.=) o.oid)
    OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS c
                WHERE c.conrelid OPERATOR(pg_catalog.=) o.oid AND c.contype OPERATOR(pg_catalog.=) 'f')
    FROM neighbour AS o
  UNION ALL
  SELECT parent.relname, parent.oid, false
    FROM mine AS m JOIN pg_catalog.pg_inherits AS i ON i.inhrelid OPERATOR(pg_catalog.=) m.oid
    JOIN pg_catalog.pg_class AS parent ON parent.oid OPERATOR(pg_catalog.=) i.inhparent
   WHERE parent.relpersistence OPERATOR(pg_catalog.<>) 't')
SELECT name::pg_catalog.text AS name, CASE WHEN is_mixed THEN '' ELSE oid::pg_catalog.text END AS id FROM suspect
UNION ALL
SELECT '', ''
 WHERE EXISTS (SELECT FROM pg_catalog.pg_depend
                WHERE refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
                  AND refobjid OPERATOR(pg_catalog.=) ANY ({0})
                  AND classid OPERATOR(pg_catalog.<>) ALL (ARRAY['pg_catalog.pg_class', 'pg_catalog.pg_type',
                        'pg_catalog.pg_proc', 'pg_catalog.pg_statistic_ext']::pg_catalog.regclass[]))
    OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext AS s JOIN pg_catalog.pg_class AS c
                   ON c.oid OPERATOR(pg_catalog.=) stxrelid
                WHERE c.relpersistence OPERATOR(pg_catalog.<>) 't' AND stxnamespace OPERATOR(pg_catalog.=) ANY ({0}))
)";

}  // namespace

std::string temporary_objects_query(std::string_view schemas, std::string_view searched) {
  return fmt::format(fmt::runtime(query), schemas, searched);
}

}  // namespace pgsteer::routing
