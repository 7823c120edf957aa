SET search_path = mastodon, public;
SELECT "statuses"."id", "statuses"."updated_at" FROM (SELECT id, created_at AS updated_at, account_id, reblog_of_id, visibility, deleted_at FROM statuses) "statuses" WHERE "statuses"."deleted_at" IS NULL AND "statuses"."visibility" IN (0, 1) ORDER BY "statuses"."id" DESC LIMIT 20;
SELECT "statuses".* FROM "statuses" LEFT OUTER JOIN "accounts" ON "accounts"."id" = "statuses"."account_id" WHERE "statuses"."visibility" = 0 AND (statuses.reblog_of_id IS NULL) AND (statuses.reply = FALSE OR statuses.in_reply_to_account_id = statuses.account_id) AND "accounts"."silenced_at" IS NULL AND ("statuses"."language" IN ('en') OR "statuses"."language" IS NULL) ORDER BY "statuses"."id" DESC LIMIT 20;
WITH RECURSIVE search_tree(id, in_reply_to_id, path) AS (SELECT id, in_reply_to_id, ARRAY[id] FROM statuses WHERE id = 1001 UNION ALL SELECT statuses.id, statuses.in_reply_to_id, path || statuses.id FROM search_tree JOIN statuses ON statuses.id = search_tree.in_reply_to_id WHERE NOT statuses.id = ANY(path)) SELECT id FROM search_tree ORDER BY path LIMIT 40;
WITH RECURSIVE search_tree(id, path) AS (SELECT id, ARRAY[id] FROM statuses WHERE id = 1001 AND COALESCE(NULL) IS NULL UNION ALL SELECT statuses.id, path || statuses.id FROM search_tree JOIN statuses ON statuses.in_reply_to_id = search_tree.id WHERE COALESCE(array_length(path, 1) < 20, TRUE) AND NOT statuses.id = ANY(path)) SELECT id FROM search_tree ORDER BY path;
SELECT accounts.*, ts_rank_cd((setweight(to_tsvector('simple', accounts.display_name), 'A') || setweight(to_tsvector('simple', accounts.username), 'B') || setweight(to_tsvector('simple', coalesce(accounts.domain, '')), 'C')), to_tsquery('simple', '''acct1'':*'), 32) AS rank FROM accounts LEFT JOIN account_stats AS s ON accounts.id = s.account_id WHERE to_tsquery('simple', '''acct1'':*') @@ (setweight(to_tsvector('simple', accounts.display_name), 'A') || setweight(to_tsvector('simple', accounts.username), 'B')) AND accounts.suspended_at IS NULL ORDER BY rank DESC LIMIT 10;
WITH first_degree AS (SELECT target_account_id FROM follows WHERE account_id = 1 UNION ALL SELECT 1) SELECT accounts.*, (count(f.id) + 1) * (greatest(0, coalesce(s.followers_count, 0)) / (greatest(0, coalesce(s.following_count, 0)) + 1.0)) AS rank FROM accounts LEFT OUTER JOIN follows AS f ON (accounts.id = f.account_id AND f.target_account_id = 1) LEFT JOIN account_stats AS s ON accounts.id = s.account_id WHERE accounts.id IN (SELECT * FROM first_degree) GROUP BY accounts.id, s.id, s.followers_count, s.following_count ORDER BY rank DESC LIMIT 10;
SELECT "follows"."target_account_id" FROM "follows" WHERE "follows"."account_id" = 1;
SELECT "accounts".* FROM "accounts" WHERE "accounts"."id" NOT IN (SELECT target_account_id FROM blocks WHERE account_id = 1 UNION SELECT target_account_id FROM mutes WHERE account_id = 1) LIMIT 5;
SELECT instances.* FROM "instances" ORDER BY accounts_count DESC;
SELECT "user_ips".* FROM "user_ips" ORDER BY used_at DESC, id LIMIT 5;
SELECT axis.*, (WITH new_statuses AS (SELECT statuses.id FROM statuses WHERE date_trunc('day', statuses.created_at)::date = axis.period) SELECT count(*) FROM new_statuses) AS value FROM (SELECT generate_series(date_trunc('day', '2024-01-01'::timestamp)::date, date_trunc('day', '2024-01-05'::timestamp)::date, interval '1 day') AS period) AS axis;
SELECT statuses.id, statuses.text FROM statuses WHERE (statuses.ordered_media_attachment_ids IS NULL) AND statuses.id > ((date_part('epoch', '2020-01-01'::timestamp) * 1000)::bigint << 16);
SELECT tags.*, count(*) FROM tags JOIN statuses_tags ON tags.id = statuses_tags.tag_id GROUP BY tags.id ORDER BY 6 DESC;
SELECT languages.lang, count(*) FROM (SELECT unnest(languages) AS lang FROM follows) languages GROUP BY 1;
SELECT count(*), sum(file_file_size) FROM media_attachments WHERE created_at > now() - interval '1 day';
SELECT to_timestamp((1234567890123456 >> 16) / 1000.0), ('x' || 'ff')::bit(8)::int;
SELECT concat_ws('@', username, domain), split_part('a@b', '@', 2), initcap(display_name), translate(username, 'a', 'b'), left(username, 2), right(username, 2), repeat('x', 3), chr(65), ascii('A'), format('%s-%I-%L', 'a', 'b', 'c'), quote_literal('x'), quote_ident('X'), btrim('  x '), octet_length('ä'), char_length('ä'), overlay('abc' placing 'z' from 2), normalize('é', NFC) FROM accounts LIMIT 1;
-- primary | timestamp_id
SELECT timestamp_id('statuses') IS NOT NULL;
-- primary | sequence
SELECT nextval('statuses_id_seq');
-- primary | REFRESH
REFRESH MATERIALIZED VIEW CONCURRENTLY instances;
-- primary | INSERT
INSERT INTO favourites (account_id, status_id) VALUES (1, 1001);
