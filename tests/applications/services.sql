SET search_path = services, public;
SELECT u1_0.id, u1_0.created_timestamp, u1_0.email, u1_0.enabled FROM user_entity u1_0 WHERE u1_0.username = 'k1' AND u1_0.realm_id = 'r1';
SELECT ue1_0.id FROM user_entity ue1_0 WHERE ue1_0.realm_id = 'r1' AND ue1_0.service_account_client_link IS NULL AND (lower(ue1_0.username) LIKE '%k%' ESCAPE '\' OR lower(ue1_0.email) LIKE '%k%' ESCAPE '') ORDER BY ue1_0.username OFFSET 0 ROWS FETCH FIRST 10 ROWS ONLY;
SELECT count(ue1_0.id) FROM user_entity ue1_0 WHERE ue1_0.realm_id = 'r1';
SELECT r1_0.id, r1_0.enabled, r1_0.name FROM realm r1_0 LEFT JOIN client c1_0 ON c1_0.realm_id = r1_0.id WHERE r1_0.id = 'r1';
SELECT c1_0.user_id, c1_0.id FROM credential c1_0 WHERE c1_0.user_id = ANY ('{u1,u2}') ORDER BY c1_0.priority;
SELECT o.user_session_id FROM offline_user_session o WHERE o.offline_flag = '0' AND o.realm_id = 'r1' AND o.last_session_refresh < 1700000000 ORDER BY o.user_session_id LIMIT 100;
SELECT DISTINCT kr.name FROM keycloak_role kr JOIN user_role_mapping urm ON urm.role_id = kr.id WHERE urm.user_id IN ('u1') AND NOT EXISTS (SELECT 1 FROM client c WHERE c.id = kr.client AND NOT c.enabled);
SELECT * FROM databasechangelog ORDER BY dateexecuted ASC, orderexecuted ASC;
SELECT count(*) FROM databasechangeloglock WHERE locked;
SELECT md5sum FROM databasechangelog WHERE md5sum IS NOT NULL LIMIT 1;
SELECT MAX(orderexecuted) FROM databasechangelog;
SELECT "installed_rank", "version", "description", "type", "script", "checksum", "installed_on", "installed_by", "execution_time", "success" FROM "services"."flyway_schema_history" WHERE "installed_rank" > -1 ORDER BY "installed_rank";
SELECT alembic_version.version_num FROM alembic_version;
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE pg_catalog.pg_table_is_visible(c.oid) AND c.relname = 'alembic_version';
SELECT "core_user"."id", "core_user"."email" FROM "core_user" WHERE ("core_user"."is_active" = TRUE) AND (LOWER("core_user"."email"::text) = 'a@b.c');
SELECT CAST(DATE_TRUNC('month', "report_card"."created_at") AS date) AS "created_at", COUNT(*) AS "count" FROM "services"."report_card" WHERE "report_card"."created_at" >= DATE_TRUNC('month', (NOW() + (INTERVAL '-12 month'))) AND "report_card"."created_at" < DATE_TRUNC('month', NOW()) GROUP BY CAST(DATE_TRUNC('month', "report_card"."created_at") AS date) ORDER BY 1 ASC;
SELECT "source"."department" AS "department", SUM(CASE WHEN "source"."salary" > 1100 THEN 1 ELSE 0.0 END) / CASE WHEN COUNT(*) = 0 THEN NULL ELSE COUNT(*) END AS "share" FROM (SELECT * FROM "services"."employees") AS "source" GROUP BY 1 ORDER BY 1 LIMIT 1048575;
SELECT floor((("services"."employees"."salary" - 1000) / 50.0)) * 50.0 + 1000 AS "bin", count(*) FROM "services"."employees" GROUP BY 1 ORDER BY 1;
SELECT "s".substring AS x FROM (SELECT SUBSTRING("services"."employees"."name", 1, 1234) AS substring FROM "services"."employees" LIMIT 10) s;
SELECT key, value FROM setting;
SELECT TRIGGER_NAME, TRIGGER_GROUP, NEXT_FIRE_TIME, PRIORITY FROM QRTZ_TRIGGERS WHERE SCHED_NAME = 'S' AND TRIGGER_STATE = 'WAITING' AND NEXT_FIRE_TIME <= 1700000000000 AND (MISFIRE_INSTR = -1 OR (MISFIRE_INSTR != -1 AND NEXT_FIRE_TIME >= 0)) ORDER BY NEXT_FIRE_TIME ASC, PRIORITY DESC;
SELECT dashboard.id, dashboard.title FROM dashboard WHERE dashboard.org_id = 1 AND dashboard.title ILIKE '%x%' ORDER BY dashboard.title ASC LIMIT 1000 OFFSET 0;
SELECT extract(epoch from time_bucket('3600 seconds', "time")) AS "time", host AS metric, avg(value) FROM metrics WHERE "time" BETWEEN '2024-02-01T00:00:00Z' AND '2024-02-03T00:00:00Z' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT floor(extract(epoch from "time")/3600)*3600 AS "time", max(value) AS "value" FROM metrics WHERE "time" >= '2024-02-01' AND name = 'cpu' GROUP BY 1 ORDER BY 1;
SELECT $__a$x$__a$ AS metric, last.value FROM (SELECT DISTINCT ON (host) host, value FROM metrics ORDER BY host, time DESC) last;
SELECT host, median_of(value) FROM metrics GROUP BY host ORDER BY host;
SELECT host, labels->>'env', percentile_cont(0.99) WITHIN GROUP (ORDER BY value), avg(value) FILTER (WHERE name = 'cpu'), regr_r2(value, extract(epoch from time)) FROM metrics GROUP BY ROLLUP (1, 2) ORDER BY 1, 2;
SELECT time, value, avg(value) OVER w, value - lag(value) OVER w AS delta, sum(value) OVER (ORDER BY time RANGE BETWEEN '1 hour' PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM metrics WHERE host = 'host1' AND name = 'cpu' WINDOW w AS (PARTITION BY host ORDER BY time) ORDER BY time;
SELECT quote_ident(table_name) FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache') AND quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1), array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS i, string_to_array(current_setting('search_path'), ',') s);
SELECT "sentry_groupedmessage"."id", "sentry_groupedmessage"."message" FROM "sentry_groupedmessage" WHERE ("sentry_groupedmessage"."project_id" IN (1) AND "sentry_groupedmessage"."status" = 0) ORDER BY "sentry_groupedmessage"."last_seen" DESC LIMIT 100;
SELECT CAST(log(times_seen) * 600 + EXTRACT(EPOCH FROM last_seen) AS int) AS sort_value FROM sentry_groupedmessage ORDER BY 1 DESC;
SELECT value, SUM(times_seen) FROM sentry_grouptagvalue WHERE group_id = 1 AND key = 'browser' AND last_seen > NOW() - INTERVAL '7 days' GROUP BY value ORDER BY SUM(times_seen) DESC LIMIT 9;
SELECT airflow_task_instance.dag_id AS d, count(*) AS count_1 FROM airflow_task_instance WHERE airflow_task_instance.state IN ('running', 'queued') GROUP BY airflow_task_instance.dag_id;
SELECT ti.task_id FROM airflow_task_instance AS ti WHERE (ti.dag_id, ti.task_id) IN (('a', 'b'), ('c', 'd')) ORDER BY -ti.priority_weight, ti.queued_dttm;
SELECT name, loc <-> point(3, 3) AS d FROM places WHERE box @> point(1, 1) ORDER BY loc <-> point(3, 3) LIMIT 5;
SELECT name, loc <@ circle '((5,5),3)', box && box '((0,0),(2,2))', area(box), center(box), diameter(circle '((0,0),1)'), lseg '[(0,0),(1,1)]' ?# lseg '[(0,1),(1,0)]', polygon '((0,0),(1,1),(2,0))' @> point '(1,0.5)', loc[0] FROM places ORDER BY name;
SELECT (point '(0,0)' <@> point '(1,1)') AS miles, cube(ARRAY[1,2]) <-> cube(ARRAY[3,4]), cube_distance(cube(1), cube(2));
SELECT title, ts_rank(ts, q) FROM documents, plainto_tsquery('english', 'quick fox') q WHERE ts @@ q ORDER BY 2 DESC, 1 LIMIT 3;
SELECT (xpath('//b/@id', doc))[1]::text, xmlexists('//b' PASSING doc), xmlserialize(content doc AS text) FROM documents LIMIT 1;
SELECT x.* FROM documents, xmltable('/a/b' PASSING doc COLUMNS id int PATH '@id', t text PATH 'text()') x LIMIT 2;
SELECT xmlelement(name d, xmlattributes(id AS n), title), xmlforest(id, title), xmlagg(xmlelement(name x, id)) OVER (ORDER BY id), xmlconcat('<a/>', '<b/>'), xmlpi(name php), xmlcomment('c') FROM documents ORDER BY id LIMIT 1;
SELECT meta->'k', json_object_keys(meta), json_typeof(meta) FROM documents LIMIT 1;
SELECT 'x@y.z'::email = address FROM subscribers;
SELECT numbers && ARRAY[3], numbers @@ '1&2'::query_int, icount(numbers), sort(numbers), numbers + 5, numbers | 7, uniq(ARRAY[1,1]), idx(numbers, 2), array_position(numbers, 2), array_remove(numbers, 2), array_to_string(numbers, ','), cardinality(numbers), numbers[1:1], array_dims(numbers), array_cat(numbers, ARRAY[1]), trim_array(numbers, 1) FROM documents ORDER BY id LIMIT 2;
SELECT attrs -> 'a', attrs ? 'a', attrs || 'b=>2', delete(attrs, 'a'), hstore_to_json(attrs), avals(attrs) FROM (SELECT attrs FROM documents LIMIT 1) s;
SELECT sqrt((SELECT sum((a - b) ^ 2) FROM unnest(ARRAY[1.0, 2.0]::float8[], ARRAY[2.0, 3.0]::float8[]) AS t(a, b)));
SELECT path @> 'top.a.b.c', path <@ 'top', path || 'x', lca(path, 'top.a'), index(path, 'a'), ltree2text(path) FROM documents LIMIT 1;
SELECT isbn13('978-0-393-04002-9'), isbn('0-393-04002-X') = isbn13('978-0-393-04002-9');
SELECT room FROM reservations WHERE during && tsrange('2024-01-01', '2024-01-02') AND NOT isempty(during) AND lower_inc(during);
SELECT range_agg(r), range_merge(int4range(1, 3), int4range(5, 7)), int4multirange(int4range(1, 3)) + int4multirange(int4range(5, 7)), unnest('{[1,2),[5,6)}'::int4multirange) FROM (VALUES (int4range(1, 3)), (int4range(2, 5))) v(r);
SELECT e.full_name, full_name(e), e.name FROM employees e LIMIT 2;
WITH RECURSIVE org AS (SELECT id, name, 1 AS level, name::text AS path FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.name, o.level + 1, o.path || '/' || e.name FROM employees e JOIN org o ON e.manager_id = o.id) SEARCH DEPTH FIRST BY id SET ord CYCLE id SET is_cycle USING p SELECT level, count(*) FROM org GROUP BY level ORDER BY level;
SELECT department, name, salary, rank() OVER w, salary / sum(salary) OVER (PARTITION BY department) FROM employees WINDOW w AS (PARTITION BY department ORDER BY salary DESC) ORDER BY department, salary DESC;
SELECT * FROM crosstab('SELECT department, extract(year from hired)::int, count(*) FROM services.employees GROUP BY 1, 2 ORDER BY 1, 2') AS ct(department text, y1 bigint);
SELECT slugify('Été à la plage');
SELECT count_estimate('SELECT 1 FROM services.employees WHERE salary > 1000');
SELECT length(generate_ulid());
SELECT soundex('x'), levenshtein('a', 'b'), metaphone('Thompson', 4), dmetaphone('x'), difference('a', 'b');
SELECT address FROM subscribers WHERE address = 'A@B.example';
SELECT * FROM open_jobs WHERE class = 'Mail';
SELECT count(*) FROM jobs WHERE run_at <= now() AND locked_at IS NULL AND attempts < 5;
SELECT state, count(*) FROM jobs GROUP BY state UNION ALL SELECT 'total', count(*) FROM jobs;
COPY (SELECT id, name FROM employees ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER);
COPY employees (id, name) TO STDOUT;
COPY (SELECT row_to_json(e) FROM employees e) TO STDOUT;
TABLE employees;
VALUES (1, 'one'), (2, 'two') ORDER BY 1;
SELECT;
SELECT 1;
SELECT 1 AS ping;
SELECT NULL;
SELECT true;
SELECT now();
SELECT CURRENT_TIMESTAMP;
SELECT CURRENT_DATE, LOCALTIME, LOCALTIMESTAMP;
SELECT pg_typeof(1);
SELECT current_schema(), current_catalog;
SELECT pg_client_encoding();
SELECT pg_sleep(0);
SELECT timeofday() IS NOT NULL;
SELECT gen_random_uuid() IS NOT NULL, md5(random()::text) IS NOT NULL, encode(gen_random_bytes(8), 'hex') IS NOT NULL;
SELECT hmac('a', 'k', 'sha256'), encode(digest('a', 'sha512'), 'base64'), sha224('a'), pgp_sym_decrypt(pgp_sym_encrypt('x', 'k'), 'k'), armor('x');
SELECT floor(random() * 10)::int BETWEEN 0 AND 9;
SELECT inet '10.1.2.3' << inet '10.0.0.0/8', masklen('10.0.0.0/8'), network('10.1.2.3/8'), broadcast('10.0.0.0/8'), abbrev(cidr '10.1.0.0/16'), family('::1'), macaddr '08:00:2b:01:02:03', inet_merge('10.0.0.1', '10.0.1.1');
SELECT to_char(now(), 'YYYY') IS NOT NULL, to_date('2024-01-01', 'YYYY-MM-DD'), to_number('1,234.5', '9G999D9'), to_timestamp('2024', 'YYYY'), isfinite(now()), make_timestamptz(2024, 1, 1, 0, 0, 0), date '2024-01-31' + interval '1 month', (date '2024-03-01', date '2024-04-01') OVERLAPS (date '2024-03-15', date '2024-05-01'), extract(isodow from date '2024-01-01'), age(timestamp '2024-01-01', timestamp '2023-01-01'), date '2024-01-05' - date '2024-01-01';
SELECT 1::money, '$5'::money * 2, '12:30'::time, '1 day'::interval * 1.5, 5 / 2, 5 % 3, 2 ^ 3, |/ 4, ||/ 27, @ -5, 5 & 3, ~1, 1 << 3, 5!=3;
SELECT regexp_count('aaa', 'a'), regexp_substr('abc', 'b'), starts_with('abc', 'a'), unistr('\0041'), to_hex(255), encode('\x01'::bytea, 'hex'), decode('AQ==', 'base64'), get_byte('\x01'::bytea, 0), bit_length('a'), parse_ident('a.b');
SELECT num_nonnulls(1, NULL), num_nulls(1, NULL), pg_column_size('abc'::text), pg_size_pretty(1024::bigint), pg_size_bytes('1 kB'), width_bucket(3, ARRAY[1, 5]), gcd(4, 6), lcm(4, 6), trunc(1.5), scale(1.50), min_scale(1.50), trim_scale(1.50), factorial(5), erf_like IS NULL FROM (SELECT NULL AS erf_like) s;
SELECT jsonb_path_query('{"a": [1, 2, 3]}', '$.a[*] ? (@ > 1)'), jsonb_path_query_tz('["2024-01-01"]', '$[*].datetime()'), jsonb_strip_nulls('{"a": null}'), jsonb_insert('{"a": [1]}', '{a, 0}', '2'), '{"a": 1}'::jsonb @@ '$.a == 1', '[1, 2]'::jsonb - 1, '{"a": {"b": 1}}'::jsonb #- '{a, b}', jsonb_object('{a, 1}'), jsonb_object_agg(k, v) FROM (VALUES ('x', 1)) t(k, v);
SELECT ROW(1, 'a') = ROW(1, 'a'), (ROW(1, 2)).f1, ROW(1, 2) IS DISTINCT FROM ROW(1, 3), ARRAY[[1, 2], [3, 4]], ARRAY[1, 2] || 3, ARRAY(SELECT id FROM employees ORDER BY id LIMIT 2), 3 = ANY (ARRAY[1, 3]), 3 <> ALL (ARRAY[1, 2]);
SELECT t.* FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY['a', 'b'])) WITH ORDINALITY AS t(a, b, n);
SELECT * FROM (SELECT generate_subscripts(ARRAY[1, 2, 3], 1) AS i) s;
SELECT * FROM employees e FULL JOIN places p ON e.id = p.id AND p.kind = 'city' WHERE e.id IS NULL OR p.id < 3 ORDER BY e.id, p.id;
SELECT a.id FROM employees a NATURAL JOIN (SELECT id, name FROM employees) b ORDER BY 1;
SELECT count(*), avg(salary)::numeric(10, 2), every(salary > 0), stddev(salary), variance(salary), max(name), min(hired), array_agg(DISTINCT department), json_object_agg(name, salary) IS NOT NULL, string_agg(name, ',' ORDER BY name), range_agg(daterange(hired, hired + 1)) IS NOT NULL, any_like FROM employees, (SELECT 1 AS any_like) x GROUP BY any_like;
SELECT pg_catalog.format_type(23, NULL), pg_catalog.pg_get_userbyid(10), oid::regtype, 'int4'::regtype::oid, to_regclass('services.employees'), to_regtype('int8'), 'services'::regnamespace, 'now()'::regprocedure, '=(int4,int4)'::regoperator, 'english'::regconfig FROM pg_type WHERE typname = 'int4';
SELECT * FROM pg_tables WHERE schemaname = 'services';
SELECT viewname, definition FROM pg_views WHERE schemaname = 'services' ORDER BY 1;
SELECT rulename FROM pg_rules WHERE schemaname = 'services';
SELECT name, default_version IS NOT NULL FROM (SELECT extname AS name, extversion AS default_version FROM pg_extension) e ORDER BY 1;
SELECT most_common_vals, n_distinct FROM pg_stats WHERE tablename = 'employees' AND attname = 'department';
SELECT usename, usesuper FROM pg_user;
SELECT rolname, rolsuper, rolcanlogin FROM pg_roles ORDER BY 1;
SELECT tz.name FROM pg_timezone_names tz WHERE name = 'Europe/Berlin';
SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN 'SYSTEM TABLE' WHEN false THEN CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE NULL END END AS TABLE_TYPE, d.description AS REMARKS FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND n.nspname LIKE 'services' ORDER BY TABLE_TYPE, TABLE_SCHEM, TABLE_NAME;
SELECT current_database() AS "TABLE_CAT", n.nspname AS "TABLE_SCHEM", ct.relname AS "TABLE_NAME", a.attname AS "COLUMN_NAME", (information_schema._pg_expandarray(i.indkey)).n AS "KEY_SEQ", ci.relname AS "PK_NAME" FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE i.indisprimary AND n.nspname = 'services';
SELECT * FROM (SELECT n.nspname, c.relname, a.attname, a.atttypid, a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull, a.atttypmod, a.attlen, t.typtypmod, row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum, nullif(a.attidentity, '') AS attidentity, nullif(a.attgenerated, '') AS attgenerated, pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc, dsc.description, t.typbasetype, t.typtype FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid) JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid) LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid = def.adrelid AND a.attnum = def.adnum) LEFT JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid) WHERE c.relkind IN ('r', 'p', 'v', 'f', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname LIKE 'services') c WHERE true ORDER BY nspname, c.relname, attnum;
SELECT t.typname, t.oid FROM pg_type t JOIN pg_namespace n ON (t.typnamespace = n.oid) WHERE n.nspname != 'pg_toast' AND (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = t.typrelid));
SELECT e.typdelim FROM pg_catalog.pg_type t, pg_catalog.pg_type e WHERE t.oid = 1007 AND t.typelem = e.oid;
SELECT n.nspname = ANY(current_schemas(true)), n.nspname, t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid WHERE t.oid = 1043;
SELECT typinput = 'pg_catalog.array_in'::regproc AS is_array, typtype, typname, pg_type.oid FROM pg_catalog.pg_type LEFT JOIN (SELECT ns.oid AS nspoid, ns.nspname, r.r FROM pg_namespace AS ns JOIN (SELECT s.r, (current_schemas(false))[s.r] AS nspname FROM generate_series(1, array_upper(current_schemas(false), 1)) AS s(r)) AS r USING (nspname)) AS sp ON sp.nspoid = typnamespace WHERE typname = 'jsonb' ORDER BY sp.r, pg_type.oid DESC;
SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relname = 'employees'::varchar AND pg_catalog.pg_class.relkind = ANY (ARRAY['r'::varchar, 'p', 'f', 'v', 'm']) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::varchar;
SELECT pg_catalog.pg_attribute.attname AS name, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type, (SELECT pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid) AS pg_get_expr_1 FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attrdef.adrelid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attrdef.adnum = pg_catalog.pg_attribute.attnum AND pg_catalog.pg_attribute.atthasdef) AS "default", (SELECT json_build_object('always', pg_catalog.pg_attribute.attidentity = 'a', 'start', pg_catalog.pg_sequence.seqstart, 'increment', pg_catalog.pg_sequence.seqincrement) AS json_build_object_1 FROM pg_catalog.pg_sequence WHERE pg_catalog.pg_attribute.attidentity != '' AND pg_catalog.pg_sequence.seqrelid = CAST(CAST(pg_catalog.pg_get_serial_sequence(CAST(CAST(pg_catalog.pg_attribute.attrelid AS REGCLASS) AS TEXT), pg_catalog.pg_attribute.attname) AS REGCLASS) AS OID)) AS identity_options FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0 JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relname IN ('employees', 'documents');
SELECT t.oid, t.typname, t.typtype, (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid) FROM pg_type t WHERE t.typtype IN ('e', 'd') ORDER BY 2;
SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2;
SELECT sequence_schema, sequence_name, increment FROM information_schema.sequences ORDER BY 1, 2;
SELECT DISTINCT i.relname AS "name", ix.indisprimary AS "primary", ix.indisunique AS "unique", ix.indkey AS indkey, array_agg(a.attnum) AS column_indexes, array_agg(a.attname) AS column_names, pg_get_indexdef(ix.indexrelid) AS definition FROM pg_class t, pg_class i, pg_index ix, pg_attribute a WHERE t.oid = ix.indrelid AND i.oid = ix.indexrelid AND a.attrelid = t.oid AND t.relkind = 'r' AND t.relname = 'employees' GROUP BY i.relname, ix.indexrelid, ix.indisprimary, ix.indisunique, ix.indkey ORDER BY i.relname;
SELECT * FROM "information_schema"."columns" WHERE "table_schema" = 'services' AND "table_name" = 'employees';
SELECT 1 FROM pg_database WHERE datname = 'nobody';
SHOW server_encoding;
SHOW DateStyle;
SHOW integer_datetimes;
SHOW IntervalStyle;
SHOW statement_timeout;
SELECT current_setting('TimeZone'), current_setting('server_encoding'), current_setting('max_identifier_length'), current_setting('block_size')::int;
SELECT set_bit(B'0000', 1, 1), b'1' || b'0';
EXPLAIN (FORMAT JSON, VERBOSE) SELECT * FROM employees WHERE id = 3;
EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF, COSTS OFF) SELECT count(*) FROM employees;
-- primary | locking clause
SELECT locked FROM databasechangeloglock WHERE id = 1 FOR UPDATE;
-- primary | locking clause
SELECT * FROM qrtz_locks WHERE sched_name = 'S' AND lock_name = 'TRIGGER_ACCESS' FOR UPDATE;
-- primary | unlogged
SELECT value FROM cache WHERE key = 'x';
-- primary | foreign table
SELECT * FROM remote_orders LIMIT 0;
-- primary | audit_read
SELECT * FROM audited;
-- primary | sequence
SELECT next_invoice(1);
-- primary | sentry_increment
SELECT sentry_increment_project_counter(1, 1);
-- primary | pg_stat
SELECT calls, query FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 5;
-- primary | pg_stat
SELECT datname, numbackends, xact_commit, blks_hit FROM pg_stat_database;
-- primary | pg_stat
SELECT * FROM pg_stat_bgwriter;
-- primary | pg_locks
SELECT mode, count(*) FROM pg_locks GROUP BY mode;
-- primary | pg_settings
SELECT setting FROM pg_settings WHERE name = 'max_connections';
-- primary | txid
SELECT txid_current();
-- primary | UPDATE
WITH next AS (SELECT id FROM jobs WHERE locked_at IS NULL ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED) UPDATE jobs SET locked_at = now() FROM next WHERE jobs.id = next.id RETURNING jobs.id;
-- primary | INTO
SELECT * INTO employees_copy FROM employees;
-- primary | CREATE
CREATE TABLE employees_copy2 AS SELECT * FROM employees;
-- primary | LISTEN
LISTEN jobs;
-- primary | COPY
COPY employees TO '/tmp/never.csv' WITH (FORMAT nothing);
