SET search_path = gitlab, public;
SELECT "projects".* FROM "projects" INNER JOIN "routes" ON "routes"."source_type" = 'Project' AND "routes"."source_id" = "projects"."id" WHERE "routes"."path" = 'g1/p1' LIMIT 1;
SELECT "projects".* FROM "projects" WHERE (EXISTS (SELECT 1 FROM "project_authorizations" WHERE "project_authorizations"."user_id" = 1 AND (project_authorizations.project_id = projects.id)) OR projects.visibility_level IN (10, 20)) AND "projects"."pending_delete" = FALSE AND "projects"."archived" = FALSE ORDER BY "projects"."last_activity_at" DESC, "projects"."id" DESC LIMIT 20 OFFSET 0;
SELECT MAX("project_authorizations"."access_level") AS maximum_access_level, "project_authorizations"."user_id" AS user_id FROM "project_authorizations" WHERE "project_authorizations"."project_id" = 1 AND "project_authorizations"."user_id" IN (1, 2) GROUP BY "project_authorizations"."user_id";
WITH RECURSIVE "base_and_ancestors" AS ((SELECT "namespaces".* FROM "namespaces" WHERE "namespaces"."type" = 'Group' AND "namespaces"."id" = 2) UNION (SELECT "namespaces".* FROM "namespaces", "base_and_ancestors" WHERE "namespaces"."type" = 'Group' AND "namespaces"."id" = "base_and_ancestors"."parent_id")) SELECT "namespaces".* FROM "base_and_ancestors" AS "namespaces";
SELECT "namespaces"."id" FROM "namespaces" WHERE "namespaces"."type" = 'Group' AND (traversal_ids @> ('{2}'));
SELECT namespaces.traversal_ids[array_length(namespaces.traversal_ids, 1)] AS id FROM "namespaces" WHERE traversal_ids[1] = 2 AND traversal_ids >= '{2}' AND next_traversal_ids_sibling('{2}') > traversal_ids;
WITH "descendants_base_cte" AS MATERIALIZED (SELECT "namespaces"."id", "namespaces"."traversal_ids" FROM "namespaces" WHERE "namespaces"."id" = 2), "superset" AS (SELECT d1.traversal_ids FROM "descendants_base_cte" d1 WHERE NOT EXISTS (SELECT 1 FROM "descendants_base_cte" d2 WHERE d2.id = ANY(d1.traversal_ids) AND d2.id <> d1.id)) SELECT DISTINCT "namespaces".* FROM "superset", "namespaces" WHERE next_traversal_ids_sibling("superset"."traversal_ids") > "namespaces"."traversal_ids" AND "superset"."traversal_ids" <= "namespaces"."traversal_ids";
SELECT "issues".* FROM "issues" INNER JOIN "projects" ON "projects"."id" = "issues"."project_id" LEFT JOIN project_features ON projects.id = project_features.project_id WHERE (EXISTS (SELECT 1 FROM "project_authorizations" WHERE "project_authorizations"."user_id" = 1 AND (project_authorizations.project_id = projects.id)) OR projects.visibility_level IN (0,10,20)) AND ("project_features"."issues_access_level" > 0 OR "project_features"."issues_access_level" IS NULL) AND (issues.confidential IS NOT TRUE OR issues.author_id = 1) AND "issues"."state_id" = 1 ORDER BY "issues"."created_at" DESC, "issues"."id" DESC LIMIT 20;
SELECT COUNT(*) AS "count_all", "issues"."state_id" AS "issues_state_id" FROM "issues" WHERE "issues"."project_id" = 1 GROUP BY "issues"."state_id";
SELECT "issues".* FROM "issues" WHERE "issues"."project_id" = 1 AND ((issues.title ILIKE '%bug%') OR (issues.description ILIKE '%bug%'));
SELECT "issues"."id", "issues"."relative_position" FROM "issues" WHERE "issues"."relative_position" IS NOT NULL ORDER BY "issues"."relative_position" ASC NULLS LAST, "issues"."id" DESC LIMIT 1;
SELECT lead(relative_position) OVER (ORDER BY relative_position), id FROM issues WHERE project_id = 1;
SELECT "ci_builds".* FROM "ci_builds" WHERE "ci_builds"."type" = 'Ci::Build' AND ("ci_builds"."status" IN ('pending')) AND "ci_builds"."runner_id" IS NULL AND "ci_builds"."partition_id" = 100 ORDER BY "ci_builds"."id" ASC;
SELECT COUNT(*) FROM (SELECT 1 AS one FROM "ci_builds" WHERE "ci_builds"."project_id" = 3 AND "ci_builds"."status" = 'failed' LIMIT 10001) subquery_for_count;
SELECT "ci_builds"."status", count(*) FROM "ci_builds" WHERE "ci_builds"."commit_id" = ANY (ARRAY[1,2,3]) GROUP BY 1;
WITH RECURSIVE "array_cte" AS MATERIALIZED (SELECT id FROM projects WHERE id < 5), "recursive_keyset_cte" AS ((SELECT NULL::issues AS records, array_cte_id_array, issues_created_at_array, issues_id_array, 0::bigint AS count FROM (SELECT ARRAY_AGG("array_cte"."id") AS array_cte_id_array, ARRAY_AGG("issues"."created_at") AS issues_created_at_array, ARRAY_AGG("issues"."id") AS issues_id_array FROM (SELECT "array_cte"."id" FROM array_cte) array_cte LEFT JOIN LATERAL (SELECT "issues"."created_at" AS created_at, "issues"."id" AS id FROM "issues" WHERE "issues"."project_id" = "array_cte"."id" ORDER BY "issues"."created_at" DESC, "issues"."id" DESC LIMIT 1) issues ON TRUE WHERE "issues"."created_at" IS NOT NULL AND "issues"."id" IS NOT NULL) array_scope_lateral_query LIMIT 1) UNION ALL (SELECT (SELECT issues FROM "issues" WHERE "issues"."id" = recursive_keyset_cte.issues_id_array[position] LIMIT 1), array_cte_id_array, recursive_keyset_cte.issues_created_at_array[:position_query.position-1]||next_cursor_values.created_at||recursive_keyset_cte.issues_created_at_array[position_query.position+1:], recursive_keyset_cte.issues_id_array[:position_query.position-1]||next_cursor_values.id||recursive_keyset_cte.issues_id_array[position_query.position+1:], recursive_keyset_cte.count + 1 FROM recursive_keyset_cte, LATERAL (SELECT created_at, id, position FROM UNNEST(issues_created_at_array, issues_id_array) WITH ORDINALITY AS u(created_at, id, position) WHERE created_at IS NOT NULL AND id IS NOT NULL ORDER BY "created_at" DESC, "id" DESC LIMIT 1) AS position_query, LATERAL (SELECT "record"."created_at", "record"."id" FROM (VALUES (NULL, NULL)) AS nulls LEFT JOIN (SELECT "issues"."created_at" AS created_at, "issues"."id" AS id FROM issues WHERE project_id = recursive_keyset_cte.array_cte_id_array[position] AND (("issues"."created_at") < recursive_keyset_cte.issues_created_at_array[position]) ORDER BY created_at DESC, id DESC LIMIT 1) record ON TRUE LIMIT 1) AS next_cursor_values)) SELECT (records).* FROM "recursive_keyset_cte" AS "issues" WHERE (count <> 0) LIMIT 20;
WITH RECURSIVE "loose_index_scan_cte" AS ((SELECT "issues"."author_id" FROM "issues" ORDER BY "issues"."author_id" ASC LIMIT 1) UNION (SELECT (SELECT "issues"."author_id" FROM "issues" WHERE "issues"."author_id" > "loose_index_scan_cte"."author_id" ORDER BY "issues"."author_id" ASC LIMIT 1) FROM "loose_index_scan_cte" WHERE "loose_index_scan_cte"."author_id" IS NOT NULL)) SELECT "author_id" FROM "loose_index_scan_cte" AS "issues" WHERE "author_id" IS NOT NULL;
SELECT (find_projects_by_id(1)).name;
SELECT ("find_projects_by_id"("issues"."project_id"))."path" FROM "issues" LIMIT 3;
SELECT "notes".* FROM "notes" WHERE "notes"."noteable_id" = 1 AND "notes"."noteable_type" = 'Issue' AND "notes"."system" = FALSE ORDER BY "notes"."created_at" ASC, "notes"."id" ASC;
SELECT "labels".* FROM "labels" INNER JOIN "label_links" ON "labels"."id" = "label_links"."label_id" WHERE "label_links"."target_id" = 1 AND "label_links"."target_type" = 'Issue';
SELECT "members".* FROM "members" LEFT OUTER JOIN "users" ON "members"."user_id" = "users"."id" WHERE "members"."type" = 'ProjectMember' AND "members"."source_type" = 'Project' AND "users"."state" = 'active' AND (members.access_level > 5) AND (members.expires_at IS NULL OR members.expires_at > CURRENT_DATE);
SELECT "events"."project_id", COUNT(*) FROM "events" WHERE "events"."created_at" >= NOW() - interval '30 days' AND "events"."action" IN (1, 3, 5) GROUP BY "events"."project_id";
SELECT date_trunc('day', events.created_at AT TIME ZONE 'UTC')::date, count(*) FROM events GROUP BY 1;
SELECT "merge_requests".* FROM "merge_requests" WHERE "merge_requests"."target_project_id" = 1 AND ("merge_requests"."state_id" IN (1)) AND ("merge_requests"."draft" = FALSE) ORDER BY "merge_requests"."updated_at" DESC LIMIT 20;
SELECT "loose_foreign_keys_deleted_records".* FROM "loose_foreign_keys_deleted_records" WHERE "loose_foreign_keys_deleted_records"."status" = 1 AND (consume_after <= NOW()) AND "loose_foreign_keys_deleted_records"."fully_qualified_table_name" = 'public.users' ORDER BY consume_after ASC, id ASC LIMIT 10;
SELECT "postgres_indexes".* FROM "postgres_indexes" WHERE "postgres_indexes"."schema" = 'gitlab' AND NOT partitioned ORDER BY identifier;
SELECT "postgres_partitions".* FROM "postgres_partitions" WHERE "postgres_partitions"."parent_identifier" = 'gitlab.ci_builds';
SELECT COUNT(*) FROM postgres_index_bloat_estimates WHERE relpages >= 0;
SELECT "users".* FROM "users" WHERE (LOWER("users"."username") IN (LOWER('n1'))) OR "users"."email" IN ('n2@gitlab.example');
SELECT "users"."id" FROM "users" WHERE (users.name ILIKE '%n%' OR users.username ILIKE '%n%') ORDER BY CASE WHEN LOWER(users.name) = 'n1' THEN 0 WHEN LOWER(users.username) = 'n1' THEN 1 ELSE 3 END, "users"."name" ASC;
SELECT MIN(id) AS min, MAX(id) AS max, COUNT(*) FROM "issues" WHERE id BETWEEN 1 AND 1000;
SELECT "issues"."id" FROM "issues" WHERE "issues"."id" >= 1 ORDER BY "issues"."id" ASC LIMIT 1 OFFSET 10;
SELECT (log(2, floor(-1 + 2^32)::numeric)), bit_count(B'1011'::bit(4)), width_bucket(5.0, 0.0, 10.0, 5);
SELECT COUNT(*) FROM "issues" WHERE ('x' || md5(id::text))::bit(32)::bigint & ~(1 << 31) > 0;
SELECT ('X' || MD5("users"."id"::text))::BIT(32) & B'00000000000000000000000111111111' AS bucket_num, (31 - FLOOR(LOG(2, MIN((('X' || MD5("users"."id"::text))::BIT(32)::bigint & 2147483647) + 1))))::int AS bucket_hash FROM users GROUP BY 1;
SELECT tablename FROM pg_tables WHERE schemaname = 'gitlab' ORDER BY tablename;
SELECT relname, reltuples::bigint FROM pg_class WHERE relkind = 'r' AND relname IN ('projects', 'issues');
SELECT pg_class.relname AS table_name, class.relname AS index_name FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid JOIN pg_class ON pg_class.oid = indrelid WHERE NOT indisvalid;
SELECT a.attname, a.attnum, t.typname, t.typlen, t.typalign FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = 'gitlab.projects'::regclass AND a.attnum > 0 AND NOT attisdropped ORDER BY t.typlen DESC;
SELECT has_table_privilege('gitlab.projects', 'SELECT'), has_schema_privilege('gitlab', 'CREATE'), has_database_privilege(current_database(), 'CREATE'), pg_has_role('pg_monitor', 'MEMBER');
SELECT constrained_table.relname, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint INNER JOIN pg_class constrained_table ON constrained_table.oid = pg_constraint.conrelid WHERE contype = 'f';
SELECT "issues".*, (SELECT array_agg(labels.title) FROM label_links JOIN labels ON labels.id = label_links.label_id WHERE label_links.target_id = issues.id) AS label_titles FROM issues LIMIT 3;
SELECT to_json(array_agg(t)) FROM (SELECT id, title FROM issues ORDER BY id LIMIT 2) t;
SELECT regexp_replace(title, '\d+', '#', 'g'), regexp_match(title, '(\d+)'), regexp_split_to_array(title, ' '), substring(title from '[0-9]+'), title ~ '\d' FROM issues LIMIT 2;
SELECT "issues"."id" FROM "issues" WHERE "issues"."id" IN (VALUES (1), (2), (3));
SELECT * FROM (VALUES (1::bigint, 'a'::text), (2, 'b')) AS batch(id, name) JOIN issues USING (id);
SELECT COUNT(*) FROM issues WHERE (created_at, id) > ('2000-01-01'::timestamptz, 0) AND NOT (closed_at IS DISTINCT FROM NULL AND confidential);
-- primary | locking clause
SELECT "ci_builds".* FROM "ci_builds" WHERE "ci_builds"."id" = 1 AND "ci_builds"."partition_id" = 101 LIMIT 1 FOR UPDATE;
-- primary | UPDATE
WITH marked AS (UPDATE loose_foreign_keys_deleted_records SET cleanup_attempts = cleanup_attempts + 1 WHERE id = 5 RETURNING id) SELECT count(*) FROM marked;
-- primary | advisory
SELECT pg_advisory_xact_lock(hashtext('gitlab')::bigint);
-- primary | pg_stat
SELECT schemaname, relname, n_dead_tup FROM pg_stat_all_tables WHERE relname = 'projects';
-- primary | pg_relation_size
SELECT pg_size_pretty(pg_relation_size('gitlab.issues'));
-- primary | pg_is_in_recovery
SELECT pg_is_in_recovery();
-- primary | pg_current_wal
SELECT pg_current_wal_insert_lsn()::text AS location;
-- primary | pg_stat
SELECT 1 FROM pg_stat_wal_receiver;
