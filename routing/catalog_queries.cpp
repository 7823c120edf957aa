#include "routing/catalog_queries.hpp"

namespace pgsteer::routing {
namespace {

constexpr const char* schemas = R"(
SELECT n.oid, n.nspname, pg_catalog.pg_get_userbyid(n.nspowner),
       EXISTS (SELECT 1
                 FROM pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
                WHERE a.grantee = 0 AND a.privilege_type = 'USAGE')
  FROM pg_catalog.pg_namespace n)";

// Without the row types of tables and arrays of them: relations stand for those.
constexpr const char* types = R"(
SELECT t.oid, t.typnamespace, t.typname, t.typtype,
       CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END,
       CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END,
       CASE WHEN t.typtype = 'c' THEN t.typrelid ELSE 0 END,
       pg_catalog.array_to_string(ARRAY(
         SELECT f FROM pg_catalog.unnest(ARRAY[t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin,
                                               t.typmodout, r.rngcanonical, r.rngsubdiff, m.rngcanonical]::oid[]
                                         || ARRAY(SELECT p.amproc::oid
                                                    FROM pg_catalog.pg_opclass o
                                                    JOIN pg_catalog.pg_amproc p ON p.amprocfamily = o.opcfamily
                                                   WHERE o.oid IN (r.rngsubopc, m.rngsubopc))) f
          WHERE f >= 16384), ' '),
       coalesce(r.rngsubtype, m.rngsubtype, 0)
  FROM pg_catalog.pg_type t
  LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
  LEFT JOIN pg_catalog.pg_class ec ON ec.oid = e.typrelid
  LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
  LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = t.oid
 WHERE (t.typtype <> 'c' OR c.relkind = 'c')
   AND (ec.oid IS NULL OR ec.relkind = 'c'))";

constexpr const char* functions = R"(
SELECT p.oid, p.pronamespace, p.proname, p.proargtypes, p.pronargdefaults, p.provariadic <> 0,
       p.provolatile, p.prokind, l.lanname, p.proretset,
       p.prorettype = 'pg_catalog.void'::pg_catalog.regtype
         OR coalesce(p.proargmodes && ARRAY['o','b','t']::"char"[], false),
       CASE WHEN p.oid >= 16384 THEN e.extname END,
       CASE WHEN p.prosecdef THEN pg_catalog.pg_get_userbyid(p.proowner) END,
       pg_catalog.array_to_string(p.proconfig, E'\n'),
       CASE WHEN p.oid >= 12000 AND l.lanname IN ('sql', 'plpgsql')
             AND p.prosqlbody IS NULL AND pg_catalog.length(p.prosrc) <= 30000 THEN p.prosrc
            WHEN p.oid >= 16384 AND l.lanname = 'internal' AND p.prokind = 'f'
            THEN (SELECT pg_catalog.string_agg(DISTINCT b.proname::pg_catalog.text, ' ')
                    FROM pg_catalog.pg_proc b
                   WHERE b.prolang = p.prolang AND b.prosrc = p.prosrc AND b.oid < 12000) END,
       CASE WHEN p.oid >= 12000 THEN p.prosqlbody END,
       CASE WHEN p.oid >= 12000 AND l.lanname IN ('sql', 'plpgsql')
            THEN pg_catalog.array_to_json(p.proargnames) END,
       CASE WHEN p.oid >= 12000 THEN pg_catalog.array_to_string(ARRAY(
         SELECT DISTINCT t FROM pg_catalog.unnest(p.proallargtypes || p.proargtypes::oid[] || p.prorettype) t
          WHERE t >= 16384), ' ') END,
       p.proargmodes IS NOT NULL AND pg_catalog.array_to_string(p.proargmodes, '') !~ '^[ibv]*[ot]*$',
       CASE WHEN p.oid >= 12000 THEN p.proargdefaults END
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.objsubid = 0
   AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid)";

constexpr const char* aggregates = R"(
SELECT a.aggfnoid::oid,
       pg_catalog.array_to_string(ARRAY(
         SELECT f FROM pg_catalog.unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
                                               a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn,
                                               a.aggmfinalfn]::oid[]) f
          WHERE f <> 0), ' ')
  FROM pg_catalog.pg_aggregate a
 WHERE a.aggfnoid::oid >= 16384)";

constexpr const char* operators = R"(
SELECT o.oid, o.oprnamespace, o.oprname, o.oprcode::oid
  FROM pg_catalog.pg_operator o
 WHERE o.oprcode <> 0 AND (o.oid >= 16384 OR o.oprcode::oid >= 16384))";

