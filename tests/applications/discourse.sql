SET search_path = discourse, public;
SELECT "topics".* FROM "topics" LEFT OUTER JOIN "topic_users" AS tu ON (topics.id = tu.topic_id AND tu.user_id = 1) WHERE "topics"."deleted_at" IS NULL AND (topics.archetype <> 'private_message') AND (COALESCE(tu.notification_level, 1) > 0) AND (topics.category_id IS NULL OR topics.category_id IN (SELECT id FROM categories WHERE NOT read_restricted)) ORDER BY CASE WHEN (COALESCE(topics.pinned_at, '1900-01-01') > COALESCE(tu.cleared_pinned_at, '1900-01-01')) THEN topics.pinned_at ELSE '1900-01-01' END DESC, CASE WHEN topics.bumped_at - NOW() > interval '0' THEN 1 ELSE 0 END, topics.bumped_at DESC LIMIT 30;
SELECT t.id AS topic_id, t.created_at, u.id AS user_id, t.highest_post_number, tu.last_read_post_number FROM topics t JOIN users u ON u.id = 1 JOIN user_stats AS us ON us.user_id = u.id LEFT JOIN topic_users tu ON tu.topic_id = t.id AND tu.user_id = u.id WHERE t.archetype <> 'private_message' AND ((tu.last_read_post_number IS NULL AND COALESCE(tu.notification_level, 2) >= 2 AND t.created_at >= GREATEST(u.created_at - INTERVAL '2 days', us.new_since)) OR (tu.last_read_post_number < t.highest_post_number)) AND t.visible AND t.deleted_at IS NULL ORDER BY t.bumped_at DESC LIMIT 100;
SELECT "posts"."id" FROM "posts" INNER JOIN "post_search_data" ON "post_search_data"."post_id" = "posts"."id" INNER JOIN "topics" ON "topics"."id" = "posts"."topic_id" AND ("topics"."deleted_at" IS NULL) LEFT JOIN categories ON categories.id = topics.category_id WHERE "posts"."deleted_at" IS NULL AND "posts"."post_type" IN (1, 2, 3) AND (post_search_data.search_data @@ TO_TSQUERY('english', '''raw'':*ABCD')) AND ((categories.id IS NULL) OR (NOT categories.read_restricted)) ORDER BY (TS_RANK_CD(post_search_data.search_data, TO_TSQUERY('english', '''raw'':*ABCD'), 1|32) * (CASE categories.position WHEN 1 THEN 0.6 WHEN 2 THEN 0.8 ELSE CASE WHEN topics.closed THEN 0.9 ELSE 1 END END)) DESC, posts.created_at DESC LIMIT 6;
SELECT TO_TSVECTOR('english', 'The quick brown fox'), TO_TSQUERY('simple', 'fox'), QUERYTREE(TO_TSQUERY('english', 'fox & dog')), NUMNODE('a & b'::tsquery), TSVECTOR_TO_ARRAY(TO_TSVECTOR('english', 'a fox')), TS_LEXIZE('english_stem', 'running'), strip(to_tsvector('a b')), get_current_ts_config();
SELECT alias, token FROM ts_debug('english', 'a fat cat');
SELECT lexeme, positions, weights FROM unnest(to_tsvector('english', 'raw text raw'));
SELECT word, ndoc FROM ts_stat('SELECT search_data FROM discourse.post_search_data') ORDER BY ndoc DESC, word LIMIT 5;
SELECT "posts".* FROM "posts" WHERE ("posts"."deleted_at" IS NULL) AND "posts"."topic_id" = 1 ORDER BY sort_order LIMIT 20;
SELECT posts.id, (SELECT COUNT(*) FROM posts p2 WHERE p2.topic_id = posts.topic_id AND p2.sort_order < posts.sort_order) AS idx FROM posts WHERE topic_id = 2;
SELECT p.user_id, count(*) AS count FROM posts p WHERE p.topic_id IN (1, 2) AND p.post_type = 1 AND p.user_id IS NOT NULL GROUP BY 1 ORDER BY count DESC LIMIT 24;
SELECT "badge_posts".* FROM "badge_posts" LIMIT 4;
SELECT bp.user_id, min(bp.id) FROM badge_posts bp WHERE ('x' = 'x') GROUP BY bp.user_id HAVING count(*) > 3;
SELECT "notifications".* FROM "notifications" WHERE "notifications"."user_id" = 1 AND (notifications.high_priority AND NOT read OR notification_type NOT IN (6)) ORDER BY notifications.high_priority AND NOT read DESC, notifications.created_at DESC LIMIT 30;
SELECT COUNT(*) FROM (SELECT 1 FROM notifications n LEFT JOIN topics t ON t.id = n.topic_id WHERE t.deleted_at IS NULL AND n.user_id = 3 AND NOT read LIMIT 99) AS x;
SELECT "users".* FROM "users" WHERE "users"."username_lower" = 'u1' LIMIT 1;
SELECT "users"."id" FROM "users" INNER JOIN "user_emails" ON "user_emails"."user_id" = "users"."id" AND "user_emails"."primary" WHERE (lower(user_emails.email) = 'x@y.z');
SELECT users.id, ROW_NUMBER() OVER (ORDER BY trust_level DESC, id) FROM users WHERE active AND NOT staged AND (suspended_till IS NULL OR suspended_till <= '2024-06-01') AND id > 0;
SELECT visited_at::date AS date, count(*) FROM user_visits WHERE visited_at >= '2024-01-01' AND visited_at <= (('2024-02-01'::date) + 1) GROUP BY visited_at ORDER BY visited_at;
WITH periods AS (SELECT generate_series('2024-05-01'::date, '2024-05-10'::date, '1 day'::interval)::date AS day) SELECT day, count(users.id) FROM periods LEFT JOIN users ON users.created_at::date = periods.day GROUP BY day ORDER BY day;
SELECT c.id, (SELECT array_agg(t.id ORDER BY t.bumped_at DESC) FROM topics t WHERE t.category_id = c.id) AS topic_ids FROM categories c;
WITH RECURSIVE ancestors(category_id, ancestor_id, depth) AS (SELECT id, parent_category_id, 0 FROM categories UNION SELECT a.category_id, c.parent_category_id, a.depth + 1 FROM categories c JOIN ancestors a ON a.ancestor_id = c.id) SELECT * FROM ancestors WHERE ancestor_id IS NOT NULL;
SELECT name, data_type, value FROM site_settings;
SELECT value, type_name FROM plugin_store_rows WHERE plugin_name = 'x' AND key ILIKE 'y%';
SELECT tags.name AS tag_name, SUM(tags.public_topic_count) AS sum_topic_count FROM tags JOIN topic_tags ON tags.id = topic_tags.tag_id GROUP BY tags.name ORDER BY sum_topic_count DESC, tag_name ASC LIMIT 30;
SELECT PERCENTILE_CONT(ARRAY[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY like_count) FROM topics WHERE deleted_at IS NULL;
SELECT xmlparse(document '<a/>') IS DOCUMENT, ('<p>x</p>'::xml)::text, xpath('/p/text()', '<p>x</p>'::xml);
SELECT regexp_matches(raw, '(\w+)', 'g') FROM posts LIMIT 2;
SELECT posts.id FROM posts WHERE raw ~ '\Araw' AND cooked LIKE '%<p>%' AND word_count IS NULL ORDER BY random() LIMIT 1;
SELECT EXTRACT(epoch FROM MAX(created_at)) FROM posts;
SELECT 1 FROM information_schema.tables WHERE table_schema = 'discourse' AND table_name = 'plugin_store_rows';
SELECT table_name, column_name, data_type, character_maximum_length FROM information_schema.columns WHERE table_schema = 'discourse' ORDER BY table_name, column_name;
SELECT DISTINCT(table_name) FROM information_schema.columns WHERE table_schema = 'discourse' AND column_name = 'user_id';
SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'backup';
SELECT proname FROM pg_proc WHERE prosrc LIKE '%readonly%';
SELECT trigger_name, event_object_table FROM information_schema.triggers WHERE trigger_name LIKE '%_readonly';
-- primary | pg_database_size
SELECT pg_database_size('postgres');
-- primary | pg_total_relation_size
SELECT relname, pg_size_pretty(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relnamespace = 'discourse'::regnamespace AND relkind = 'r';
-- primary | UPDATE
UPDATE topics SET views = views + 1 WHERE id = 1;
-- primary | INSERT
INSERT INTO topic_users (user_id, topic_id) SELECT 1, 2 WHERE NOT EXISTS (SELECT 1 FROM topic_users WHERE user_id = 1 AND topic_id = 2);
