SET search_path = api, public;
-- primary | current_setting() of response
WITH pgrst_source AS (SELECT "api"."todos".* FROM "api"."todos" LIMIT NULL OFFSET 0) SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body, nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status, '' AS response_inserted FROM (SELECT * FROM pgrst_source) _postgrest_t;
WITH pgrst_source AS (SELECT "api"."authors"."name", COALESCE("authors_articles_1"."authors_articles_1", '[]') AS "articles" FROM "api"."authors" LEFT JOIN LATERAL (SELECT json_agg("authors_articles_1")::jsonb AS "authors_articles_1" FROM (SELECT "articles_1"."title" FROM "api"."articles" AS "articles_1" WHERE "articles_1"."author_id" = "api"."authors"."id") AS "authors_articles_1") AS "authors_articles_1" ON TRUE), pgrst_source_count AS (SELECT 1 FROM "api"."authors") SELECT (SELECT pg_catalog.count(*) FROM pgrst_source_count) AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body FROM (SELECT * FROM pgrst_source) _postgrest_t;
WITH pgrst_source AS (SELECT "api"."articles".* FROM "api"."articles" WHERE "api"."articles"."published" IS TRUE AND "api"."articles"."title" ilike unknown('%1%') ORDER BY "api"."articles"."id" ASC LIMIT 3 OFFSET 0) SELECT * FROM pgrst_source;
WITH pgrst_source AS (SELECT "api"."articles".* FROM "api"."articles" WHERE "api"."articles"."tsv" @@ to_tsquery('english', 'article') AND "api"."articles"."id" = ANY ('{1,2,3}') ORDER BY "api"."articles"."id" ASC) SELECT pg_catalog.count(*) FROM pgrst_source;
WITH pgrst_source AS (SELECT pgrst_call.* FROM (SELECT '{"q":"Article"}'::json AS json_data) pgrst_payload, LATERAL (SELECT "q" FROM json_to_record(pgrst_payload.json_data) AS _("q" text) LIMIT 1) pgrst_body, LATERAL "api"."search_articles"("q" := pgrst_body."q") pgrst_call) SELECT coalesce(json_agg(t), '[]') FROM (SELECT "search_articles"."id" FROM "pgrst_source" AS "search_articles") t;
WITH pgrst_source AS (SELECT "add_them".* FROM "api"."add_them"("a" := 1, "b" := 2) pgrst_scalar, LATERAL (SELECT pgrst_scalar) "add_them") SELECT * FROM pgrst_source;
SELECT * FROM api.top_authors(n => 3);
SELECT * FROM top_authors();
SELECT "authors".*, "authors"."article_count" FROM "authors";
SELECT article_count(a) FROM authors a;
SELECT a.name, a.article_count FROM authors a WHERE a.article_count > 2;
SELECT "api"."todos"."data" -> 'a' ->> 'b', "api"."todos"."data" #>> '{a,b}' FROM "api"."todos" WHERE "api"."todos"."data" -> 'a' @> '{"b": 1}' AND "api"."todos"."tags" @> '{home}';
SELECT coalesce(json_agg("root"), '[]') AS "root" FROM (SELECT row_to_json((SELECT "_e" FROM (SELECT "_root.base"."id" AS "id", "_root.base"."task" AS "task") AS "_e")) AS "root" FROM (SELECT * FROM "api"."todos" WHERE (("api"."todos"."done") = (('true')::boolean)) LIMIT 10) AS "_root.base") AS "_root";
SELECT coalesce(json_agg("root" ORDER BY "root.pg.name" ASC NULLS LAST), '[]') AS "root" FROM (SELECT row_to_json((SELECT "_1_e" FROM (SELECT "_0_root.base"."name" AS "name", "_or"."articles" AS "articles") AS "_1_e")) AS "root", "_0_root.base"."name" AS "root.pg.name" FROM (SELECT * FROM "api"."authors" WHERE ('true')) AS "_0_root.base" LEFT OUTER JOIN LATERAL (SELECT coalesce(json_agg("articles"), '[]') AS "articles" FROM (SELECT row_to_json((SELECT "_2_e" FROM (SELECT "b"."title" AS "title") AS "_2_e")) AS "articles" FROM (SELECT * FROM "api"."articles" WHERE (("_0_root.base"."id") = ("author_id"))) AS "b") AS "_3") AS "_or" ON ('true')) AS "_4_root";
SELECT json_build_object('articles_aggregate', (SELECT json_build_object('aggregate', json_build_object('count', COUNT(*), 'max', json_build_object('id', MAX("id")))) FROM articles));
WITH "_result" AS (SELECT to_json(__local_0__."id") AS "id", to_json(__local_0__."title") AS "title" FROM "api"."articles" AS __local_0__ WHERE (TRUE) AND (TRUE) ORDER BY __local_0__."id" ASC LIMIT 5) SELECT coalesce(json_agg(to_json(__local_1__)), '[]'::json) AS "data" FROM "_result" AS __local_1__;
SELECT to_json(json_build_array('primary_key_asc', json_build_array(__local_0__."id"))) AS "__cursor", to_json((json_build_object('__identifiers'::text, json_build_array(__local_0__."id"), '@author'::text, (SELECT json_build_object('name'::text, __local_1__."name") FROM api.authors AS __local_1__ WHERE __local_1__.id = __local_0__.author_id)))) AS "@nodes" FROM (SELECT __local_0__.* FROM "api"."articles" AS __local_0__ WHERE (TRUE) LIMIT 10) __local_0__;
SELECT jsonb_agg(j ORDER BY j->>'id') FROM (SELECT jsonb_build_object('id', id, 'n', jsonb_path_exists(data, '$.a')) AS j FROM todos) s;
SELECT * FROM jsonb_to_recordset('[{"id": 1, "x": "y"}]') AS t(id int, x text);
SELECT * FROM json_populate_recordset(null::api.todos, '[{"id": 1, "task": "x", "done": true}]');
SELECT (jsonb_populate_record(null::api.authors, '{"id": 3, "name": "z"}')).name;
SELECT * FROM published_articles ORDER BY id;
SELECT count(*) FROM articles WHERE tsv @@ websearch_to_tsquery('english', 'article or text');
SELECT current_user, session_user, current_role, user;
SELECT id, row_number() OVER () FROM todos ORDER BY id;
SELECT task, done FROM todos WHERE owner = '00000000-0000-0000-0000-000000000000';
SELECT n.nspname AS proc_schema, p.proname AS proc_name, d.description AS proc_description, pg_get_function_arguments(p.oid), p.proretset, p.provolatile, p.provariadic > 0 AS hasvariadic, lower((regexp_split_to_array((regexp_split_to_array(iso_config, '='))[2], ','))[1]) AS iso FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace LEFT JOIN pg_description d ON d.objoid = p.oid LEFT JOIN LATERAL unnest(proconfig) iso_config ON iso_config LIKE 'default_transaction_isolation%' WHERE n.nspname = 'api' AND p.prokind = 'f' ORDER BY 1, 2;
WITH RECURSIVE pks_fks AS (SELECT contype::text AS contype, conname, array_length(conkey, 1) AS ncol, conrelid AS resorigtbl, col AS resorigcol, ord FROM pg_constraint LEFT JOIN LATERAL unnest(conkey) WITH ORDINALITY AS _(col, ord) ON true WHERE contype IN ('p', 'f')), views AS (SELECT c.oid AS view_id, n.nspname AS view_schema, c.relname AS view_name, r.ev_action AS view_definition FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_rewrite r ON r.ev_class = c.oid WHERE c.relkind IN ('v', 'm') AND n.nspname = 'api') SELECT view_name, regexp_replace(replace(view_definition::text, '<>', '()'), ':subselect {', '>:<', 'g') IS NOT NULL FROM views;
SELECT t.typname, t.typarray, coalesce(bt.typname, t.typname), pg_catalog.format_type(t.oid, NULL) FROM pg_type t LEFT JOIN pg_type bt ON bt.oid = t.typbasetype JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'api' AND t.typtype <> 'p';
WITH role_setting AS (SELECT r.rolname, unnest(s.setconfig) AS setting FROM pg_roles r JOIN pg_auth_members m ON m.roleid = r.oid LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid) SELECT rolname, array_agg(setting) FROM role_setting GROUP BY 1;
SELECT schema.nspname AS table_schema, "table".relname AS table_name, coalesce(jsonb_agg(jsonb_build_object('name', "column".attname, 'position', "column".attnum, 'type', coalesce(base_type.typname, "type".typname), 'is_nullable', NOT "column".attnotnull) ORDER BY "column".attnum) FILTER (WHERE "column".attnum > 0), '[]') AS columns, (SELECT jsonb_agg(conname) FROM pg_constraint WHERE conrelid = "table".oid) AS cons FROM pg_catalog.pg_class "table" JOIN pg_namespace schema ON schema.oid = "table".relnamespace LEFT JOIN pg_attribute "column" ON "column".attrelid = "table".oid LEFT JOIN pg_type "type" ON "type".oid = "column".atttypid LEFT JOIN pg_type base_type ON "type".typtype = 'd' AND base_type.oid = "type".typbasetype WHERE "table".relkind IN ('r', 't', 'v', 'm', 'f', 'p') AND schema.nspname NOT LIKE 'pg\_%' AND schema.nspname = 'api' GROUP BY 1, 2, "table".oid;
SELECT pol.polname, pol.polcmd, pg_get_expr(pol.polqual, pol.polrelid), array(SELECT pg_get_userbyid(o) FROM unnest(pol.polroles) o) FROM pg_policy pol;
SELECT * FROM pg_policies WHERE schemaname = 'api';
SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_schema = 'api' AND table_name = 'todos' ORDER BY 1, 2;
SELECT routine_name, data_type FROM information_schema.routines WHERE specific_schema = 'api' ORDER BY 1;
SELECT tc.constraint_name, kcu.column_name, ccu.table_name AS foreign_table_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON tc.constraint_name = kcu.constraint_name JOIN information_schema.constraint_column_usage ccu ON ccu.constraint_name = tc.constraint_name WHERE tc.constraint_type = 'FOREIGN KEY' AND tc.table_schema = 'api';
SELECT * FROM information_schema.view_column_usage WHERE view_schema = 'api' ORDER BY 1, 2, 3, 4, 5;
-- primary | bump
SELECT bump(1);
-- primary | bump
WITH pgrst_source AS (SELECT pgrst_call.pgrst_scalar FROM (SELECT "api"."bump"("n" := 3) pgrst_scalar) pgrst_call) SELECT * FROM pgrst_source;
-- primary | current_setting() of request.jwt
SELECT * FROM profiles;
-- primary | current_setting() of request.jwt
SELECT auth.uid();
-- primary | set_config
SELECT set_config('search_path', 'api', true), set_config('role', 'web_anon', true), set_config('request.jwt.claims', '{}', true);
-- primary | INSERT
WITH pgrst_source AS (INSERT INTO "api"."todos"("task") SELECT "task" FROM json_to_record('{"task":"x"}') AS _("task" text) RETURNING "api"."todos".*) SELECT '' AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total FROM (SELECT * FROM pgrst_source) _postgrest_t;