constexpr const char* casts = R"(
SELECT c.castsource, c.casttarget, c.castfunc, c.castcontext = 'i', c.oid >= 16384
  FROM pg_catalog.pg_cast c
 WHERE c.castcontext = 'i' OR c.oid >= 16384)";

constexpr const char* relations = R"(
SELECT c.oid, c.relnamespace, c.relname, c.relkind, c.relpersistence, c.reltype, a.types
  FROM pg_catalog.pg_class c
  LEFT JOIN (SELECT a.attrelid,
                    pg_catalog.string_agg(DISTINCT a.atttypid::pg_catalog.text, ' ') AS types
               FROM pg_catalog.pg_attribute a
              WHERE a.atttypid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
              GROUP BY a.attrelid) a ON a.attrelid = c.oid
 WHERE c.relkind IN ('r', 'v', 'm', 'S', 'f', 'p', 'c'))";

constexpr const char* children = R"(
SELECT i.inhparent, i.inhrelid
  FROM pg_catalog.pg_inherits i
  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
 WHERE c.relkind IN ('r', 'f', 'p'))";

constexpr const char* views = R"(
SELECT r.ev_class, r.ev_action
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
 WHERE r.ev_type = '1' AND c.relkind <> 'm' AND r.ev_class >= 16384)";

constexpr const char* policies = R"(
SELECT p.polrelid, p.polqual
  FROM pg_catalog.pg_policy p
 WHERE p.polqual IS NOT NULL AND p.polcmd IN ('r', '*'))";

constexpr const char* checks = R"(
SELECT c.contypid, c.conbin
  FROM pg_catalog.pg_constraint c
 WHERE c.contypid <> 0 AND c.conbin IS NOT NULL AND c.contypid >= 16384)";

// What ORDER BY, DISTINCT, GROUP BY and joins call without naming it.
constexpr const char* type_functions = R"(
SELECT DISTINCT p.amproclefttype, p.amproc::oid
  FROM pg_catalog.pg_amproc p
 WHERE p.amproc::oid >= 16384 AND p.amproclefttype >= 16384)";

constexpr const char* type_operators = R"(
SELECT DISTINCT o.amoplefttype, o.amopopr
  FROM pg_catalog.pg_amop o
 WHERE o.amopopr >= 16384 AND o.amoplefttype >= 16384)";

constexpr const char* paths = R"(
SELECT coalesce(a.rolname, ''), s.setdatabase <> 0, pg_catalog.substr(c, 13)
  FROM pg_catalog.pg_db_role_setting s
  LEFT JOIN pg_catalog.pg_roles a ON a.oid = s.setrole
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c
 WHERE c LIKE 'search_path=%' AND (s.setrole = 0 OR a.oid IS NOT NULL)
   AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d
                              WHERE d.datname = pg_catalog.current_database()))
UNION ALL
SELECT '', false, s.reset_val
  FROM pg_catalog.pg_settings s
 WHERE s.name = 'search_path'
   AND NOT EXISTS (SELECT 1
                     FROM pg_catalog.pg_db_role_setting r
                     JOIN pg_catalog.pg_roles a ON a.oid = r.setrole
                    CROSS JOIN LATERAL pg_catalog.unnest(r.setconfig) c
                    WHERE a.rolname = current_user AND c LIKE 'search_path=%'))";

constexpr const char* superusers = R"(
SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.rolsuper)";

// Relations whose defaults, checks, policies, triggers or rules ask for a sequence's value in this session
// (currval() and lastval(), 1575 and 2559 in a stored tree) or for settings by name (current_setting(), 2077
// and 3294).
constexpr const char* askers = R"(
SELECT a.relation, pg_catalog.bool_or(a.tree ~ ':funcid (1575|2559) ' OR a.source ~* '(curr|last)val'),
       pg_catalog.bool_or(a.tree ~ ':funcid (2077|3294) ' OR a.source ~* 'current_setting')
  FROM (SELECT d.adrelid AS relation, d.adbin::pg_catalog.text AS tree, '' AS source FROM pg_catalog.pg_attrdef d
        UNION ALL
        SELECT p.polrelid, pg_catalog.concat(p.polqual::pg_catalog.text, p.polwithcheck::pg_catalog.text), ''
          FROM pg_catalog.pg_policy p
        UNION ALL
        SELECT c.conrelid, c.conbin::pg_catalog.text, '' FROM pg_catalog.pg_constraint c WHERE c.contype = 'c'
        UNION ALL
        SELECT r.ev_class, r.ev_action::pg_catalog.text, '' FROM pg_catalog.pg_rewrite r WHERE r.ev_type <> '1'
        UNION ALL
        SELECT t.tgrelid, '', p.prosrc
          FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
         WHERE NOT t.tgisinternal) a
 WHERE a.tree ~ ':funcid (1575|2559|2077|3294) ' OR a.source ~* '(currval|lastval|current_setting)'
 GROUP BY a.relation)";

