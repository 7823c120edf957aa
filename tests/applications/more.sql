SET search_path = social, public;
SELECT "post"."id", "post"."name", "community"."name", "person"."name", hot_rank("post"."score", "post"."published") FROM (("post" INNER JOIN "person" ON ("post"."creator_id" = "person"."id")) INNER JOIN "community" ON ("post"."community_id" = "community"."id")) LEFT OUTER JOIN "community_actions" ON (("community_actions"."community_id" = "post"."community_id") AND ("community_actions"."person_id" = 1)) WHERE ((("community"."hidden" = 'f') OR ("community_actions"."followed" IS NOT NULL)) AND ("post"."removed" = 'f')) ORDER BY "post"."featured" DESC, hot_rank("post"."score", "post"."published") DESC, "post"."id" DESC LIMIT 10 OFFSET 0;
SELECT "comment"."id", "comment"."path" FROM "comment" WHERE ("comment"."path" <@ '0.1'::ltree) AND (nlevel("comment"."path") <= 8) ORDER BY subpath("comment"."path", 0, -1), "comment"."score" DESC LIMIT 50;
SELECT count(*) FROM comment WHERE path ~ '0.*{1,3}' OR path @ 'x';
SELECT coalesce(sum(p.comments + p.upvotes), 0) FROM post p WHERE p.published >= (CURRENT_TIMESTAMP - '1 month'::interval);
SELECT EXISTS (SELECT "community_actions"."person_id" FROM "community_actions" WHERE ("community_actions"."person_id", "community_actions"."community_id") = (1, 2));
SELECT 'Local'::listing_type, enum_range(NULL::listing_type), 'All'::listing_type < 'Local'::listing_type;
SELECT event_id, stream_ordering FROM events WHERE room_id = '!r1' AND NOT outlier AND ('master' IS NULL OR instance_name = 'master') AND stream_ordering > 3 AND stream_ordering <= 90 ORDER BY topological_ordering ASC, stream_ordering ASC LIMIT 20;
SELECT c.state_key, e.sender, c.membership FROM current_state_events c INNER JOIN events e USING (room_id, event_id) WHERE c.type = 'm.room.member' AND c.room_id = '!r1' ORDER BY 1;
WITH RECURSIVE sgs(state_group) AS (VALUES (4::bigint) UNION ALL SELECT prev_state_group FROM state_group_edges e, sgs s WHERE s.state_group = e.state_group) SELECT DISTINCT ON (type, state_key) type, state_key, event_id FROM state_groups_state WHERE state_group IN (SELECT state_group FROM sgs) ORDER BY type, state_key, state_group DESC;
SELECT room_id, json FROM event_json WHERE event_id = ANY (ARRAY['$e1', '$e2']) ORDER BY 1;
SELECT ej.json::jsonb -> 'content' ->> 'body' FROM event_json ej JOIN events e USING (event_id) WHERE e.type = 'm.room.message' ORDER BY e.stream_ordering LIMIT 2;
SELECT ts_rank_cd(vector, websearch_to_tsquery('english', 'hello')) AS rank, room_id, event_id FROM event_search WHERE vector @@ websearch_to_tsquery('english', 'hello') AND key = 'content.body' ORDER BY rank DESC, event_id LIMIT 5;
SELECT ts_headline('english', 'hello world', websearch_to_tsquery('english', 'hello'), 'StartSel=<, StopSel=>, MaxFragments=50');
SELECT d.user_id FROM user_directory_search AS d WHERE vector @@ to_tsquery('simple', '(u1:* | u1)') ORDER BY ts_rank_cd('{0.1, 0.1, 0.9, 1.0}', vector, to_tsquery('simple', 'u1:*'), 8) DESC LIMIT 3;
SELECT e.event_id FROM event_edges AS e LEFT JOIN events AS ev ON ev.event_id = e.prev_event_id WHERE ev.rejection_reason IS NULL AND e.is_state IS FALSE AND e.event_id = '$e5';
SELECT MAX(stream_ordering), COALESCE(-MIN(stream_ordering), 1) FROM events WHERE room_id = '!r1';
SELECT room_id, thread_id, MAX(stream_id) FROM receipts_linearized WHERE receipt_type IN ('m.read', 'm.read.private') AND user_id = '@u1' GROUP BY room_id, thread_id ORDER BY 1;
SELECT COUNT(*) FROM (SELECT user_id FROM devices WHERE last_seen > 0 AND NOT hidden GROUP BY user_id) u;
SELECT stream_id FROM stream_positions WHERE stream_name = 'events' AND instance_name = ANY ('{master}');
SELECT DISTINCT room_id FROM room_memberships AS m WHERE membership = 'join' AND user_id LIKE '@u%' AND forgotten = 0 ORDER BY 1;
SELECT n.n, e.event_id FROM unnest(ARRAY['$e1', '$e9']) WITH ORDINALITY AS u(id, n) CROSS JOIN generate_series(1, 2) n(n) JOIN events e ON e.event_id = u.id ORDER BY u.n, n.n;
-- primary | nextval
SELECT nextval('events_stream_seq');
-- primary | nextval
SELECT nextval('events_stream_seq') FROM generate_series(1, 3);
-- primary | setval
SELECT setval('events_stream_seq', (SELECT GREATEST(MAX(stream_ordering), 1) FROM events));
-- primary | sequence
SELECT last_value FROM events_stream_seq;
-- primary | sequence
SELECT is_called, last_value >= (SELECT max(stream_ordering) FROM events) FROM events_stream_seq;
-- primary | advisory
SELECT pg_try_advisory_xact_lock(hashtext('background_updates'));
SHOW TRANSACTION ISOLATION LEVEL;
SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database();
SET search_path = music, public;
SELECT artist.id, artist.gid, artist.name, artist.comment FROM artist WHERE artist.gid IN ('00000000-0000-0000-0000-000000000000', md5('a3')::uuid) ORDER BY 1;
SELECT DISTINCT ON (musicr.name) musicr.id, musicr.name, m.position, m.track_count FROM release musicr JOIN medium m ON m.release = musicr.id WHERE musicr.date_year BETWEEN 1990 AND 1999 ORDER BY musicr.name, m.position;
SELECT rg.id, rg.name, rg.artist_credit, array_agg(DISTINCT r.status ORDER BY r.status) AS statuses, min(dates_text(r.date_year, r.date_month, r.date_day)) AS first FROM release_group rg LEFT JOIN release r ON r.release_group = rg.id GROUP BY rg.id ORDER BY first NULLS LAST, rg.name COLLATE "C" LIMIT 10;
SELECT t.name, t.length, to_char((t.length || ' ms')::interval, 'MI:SS') FROM track t WHERE t.medium = any('{1,2}') ORDER BY t.medium, t.position;
SELECT medium FROM tracklist_index WHERE toc <@ cube_enlarge(toc_of(ARRAY[3000, 6000]), 20000, 6) ORDER BY cube_distance(toc, toc_of(ARRAY[3000, 6000])) LIMIT 3;
SELECT tag.name, sum(count) AS total FROM artist_tag JOIN tag ON tag.id = artist_tag.tag GROUP BY tag.id HAVING sum(count) > 5 ORDER BY total DESC, tag.name;
SELECT e.id, e.data #>> '{entity,id}', e.data -> 'entity' ? 'id' FROM edit e WHERE e.data @? '$.entity.id ? (@ > 25)' ORDER BY 1;
SELECT editor, count(*) FILTER (WHERE status = 1) AS open, date_trunc('day', min(open_time)) <= now() FROM edit GROUP BY GROUPING SETS ((editor), ()) ORDER BY editor NULLS LAST;
SELECT to_tsvector('catalogue', name) @@ plainto_tsquery('catalogue', 'album') FROM release ORDER BY id LIMIT 2;
SELECT a.name, similarity(a.name, 'Artst 3') FROM artist a WHERE a.name % 'Artist 3' ORDER BY 2 DESC, 1 LIMIT 3;
SELECT (c).joined FROM (SELECT ROW(a.id, a.name)::credit AS c FROM artist a ORDER BY a.id LIMIT 2) x;
SELECT '5'::track_length + 1, NULL::track_length IS NULL;
SELECT width_bucket(rating, 0, 100, 5), count(*) FROM rating GROUP BY 1 ORDER BY 1;
SELECT array_accum(DISTINCT t.name) FROM tag t WHERE t.id < 3;
SELECT string_agg(longest, ',') FROM (SELECT longest(name) FROM track GROUP BY medium % 3) s(longest);
SELECT id FROM artist TABLESAMPLE SYSTEM_ROWS (100) WHERE id < 0;
SET search_path = storage, public;
SELECT "id", "name", "public" FROM "storage"."buckets" WHERE "id" = 'docs' AND "public" = false;
-- primary | current_setting() of request.jwt
SELECT o.name, storage.extension(o.name) FROM storage.objects o WHERE bucket_id = 'avatars' AND (storage.foldername(name))[1] = 'folder2' AND auth.uid() IS NULL IS NOT NULL ORDER BY o.name LIMIT 0;
SELECT count(*), sum((metadata->>'size')::int), avg(cast(metadata->>'size' AS numeric)), path_tokens[1] FROM objects GROUP BY path_tokens[1] ORDER BY 4;
-- primary | search_sorted
SELECT key FROM search_sorted('folder0', 'avatars', 'asc') LIMIT 0;
SELECT common_prefix(name, '', '/') AS folder, min(name) FROM objects GROUP BY 1 ORDER BY 1;
SELECT s.* FROM size_by_bucket() WITH ORDINALITY AS s(size, bucket, n) ORDER BY bucket;
SELECT json_build_object('objects', (SELECT json_agg(row_to_json(o)) FROM (SELECT name, bucket_id FROM objects ORDER BY name LIMIT 2) o), 'total', (SELECT count(*) FROM objects));
SET search_path = queue, public;
SELECT o0."id", o0."state", o0."args" FROM "queue"."oban_jobs" AS o0 WHERE (o0."state" = 'available') AND (o0."queue" = 'q1') ORDER BY o0."priority", o0."scheduled_at", o0."id" LIMIT 5;
SELECT o0."queue", o0."state"::text, count(o0."id") FROM "oban_jobs" AS o0 GROUP BY o0."queue", o0."state" ORDER BY 1, 2;
SELECT count(o0.id) FROM oban_jobs o0 WHERE o0.state = ANY (ARRAY['available', 'scheduled']::job_state[]) AND o0.args @> '{}' AND 'x' <> ALL (o0.tags);
SELECT id, extract(epoch FROM (now() - scheduled_at)) > 0 AS late, cardinality(errors), errors[cardinality(errors)] ->> 'error' FROM oban_jobs WHERE id < 4 ORDER BY id;
SELECT s.state, coalesce(c.n, 0) FROM unnest(enum_range(NULL::job_state)) AS s(state) LEFT JOIN (SELECT state, count(*) AS n FROM oban_jobs GROUP BY 1) c USING (state) ORDER BY s.state;
SELECT q.queue_name, m.vt <= clock_timestamp() FROM list_queues() q, q_mail m ORDER BY m.msg_id LIMIT 1;
SELECT task_identifier, count(*) FILTER (WHERE locked_at IS NULL AND run_at <= now()) FROM jobs GROUP BY task_identifier ORDER BY 1;
SELECT min(run_at) <= now(), max(backoff(attempts)) FROM jobs;
SELECT lock_of('x'), hashtext('x'), hashtextextended('x', 0);
-- primary | locking clause
SELECT id FROM oban_jobs WHERE state = 'available' ORDER BY priority LIMIT 1 FOR UPDATE SKIP LOCKED;
-- primary | locking clause
SELECT id FROM oban_jobs WHERE id = 1 FOR NO KEY UPDATE NOWAIT;
-- primary | UPDATE
WITH subset AS MATERIALIZED (SELECT id FROM oban_jobs WHERE state = 'available' LIMIT 1 FOR UPDATE SKIP LOCKED) UPDATE oban_jobs AS j SET state = 'executing', attempt = j.attempt + 1 FROM subset WHERE j.id = subset.id RETURNING j.id;
-- primary | DELETE
WITH gone AS (DELETE FROM jobs WHERE attempts >= max_attempts RETURNING id) SELECT count(*) FROM gone;
-- primary | pg_notify
SELECT pg_notify('oban_insert', json_build_object('queue', 'q1')::text);
-- primary | advisory
SELECT pg_try_advisory_lock(1, 2);
-- primary | advisory
SELECT pg_advisory_unlock(1, 2);
-- primary | pg_locks
SELECT objid, classid FROM pg_locks WHERE locktype = 'advisory' AND granted;
-- primary | LISTEN
LISTEN oban_insert;
-- primary | UNLISTEN
UNLISTEN oban_insert;
SET search_path = erp, public;
SELECT "name", "item_name" FROM "tabItem" WHERE "tabItem"."disabled" = 0 AND coalesce("tabItem"."item_group", '') LIKE 'G%' ORDER BY "tabItem"."creation" DESC, name LIMIT 20 OFFSET 0;
SELECT SUM(ABS("actual_qty")) "qty", "item_code" FROM "tabBin" WHERE "warehouse" IN ('W1') GROUP BY "item_code" HAVING SUM("actual_qty") > 3 ORDER BY "item_code";
SELECT a.accno, a.description, account__balance(a.id) FROM account a WHERE a.category = 'A' ORDER BY a.accno;
SELECT l.account, sum(l.amount) OVER (PARTITION BY l.account ORDER BY l.id ROWS UNBOUNDED PRECEDING) AS running FROM journal_line l WHERE l.account < 3 ORDER BY l.id;
SELECT * FROM (SELECT month, account, amount, lag(amount) OVER (PARTITION BY account ORDER BY month) FROM balance_by_month) m WHERE account = 3;
SELECT x.id, x.path FROM (WITH RECURSIVE b(id, path) AS (SELECT id, ARRAY[id] FROM product WHERE is_bom UNION ALL SELECT l.component, b.path || l.component FROM b JOIN bom_line l ON l.product = b.id) CYCLE id SET looped USING seen SELECT * FROM b) x ORDER BY 1, 2;
SELECT p.value, (bom_price(p.id) * 1.19)::numeric(12, 2) FROM product p WHERE bom_price(p.id) > 20 ORDER BY 2 DESC, 1;
SELECT d.setting_key, (setting_get('curr')).value, split_part((setting_get('curr')).value, ':', 1) FROM defaults d ORDER BY 1;
SELECT t.accno, t.debits - t.credits FROM trial_balance('2024-01-01', '2024-02-01') t WHERE t.debits > 0;
SELECT coalesce(unix_timestamp(posted::timestamptz), 0) FROM journal ORDER BY id LIMIT 1;
SELECT any_of(VARIADIC ARRAY[false, NULL]), path_of(j => '{"a": 1}', VARIADIC keys => ARRAY['a']);
SELECT * FROM journal j WHERE j.reference ~* '^j1' AND j.posted = ANY (SELECT posted FROM journal WHERE id < 5) ORDER BY j.id;
SELECT g.day, count(j.id) FROM generate_series('2024-01-01'::date, '2024-01-05', '1 day') g(day) LEFT JOIN journal j ON j.posted = g.day GROUP BY 1 ORDER BY 1;
SELECT entity.*, my_entity() = entity.id AS me FROM entity;
SELECT has_table_privilege(current_user, 'erp.account', 'SELECT'), pg_has_role('pg_monitor', 'member'), obj_description('erp.account'::regclass), col_description('erp.account'::regclass, 1);
EXPLAIN (COSTS OFF) SELECT * FROM balances WHERE id = 3;
-- primary | currval
SELECT currval(pg_get_serial_sequence('erp.account', 'id'));
-- primary | lastval
SELECT lastval();
-- primary | INSERT
WITH n AS (INSERT INTO account (accno) VALUES ('9999') RETURNING id) SELECT * FROM n;
-- primary | INTO
SELECT * INTO TEMP scratch_accounts FROM account;
-- primary | pg_current_xact_id
SELECT pg_current_xact_id();
-- primary | pg_is_in_recovery
SELECT CASE WHEN pg_is_in_recovery() THEN 'secondary' ELSE 'primary' END;
-- primary | pg_stat
SELECT n_live_tup, n_dead_tup, last_autovacuum FROM pg_stat_user_tables WHERE relname = 'account';
-- primary | pg_total_relation_size
SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c WHERE c.relname = 'account';
-- primary | pg_database_size
SELECT datname, pg_database_size(datname) FROM pg_database WHERE datname = current_database();
-- primary | pg_stat_replication
SELECT application_name, state, replay_lsn FROM pg_stat_replication;
-- primary | backend
SELECT pg_backend_pid();
-- primary | pg_current_wal
SELECT pg_current_wal_lsn();
-- primary | pg_sequences
SELECT schemaname, sequencename, max_value FROM pg_sequences s WHERE s.* IS NOT NULL;
-- primary | pg_sequences
SELECT sequencename, last_value, max_value FROM pg_sequences WHERE last_value IS NOT NULL;
