SET search_path = rails, public;
SELECT "schema_migrations"."version" FROM "schema_migrations" ORDER BY "schema_migrations"."version" ASC;
SELECT "ar_internal_metadata".* FROM "ar_internal_metadata" WHERE "ar_internal_metadata"."key" = 'environment' ORDER BY "ar_internal_metadata"."key" ASC LIMIT 1;
SELECT "users".* FROM "users" WHERE "users"."deleted_at" IS NULL AND "users"."id" = 1 LIMIT 1;
SELECT "users".* FROM "users" WHERE "users"."email" = 'U1@example.com' LIMIT 1;
SELECT 1 AS one FROM "users" WHERE "users"."email" = 'x@example.com' LIMIT 1;
SELECT 1 AS one FROM "users" WHERE LOWER("users"."email"::text) = LOWER('x') AND "users"."id" != 5 LIMIT 1;
SELECT "users".* FROM "users" ORDER BY "users"."id" ASC LIMIT 1000;
SELECT "users".* FROM "users" WHERE "users"."id" > 1000 ORDER BY "users"."id" ASC LIMIT 1000;
SELECT COUNT(*) FROM "users" WHERE "users"."created_at" BETWEEN '2024-01-01 00:00:00' AND '2024-12-31 23:59:59.999999';
SELECT COUNT(DISTINCT "orders"."user_id") FROM "orders" WHERE "orders"."state" != 'cart';
SELECT COUNT(*) AS "count_all", "orders"."state" AS "orders_state" FROM "orders" GROUP BY "orders"."state";
SELECT SUM("orders"."total") AS "sum_total", DATE_TRUNC('month', "orders"."completed_at"::timestamptz AT TIME ZONE 'Etc/UTC')::date AS "month" FROM "orders" WHERE "orders"."completed_at" IS NOT NULL GROUP BY DATE_TRUNC('month', "orders"."completed_at"::timestamptz AT TIME ZONE 'Etc/UTC')::date;
SELECT (DATE_TRUNC('day', ("orders"."completed_at"::timestamptz - INTERVAL '0 hour') AT TIME ZONE 'Europe/Paris') + INTERVAL '0 hour') AT TIME ZONE 'Europe/Paris', count(*) FROM orders GROUP BY 1;
SELECT "orders"."id" AS t0_r0, "orders"."number" AS t0_r1, "line_items"."id" AS t1_r0, "line_items"."quantity" AS t1_r1 FROM "orders" LEFT OUTER JOIN "line_items" ON "line_items"."order_id" = "orders"."id" WHERE "orders"."state" = 'paid' ORDER BY "orders"."id" ASC;
SELECT "line_items".* FROM "line_items" WHERE "line_items"."order_id" IN (1, 2, 3, 4);
SELECT DISTINCT "orders"."id", "orders"."completed_at" AS alias_0 FROM "orders" INNER JOIN "line_items" ON "line_items"."order_id" = "orders"."id" WHERE "line_items"."quantity" > 1 ORDER BY "orders"."completed_at" DESC LIMIT 25 OFFSET 0;
SELECT "products".* FROM "products" WHERE "products"."deleted_at" IS NULL AND ("products"."available_on" <= '2024-06-01 00:00:00') AND "products"."id" NOT IN (SELECT "line_items"."product_id" FROM "line_items" WHERE "line_items"."quantity" > 3);
SELECT "products".* FROM "products" WHERE (properties->>'color' = 'red') AND (properties @> '{"size": 3}');
SELECT "products".* FROM "products" WHERE ('new' = ANY(tags));
SELECT "products".* FROM "products" WHERE "products"."tags" @> '{new}' AND NOT ("products"."tags" <@ '{old}');
SELECT "products".* FROM "products" WHERE "products"."category_path" <@ 'shop.c1';
SELECT "products".* FROM "products" WHERE "products"."category_path" ~ 'shop.*{1}' ORDER BY nlevel("products"."category_path"), subpath("products"."category_path", 0, 1);
SELECT "products".* FROM "products" WHERE "products"."category_path" ? ARRAY['shop.c1', '*.c2']::lquery[] OR "products"."category_path" @ 'shop & c3';
SELECT "products".*, ((ts_rank((to_tsvector('simple', coalesce("products"."name"::text, ''))), (to_tsquery('simple', ''' ' || 'prod' || ' ''' || ':*')), 0))) AS pg_search_rank FROM "products" WHERE to_tsvector('simple', coalesce("products"."name"::text, '')) @@ to_tsquery('simple', ''' ' || 'prod' || ' ''' || ':*') ORDER BY pg_search_rank DESC, "products"."id" ASC;
SELECT "pg_search_documents".* FROM "pg_search_documents" INNER JOIN (SELECT "pg_search_documents"."id" AS pg_search_id, (ts_rank((to_tsvector('english', coalesce("pg_search_documents"."content"::text, ''))), (to_tsquery('english', ''' ' || 'nice' || ' ''')), 0)) AS rank FROM "pg_search_documents" WHERE ((to_tsvector('english', coalesce("pg_search_documents"."content"::text, ''))) @@ (to_tsquery('english', ''' ' || 'nice' || ' ''')))) AS pg_search_bbaa ON "pg_search_documents"."id" = pg_search_bbaa.pg_search_id ORDER BY pg_search_bbaa.rank DESC, "pg_search_documents"."id" ASC;
SELECT products.*, similarity(name, 'prodct') AS sim FROM products WHERE name % 'prodct 1' ORDER BY sim DESC LIMIT 5;
SELECT "products".* FROM "products" WHERE unaccent(lower(name)) ILIKE unaccent(lower('%prod%'));
SELECT "tags".* FROM "tags" WHERE (LOWER(tags.name) = LOWER('red') OR LOWER(tags.name) = LOWER('blue'));
SELECT "tags".*, taggings.tags_count AS count FROM "tags" JOIN (SELECT taggings.tag_id, COUNT(taggings.tag_id) AS tags_count FROM "taggings" WHERE "taggings"."taggable_type" = 'Product' AND "taggings"."context" = 'tags' GROUP BY "taggings"."tag_id" HAVING (COUNT(taggings.tag_id) > 0)) AS taggings ON taggings.tag_id = tags.id;
SELECT "products".* FROM "products" JOIN "taggings" "product_taggings_abc" ON "product_taggings_abc"."taggable_id" = "products"."id" AND "product_taggings_abc"."taggable_type" = 'Product' AND "product_taggings_abc"."tag_id" = 1;
SELECT "active_storage_attachments".* FROM "active_storage_attachments" WHERE "active_storage_attachments"."record_id" = 1 AND "active_storage_attachments"."record_type" = 'User' AND "active_storage_attachments"."name" = 'avatar' LIMIT 1;
SELECT "active_storage_blobs".* FROM "active_storage_blobs" INNER JOIN "active_storage_attachments" ON "active_storage_blobs"."id" = "active_storage_attachments"."blob_id" WHERE "active_storage_attachments"."record_id" = 3;
SELECT SUM("active_storage_blobs"."byte_size") FROM "active_storage_blobs";
SELECT "versions".* FROM "versions" WHERE "versions"."item_id" = 1 AND "versions"."item_type" = 'Order' AND (object_changes -> 'state' ->> 1 = 'paid') ORDER BY "versions"."created_at" DESC, "versions"."id" DESC LIMIT 1;
SELECT "orders".* FROM "orders" WHERE "orders"."state" IN ('cart', 'paid') AND (total > 10.5 OR currency IS NULL) ORDER BY "orders"."state" DESC;
SELECT "orders".* FROM "orders" WHERE "orders"."state" = 'paid'::order_state;
SELECT enum_range(NULL::order_state), enum_first(NULL::order_state), unnest(enum_range(NULL::order_state));
SELECT "orders".* FROM "orders" WHERE completed_at > NOW() - INTERVAL '30 days';
SELECT "orders".* FROM "orders" WHERE completed_at > CURRENT_TIMESTAMP - '1 week'::interval AND created_at::date = CURRENT_DATE;
SELECT AVG(total), MIN(total), MAX(total), percentile_cont(0.95) WITHIN GROUP (ORDER BY total), percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY total), mode() WITHIN GROUP (ORDER BY currency) FROM orders;
SELECT user_id, total, sum(total) OVER (PARTITION BY user_id ORDER BY created_at, id RANGE UNBOUNDED PRECEDING) FROM orders;
SELECT u.id, latest.number FROM users u LEFT JOIN LATERAL (SELECT number FROM orders o WHERE o.user_id = u.id ORDER BY o.created_at DESC, o.id DESC LIMIT 1) latest ON true;
SELECT "users".*, (point(lng, lat) <-> point(8.5, 50.1)) AS distance FROM users ORDER BY distance LIMIT 10;
SELECT users.*, earth_distance(ll_to_earth(users.lat, users.lng), ll_to_earth(50, 8)) AS distance FROM users WHERE earth_box(ll_to_earth(50, 8), 200000) @> ll_to_earth(users.lat, users.lng) ORDER BY distance;
SELECT users.*, 6371.0 * 2 * ASIN(SQRT(POWER(SIN((50.1 - users.lat) * PI() / 180 / 2), 2) + COS(50.1 * PI() / 180) * COS(users.lat * PI() / 180) * POWER(SIN((8.5 - users.lng) * PI() / 180 / 2), 2))) AS distance, MOD(CAST((ATAN2(((users.lng - 8.5) / 57.2957795), ((users.lat - 50.1) / 57.2957795)) * 57.2957795) + 360 AS decimal), 360) AS bearing FROM "users" WHERE (users.lat BETWEEN 49 AND 51);
SELECT "sales_by_day".* FROM "sales_by_day" ORDER BY "sales_by_day"."day" DESC LIMIT 30;
SELECT "good_jobs".* FROM "good_jobs" WHERE "good_jobs"."finished_at" IS NULL AND ("good_jobs"."scheduled_at" <= '2024-01-01' OR "good_jobs"."scheduled_at" IS NULL) ORDER BY "good_jobs"."priority" DESC NULLS LAST, "good_jobs"."created_at" ASC LIMIT 5;
SELECT COUNT(*) AS "count_all", "good_jobs"."queue_name" AS "good_jobs_queue_name" FROM "good_jobs" WHERE "good_jobs"."finished_at" IS NULL GROUP BY "good_jobs"."queue_name";
SELECT "good_jobs"."serialized_params"->>'job_class', count(*) FROM good_jobs GROUP BY 1;
SELECT "users".* FROM "users" WHERE "users"."id" IN (SELECT "orders"."user_id" FROM "orders" GROUP BY "orders"."user_id" HAVING (SUM(total) > 100));
WITH "recent" AS (SELECT "orders".* FROM "orders" WHERE (completed_at > '2024-03-05')), "big" AS (SELECT * FROM recent WHERE total > 50) SELECT "big".* FROM big ORDER BY id;
SELECT * FROM (SELECT "orders".*, dense_rank() OVER (PARTITION BY "orders"."user_id" ORDER BY "orders"."total" DESC) AS rnk FROM "orders") t WHERE rnk < 3;
SELECT products.id, COALESCE(SUM(line_items.quantity * line_items.price) FILTER (WHERE line_items.created_at > '2020-01-01'), 0) AS revenue FROM products LEFT JOIN line_items ON line_items.product_id = products.id GROUP BY products.id ORDER BY revenue DESC LIMIT 10;
SELECT "orders".* FROM "orders" WHERE "orders"."number" ILIKE '%R1%' ESCAPE '\' LIMIT 10;
SELECT "orders"."id" FROM "orders" WHERE ("orders"."created_at", "orders"."id") < ('2099-01-01', 100) ORDER BY "orders"."created_at" DESC, "orders"."id" DESC LIMIT 5;
SELECT "users"."settings" #>> '{notifications,email}' AS e, jsonb_typeof("users"."settings"), "users"."settings" || '{"a":1}'::jsonb, "users"."settings" - 'a', jsonb_set("users"."settings", '{a,b}', '1', true), jsonb_pretty("users"."settings") FROM users LIMIT 2;
SELECT key, value FROM users, jsonb_each(users.settings) UNION ALL SELECT key, to_jsonb(value) FROM users, jsonb_each_text(users.settings);
SELECT rolname FROM pg_roles WHERE rolname = current_user;
SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relname = 'users' AND c.relkind IN ('r', 'v', 'm', 'p', 'f');
SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r','p');
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"users"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"users"'::regclass AND indisprimary) i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx;
SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid, ARRAY(SELECT pg_get_indexdef(d.indexrelid, k + 1, true) FROM generate_subscripts(d.indkey, 1) AS k ORDER BY k) AS columns FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'users' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname;
SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, a2.attname AS primary_key, c.conname AS name, c.confupdtype AS on_update, c.confdeltype AS on_delete, c.convalidated AS valid, c.condeferrable AS deferrable, c.condeferred AS deferred, c.conkey, c.confkey, c.conrelid, c.confrelid FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid JOIN pg_namespace t3 ON c.connamespace = t3.oid WHERE c.contype = 'f' AND t1.relname = 'orders' AND t3.nspname = ANY (current_schemas(false)) ORDER BY c.conname;
SELECT conname, pg_get_constraintdef(c.oid, true) AS constraintdef, c.convalidated AS valid FROM pg_constraint c JOIN pg_class t ON c.conrelid = t.oid JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.contype = 'c' AND t.relname = 'orders' AND n.nspname = ANY (current_schemas(false));
SELECT pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'users' AND c.relkind IN ('r', 'p') AND n.nspname = ANY (current_schemas(false));
SELECT type.typname AS name, type.OID AS oid, n.nspname AS schema, array_agg(enum.enumlabel ORDER BY enum.enumsortorder) AS value FROM pg_enum AS enum JOIN pg_type AS type ON (type.oid = enum.enumtypid) JOIN pg_namespace n ON type.typnamespace = n.oid WHERE n.nspname = ANY (current_schemas(false)) GROUP BY type.OID, n.nspname, type.typname;
SELECT t.oid, t.typname FROM pg_type as t WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'bool', 'timestamp', 'timestamptz');
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2', 'hstore', 'citext') OR t.typtype IN ('r', 'e', 'd') OR t.typelem IN (16, 17);
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput::varchar, r.rngsubtype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typinput = 'array_in(cstring,oid,integer)'::regprocedure;
SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_.*' AND nspname NOT IN ('information_schema') ORDER by nspname;
SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'rails';
SELECT current_database();
SELECT current_schema;
SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database();
SELECT datcollate FROM pg_database WHERE datname = current_database();
SELECT datctype FROM pg_database WHERE datname LIKE current_database();
SELECT extname FROM pg_extension;
SELECT pg_extension.extname, n.nspname AS schema FROM pg_extension JOIN pg_namespace n ON pg_extension.extnamespace = n.oid;
SELECT attr.attname, nsp.nspname, seq.relname FROM pg_class seq, pg_attribute attr, pg_depend dep, pg_constraint cons, pg_namespace nsp WHERE seq.oid = dep.objid AND seq.relkind = 'S' AND attr.attrelid = dep.refobjid AND attr.attnum = dep.refobjsubid AND attr.attrelid = cons.conrelid AND attr.attnum = cons.conkey[1] AND seq.relnamespace = nsp.oid AND cons.contype = 'p' AND dep.classid = 'pg_class'::regclass AND dep.refobjid = '"users"'::regclass;
SELECT attr.attname, CASE WHEN pg_get_expr(def.adbin, def.adrelid) !~* 'nextval' THEN NULL WHEN split_part(pg_get_expr(def.adbin, def.adrelid), '''', 2) ~ '.' THEN substr(split_part(pg_get_expr(def.adbin, def.adrelid), '''', 2), strpos(split_part(pg_get_expr(def.adbin, def.adrelid), '''', 2), '.') + 1) ELSE split_part(pg_get_expr(def.adbin, def.adrelid), '''', 2) END FROM pg_class t JOIN pg_attribute attr ON (t.oid = attrelid) JOIN pg_attrdef def ON (adrelid = attrelid AND adnum = attnum) JOIN pg_constraint cons ON (conrelid = adrelid AND adnum = conkey[1]) JOIN pg_namespace nsp ON (t.relnamespace = nsp.oid) WHERE t.oid = '"users"'::regclass AND cons.contype = 'p' AND pg_get_expr(def.adbin, def.adrelid) ~* 'nextval|uuid_generate|gen_random_uuid';
SELECT pg_get_viewdef('"sales_by_day"'::regclass);
SELECT con.conname, pg_get_constraintdef(con.oid) FROM pg_constraint con WHERE con.conrelid = 'rails.orders'::regclass AND con.contype = 'u';
SHOW max_identifier_length;
SHOW standard_conforming_strings;
SHOW search_path;
SHOW TIME ZONE;
SHOW client_min_messages;
SHOW client_encoding;
SHOW transaction_isolation;
-- primary | pg_settings
SELECT setting FROM pg_catalog.pg_settings WHERE name = 'max_connections';
SELECT column_name FROM information_schema.columns WHERE table_name = 'users' AND table_schema = 'rails' ORDER BY ordinal_position;
SELECT EXISTS (SELECT 1 FROM pg_matviews WHERE matviewname = 'sales_by_day');
SELECT c.relname as viewname, pg_get_viewdef(c.oid) AS definition, c.relkind AS kind, n.nspname AS namespace FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('m', 'v') AND c.relname NOT IN (SELECT extname FROM pg_extension) AND n.nspname = ANY (current_schemas(false)) ORDER BY c.oid;
SELECT pg_proc.proname AS name, pg_get_functiondef(pg_proc.oid) AS definition FROM pg_proc JOIN pg_namespace ON pg_proc.pronamespace = pg_namespace.oid LEFT JOIN pg_depend ON pg_depend.objid = pg_proc.oid AND pg_depend.deptype = 'e' WHERE pg_namespace.nspname = 'gitlab' AND pg_depend.objid IS NULL ORDER BY pg_proc.oid;
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal;
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'gitlab.ci_builds'::regclass;
SELECT COUNT(*) FROM "orders" "o" WHERE "o"."id" = ANY('{1,2,3}'::bigint[]);
SELECT uuid_generate_v4() IS NOT NULL, uuid_generate_v5(uuid_ns_url(), 'a'), crypt('pw', gen_salt('bf', 4)) IS NOT NULL;
SELECT "users"."id" FROM "users" WHERE crypt('pw', encrypted_password) = encrypted_password AND id < 0;
EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF, SUMMARY OFF, COSTS OFF) SELECT "users".* FROM "users";
SELECT $$ it's $$ || E'\n' || U&'\0041' || B'101'::text || X'1F'::text;
SELECT ROUND(AVG(total)::numeric, 2)::float FROM orders WHERE user_id = 3 GROUP BY GROUPING SETS ((user_id), ());
SELECT orders.state, orders.currency, GROUPING(orders.state), sum(total) FROM orders GROUP BY CUBE(orders.state, orders.currency) ORDER BY 1, 2;
SELECT DISTINCT ON (user_id) user_id, id FROM orders ORDER BY user_id, completed_at DESC NULLS LAST, id;
SELECT to_char(completed_at, 'YYYY-MM'), to_char(total, 'FM999,990.00'), extract(epoch from completed_at)::bigint, date_part('year', completed_at), to_timestamp(1700000000), age(completed_at, created_at), make_interval(days => 10), date_bin('15 minutes', completed_at, '2024-01-01'), justify_hours(interval '30 hours') FROM orders LIMIT 3;
SELECT s.day::date, count(o.id) FROM generate_series('2024-03-01'::date, '2024-03-10'::date, '1 day') AS s(day) LEFT JOIN orders o ON o.completed_at::date = s.day GROUP BY 1 ORDER BY 1;
SELECT "users".* FROM "users" TABLESAMPLE SYSTEM (100);
SELECT reltuples::bigint AS estimate FROM pg_class WHERE oid = 'rails.users'::regclass;
SELECT reltuples FROM pg_class WHERE relname = 'orders' AND relnamespace = 'rails'::regnamespace;
-- primary | unlogged
SELECT "solid_cache_entries"."value" FROM "solid_cache_entries" WHERE "solid_cache_entries"."key_hash" = 5;
-- primary | locking clause
SELECT "good_jobs".* FROM "good_jobs" WHERE "good_jobs"."finished_at" IS NULL ORDER BY priority DESC NULLS LAST LIMIT 1 FOR UPDATE SKIP LOCKED;
-- primary | advisory
SELECT "good_jobs".* FROM "good_jobs" WHERE "good_jobs"."id" IN (WITH "rows" AS MATERIALIZED (SELECT "good_jobs"."id", "good_jobs"."active_job_id" FROM "good_jobs" WHERE "good_jobs"."finished_at" IS NULL LIMIT 5) SELECT "rows"."id" FROM "rows" WHERE pg_try_advisory_lock(('x' || substr(md5('good_jobs' || '-' || "rows"."active_job_id"::text), 1, 16))::bit(64)::bigint) LIMIT 1);
-- primary | advisory
SELECT pg_advisory_unlock(('x' || substr(md5('good_jobs'), 1, 16))::bit(64)::bigint) AS unlocked;
-- primary | pg_locks
SELECT "pg_locks"."objid" FROM "pg_locks" WHERE "pg_locks"."locktype" = 'advisory';
-- primary | sequence
SELECT nextval('"orders_id_seq"');
-- primary | sequence
SELECT last_value FROM "rails"."orders_id_seq";
-- primary | INSERT
INSERT INTO "tags" ("name") VALUES ('x') ON CONFLICT DO NOTHING RETURNING "id";
-- primary | UPDATE
UPDATE "orders" SET "state" = 'paid', "updated_at" = now() WHERE "orders"."id" = 1;
-- primary | REFRESH
REFRESH MATERIALIZED VIEW "sales_by_day";
-- primary | pg_stat
SELECT count(*) FROM pg_stat_activity WHERE usename = current_user;
-- primary | set_config
SELECT set_config('my.tenant', '42', false);
-- primary | pg_notify
SELECT pg_notify('jobs', '{}');