// Names that a column of type xid (28), or of one that passes for it, may have; xmin and xmax every table
// has.
constexpr const char* transaction_ids = R"(
WITH direct AS (SELECT 28::pg_catalog.oid AS type
                UNION
                SELECT c.castsource FROM pg_catalog.pg_cast c WHERE c.casttarget = 28 AND c.castcontext = 'i'),
     types AS (SELECT type FROM direct
               UNION
               SELECT t.oid FROM pg_catalog.pg_type t
                WHERE t.typtype = 'd'
                  AND (t.typbasetype IN (SELECT type FROM direct)
                       OR t.typbasetype IN (SELECT d.oid FROM pg_catalog.pg_type d WHERE d.typtype = 'd')))
SELECT 'xmin' UNION SELECT 'xmax'
 UNION SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attnum > 0 AND a.atttypid IN (SELECT type FROM types)
 UNION SELECT p.proname FROM pg_catalog.pg_proc p WHERE p.prorettype IN (SELECT type FROM types)
 UNION SELECT n.name
         FROM pg_catalog.pg_proc p, ROWS FROM (pg_catalog.unnest(p.proallargtypes), pg_catalog.unnest(p.proargnames)) AS n(type, name)
        WHERE p.proallargtypes IS NOT NULL AND n.name IS NOT NULL AND n.type IN (SELECT type FROM types))";
// What runs when a relation is written to, as far as it can leave something in the session: its triggers'
// functions, relations that its foreign keys change too, and the trees of defaults, checks, policies and
// rules that call a function of the database's own, set_config() (2078), setseed() (1599) or an advisory
// lock.
constexpr const char* writes = R"(
SELECT t.tgrelid, t.tgfoid::oid, 0, NULL
  FROM pg_catalog.pg_trigger t
 WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
UNION ALL
SELECT c.confrelid, 0, c.conrelid, NULL
  FROM pg_catalog.pg_constraint c
 WHERE c.contype = 'f' AND (c.confdeltype IN ('c', 'n', 'd') OR c.confupdtype IN ('c', 'n', 'd'))
UNION ALL
SELECT a.relation, 0, 0, a.tree
  FROM (SELECT d.adrelid AS relation, d.adbin::pg_catalog.text AS tree FROM pg_catalog.pg_attrdef d
        UNION ALL
        SELECT p.polrelid, pg_catalog.concat(p.polqual::pg_catalog.text, p.polwithcheck::pg_catalog.text)
          FROM pg_catalog.pg_policy p
        UNION ALL
        SELECT c.conrelid, c.conbin::pg_catalog.text FROM pg_catalog.pg_constraint c WHERE c.contype = 'c') a
 WHERE a.tree ~ 'funcid ([1-9][0-9]{4,}|1599|2078|288[0-36-9]) '
UNION ALL
SELECT r.ev_class, 0, 0, r.ev_action::pg_catalog.text
  FROM pg_catalog.pg_rewrite r
 WHERE r.ev_type <> '1' AND r.ev_class >= 16384)";

constexpr catalog_query_text queries[] = {
    {catalog_query::schemas, schemas},
    {catalog_query::types, types},
    {catalog_query::functions, functions},
    {catalog_query::aggregates, aggregates},
    {catalog_query::operators, operators},
    {catalog_query::casts, casts},
    {catalog_query::relations, relations},
    {catalog_query::children, children},
    {catalog_query::views, views},
    {catalog_query::policies, policies},
    {catalog_query::checks, checks},
    {catalog_query::type_functions, type_functions},
    {catalog_query::type_operators, type_operators},
    {catalog_query::paths, paths},
    {catalog_query::superusers, superusers},
    {catalog_query::askers, askers},
    {catalog_query::transaction_ids, transaction_ids},
    {catalog_query::writes, writes},
};

}  // namespace

std::span<const catalog_query_text> catalog_queries() {
  return queries;
}

}  // namespace pgsteer::routing
