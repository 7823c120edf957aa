-- What the statements of the other applications are about; loaded behind schema.sql.
CREATE EXTENSION btree_gin;
CREATE EXTENSION seg;
CREATE EXTENSION lo;
CREATE EXTENSION xml2;
CREATE EXTENSION dict_int;
CREATE EXTENSION bloom;
CREATE EXTENSION tsm_system_rows;

-- A music catalogue: many functions that read, most of them volatile by default
CREATE SCHEMA music;
SET search_path = music, public;
CREATE DOMAIN track_length AS int CHECK (value IS NULL OR value > 0);
CREATE TYPE credit AS (artist int, joined text);
CREATE TABLE artist (id serial PRIMARY KEY, gid uuid NOT NULL UNIQUE, name text NOT NULL, sort_name text NOT NULL, begin_date_year smallint, begin_date_month smallint, begin_date_day smallint, type int, area int, gender int, comment varchar(255) NOT NULL DEFAULT '', edits_pending int NOT NULL DEFAULT 0, last_updated timestamptz DEFAULT now(), ended boolean NOT NULL DEFAULT false);
CREATE TABLE artist_credit (id serial PRIMARY KEY, name text NOT NULL, artist_count smallint NOT NULL, ref_count int DEFAULT 0);
CREATE TABLE artist_credit_name (artist_credit int NOT NULL REFERENCES artist_credit, position smallint NOT NULL, artist int NOT NULL REFERENCES artist, name text NOT NULL, join_phrase text NOT NULL DEFAULT '', PRIMARY KEY (artist_credit, position));
CREATE TABLE release_group (id serial PRIMARY KEY, gid uuid NOT NULL, name text NOT NULL, artist_credit int NOT NULL REFERENCES artist_credit, type int, edits_pending int NOT NULL DEFAULT 0, last_updated timestamptz DEFAULT now());
CREATE TABLE release (id serial PRIMARY KEY, gid uuid NOT NULL, name text NOT NULL, artist_credit int NOT NULL REFERENCES artist_credit, release_group int NOT NULL REFERENCES release_group, status int, barcode varchar(255), date_year smallint, date_month smallint, date_day smallint);
CREATE TABLE medium (id serial PRIMARY KEY, release int NOT NULL REFERENCES release, position int NOT NULL, track_count int NOT NULL DEFAULT 0);
CREATE TABLE track (id serial PRIMARY KEY, gid uuid NOT NULL, recording int NOT NULL, medium int NOT NULL REFERENCES medium, position int NOT NULL, number text NOT NULL, name text NOT NULL, artist_credit int NOT NULL, length track_length);
CREATE TABLE tracklist_index (medium int PRIMARY KEY, toc cube);
CREATE TABLE artist_tag (artist int NOT NULL, tag int NOT NULL, count int NOT NULL, PRIMARY KEY (artist, tag));
CREATE TABLE tag (id serial PRIMARY KEY, name varchar(255) NOT NULL, ref_count int NOT NULL DEFAULT 0);
CREATE TABLE edit (id serial PRIMARY KEY, editor int NOT NULL, type smallint NOT NULL, status smallint NOT NULL, open_time timestamptz DEFAULT now(), data jsonb NOT NULL DEFAULT '{}');
CREATE TABLE edit_artist (edit int NOT NULL, artist int NOT NULL, status smallint NOT NULL, PRIMARY KEY (edit, artist));
CREATE TABLE area (id serial PRIMARY KEY, name text NOT NULL, parent int REFERENCES area);
CREATE TABLE rating (artist int NOT NULL, editor int NOT NULL, rating smallint NOT NULL CHECK (rating BETWEEN 0 AND 100), PRIMARY KEY (artist, editor));
CREATE FUNCTION plain_name(txt text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, txt)) $$;
CREATE FUNCTION page_of(txt varchar) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE input varchar; res int := 0; x varchar;
BEGIN
  input := regexp_replace(upper(substr(music.plain_name(txt), 1, 6)), '[^A-Z ]', '_', 'g');
  FOR i IN 1..6 LOOP
    x := substr(input, i, 1);
    IF x = '_' OR x = '' THEN res := res << 5;
    ELSIF x = ' ' THEN res := (res << 5) | 1;
    ELSE res := (res << 5) | (ascii(x) - 63);
    END IF;
  END LOOP;
  RETURN res;
END $$;
CREATE FUNCTION random_uuid_v4() RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE value varchar(36) := '';
BEGIN
  FOR i IN 1..16 LOOP
    value := value || lpad(to_hex(CASE i WHEN 7 THEN (ceil(random() * 255)::int & 15) | 64 ELSE ceil(random() * 255)::int END), 2, '0');
    IF i IN (4, 6, 8, 10) THEN value := value || '-'; END IF;
  END LOOP;
  RETURN value::uuid;
END $$;
CREATE FUNCTION hex_value(t text) RETURNS int LANGUAGE plpgsql IMMUTABLE STRICT AS $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'SELECT x''' || t || '''::integer AS hex' LOOP RETURN r.hex; END LOOP; END $$;
CREATE FUNCTION toc_of(durations int[]) RETURNS cube LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE str varchar := '('; n int := array_upper(durations, 1); dim CONSTANT int := 6; selected int[]; dest int;
BEGIN
  FOR i IN 1..dim LOOP selected[i] := 0; END LOOP;
  FOR i IN 1..n LOOP
    dest := least((dim * (i - 1) / n) + 1, dim);
    selected[dest] = selected[dest] + durations[i];
  END LOOP;
  FOR i IN 1..dim LOOP
    IF i > 1 THEN str := str || ','; END IF;
    str := str || cast(selected[i] as text);
  END LOOP;
  RETURN (str || ')')::public.cube;
END $$;
CREATE FUNCTION unused_artists() RETURNS SETOF int LANGUAGE sql AS $$
  SELECT id FROM music.artist WHERE id > 2 AND edits_pending = 0 AND (last_updated < now() - '1 day'::interval OR last_updated IS NOT NULL)
  EXCEPT SELECT artist FROM music.edit_artist WHERE status = 1
  EXCEPT SELECT artist FROM music.artist_credit_name $$;
CREATE FUNCTION credited_as(credit_id int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT string_agg(name || join_phrase, '' ORDER BY position) FROM music.artist_credit_name WHERE artist_credit = $1 $$;
CREATE FUNCTION mean_rating(for_artist int, OUT average numeric, OUT votes bigint) LANGUAGE plpgsql AS $$ BEGIN SELECT avg(rating), count(*) INTO average, votes FROM music.rating WHERE artist = for_artist; END $$;
CREATE FUNCTION area_path(a int) RETURNS TABLE (id int, name text, depth int) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY WITH RECURSIVE up AS (SELECT area.id, area.name, area.parent, 0 AS depth FROM music.area WHERE area.id = a UNION ALL SELECT p.id, p.name, p.parent, up.depth + 1 FROM music.area p JOIN up ON up.parent = p.id) SELECT up.id, up.name, up.depth FROM up;
END $$;
CREATE FUNCTION dates_text(y smallint, m smallint, d smallint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT concat_ws('-', to_char(y, 'FM0000'), to_char(m, 'FM00'), to_char(d, 'FM00')) $$;
CREATE FUNCTION medium_length(m int) RETURNS int LANGUAGE plpgsql STABLE AS $$ DECLARE total int := 0; t music.track%ROWTYPE; BEGIN FOR t IN SELECT * FROM music.track WHERE medium = m LOOP total := total + coalesce(t.length, 0); END LOOP; RETURN total; END $$;
CREATE FUNCTION take_edit(e int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN UPDATE music.edit SET status = 2 WHERE id = e AND status = 1; RETURN FOUND; END $$;
CREATE FUNCTION bump(tbl varchar, row_id int, val int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT ref_count FROM ' || tbl || ' WHERE id = ' || row_id || ' FOR UPDATE'; EXECUTE 'UPDATE ' || tbl || ' SET ref_count = ref_count + ' || val || ' WHERE id = ' || row_id; END $$;
CREATE AGGREGATE array_accum (anycompatible) (sfunc = array_append, stype = anycompatiblearray, initcond = '{}');
CREATE FUNCTION keep_longest(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN length($2) > length($1) THEN $2 ELSE $1 END $$;
CREATE AGGREGATE longest (text) (sfunc = keep_longest, stype = text, initcond = '');
CREATE VIEW artist_overview AS SELECT a.id, a.name, music.dates_text(a.begin_date_year, a.begin_date_month, a.begin_date_day) AS begun, (SELECT count(*) FROM music.artist_credit_name n WHERE n.artist = a.id) AS credits, r.average, r.votes FROM music.artist a CROSS JOIN LATERAL music.mean_rating(a.id) r;
CREATE VIEW release_line AS SELECT r.id, r.name, music.credited_as(r.artist_credit) AS artist, max(music.medium_length(m.id)) AS length FROM music.release r JOIN music.medium m ON m.release = r.id GROUP BY r.id;
CREATE TEXT SEARCH CONFIGURATION catalogue (COPY = simple);
INSERT INTO artist (gid, name, sort_name, begin_date_year, type, area) SELECT md5('a' || i)::uuid, 'Artist ' || i, 'artist ' || i, 1950 + i, i % 3, 1 + i % 4 FROM generate_series(1, 40) i;
INSERT INTO artist_credit (name, artist_count) SELECT 'Artist ' || i, 1 FROM generate_series(1, 30) i;
INSERT INTO artist_credit_name SELECT i, 0, i, 'Artist ' || i, '' FROM generate_series(1, 30) i;
INSERT INTO release_group (gid, name, artist_credit, type) SELECT md5('g' || i)::uuid, 'Album ' || i, 1 + i % 30, i % 4 FROM generate_series(1, 40) i;
INSERT INTO release (gid, name, artist_credit, release_group, status, date_year) SELECT md5('r' || i)::uuid, 'Album ' || i, 1 + i % 30, i, 1, 1990 + i % 20 FROM generate_series(1, 40) i;
INSERT INTO medium (release, position, track_count) SELECT i, 1, 5 FROM generate_series(1, 40) i;
INSERT INTO track (gid, recording, medium, position, number, name, artist_credit, length) SELECT md5('t' || i)::uuid, i, 1 + i % 40, 1 + i / 40, (1 + i / 40)::text, 'Track ' || i, 1 + i % 30, 100000 + i * 100 FROM generate_series(0, 199) i;
INSERT INTO tracklist_index SELECT id, toc_of(ARRAY[id * 1000, id * 2000]) FROM medium;
INSERT INTO tag (name) SELECT 'tag' || i FROM generate_series(1, 10) i;
INSERT INTO artist_tag SELECT 1 + i % 40, 1 + i % 9, i FROM generate_series(1, 80) i ON CONFLICT DO NOTHING;
INSERT INTO area (name, parent) VALUES ('World', NULL), ('Europe', 1), ('France', 2), ('Paris', 3);
INSERT INTO rating SELECT 1 + i % 20, i, (i * 7) % 100 FROM generate_series(1, 60) i;
INSERT INTO edit (editor, type, status, data) SELECT i % 5, 51 + i % 3, 1 + i % 3, jsonb_build_object('entity', jsonb_build_object('id', i)) FROM generate_series(1, 30) i;
INSERT INTO edit_artist SELECT i, i, 1 FROM generate_series(31, 35) i;

-- A federated forum and a chat server
CREATE SCHEMA social;
SET search_path = social, public;
CREATE TYPE listing_type AS ENUM ('All', 'Local', 'Subscribed');
CREATE TABLE person (id serial PRIMARY KEY, name varchar(255) NOT NULL, actor_id varchar(255) NOT NULL, local boolean NOT NULL DEFAULT true, bot_account boolean NOT NULL DEFAULT false, banned boolean NOT NULL DEFAULT false, published timestamptz NOT NULL DEFAULT now());
CREATE TABLE community (id serial PRIMARY KEY, name varchar(255) NOT NULL, title varchar(255) NOT NULL, nsfw boolean NOT NULL DEFAULT false, removed boolean NOT NULL DEFAULT false, hidden boolean NOT NULL DEFAULT false, subscribers bigint NOT NULL DEFAULT 0, interactions numeric NOT NULL DEFAULT 1);
CREATE TABLE post (id serial PRIMARY KEY, name varchar(200) NOT NULL, url text, body text, creator_id int NOT NULL REFERENCES person, community_id int NOT NULL REFERENCES community, removed boolean NOT NULL DEFAULT false, deleted boolean NOT NULL DEFAULT false, score bigint NOT NULL DEFAULT 0, upvotes bigint NOT NULL DEFAULT 0, downvotes bigint NOT NULL DEFAULT 0, comments bigint NOT NULL DEFAULT 0, published timestamptz NOT NULL DEFAULT now(), featured boolean NOT NULL DEFAULT false);
CREATE TABLE comment (id serial PRIMARY KEY, creator_id int NOT NULL REFERENCES person, post_id int NOT NULL REFERENCES post, content text NOT NULL, path ltree NOT NULL DEFAULT '0', score bigint NOT NULL DEFAULT 0, published timestamptz NOT NULL DEFAULT now());
CREATE TABLE community_actions (person_id int NOT NULL, community_id int NOT NULL, followed timestamptz, blocked timestamptz, PRIMARY KEY (person_id, community_id));
CREATE FUNCTION hot_rank(score numeric, published timestamptz) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE WHEN (now() - published) > '0 days' AND (now() - published) < '7 days' THEN log(greatest(2, score + 2)) / power(((EXTRACT(EPOCH FROM (now() - published)) / 3600) + 2), 1.8) ELSE 0.0 END;
CREATE FUNCTION scaled_rank(score numeric, published timestamptz, interactions numeric) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (social.hot_rank(score, published) / log(2 + interactions));
CREATE FUNCTION controversy(upvotes numeric, downvotes numeric) RETURNS float LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF downvotes <= 0 OR upvotes <= 0 THEN RETURN 0; ELSE RETURN (upvotes + downvotes) * CASE WHEN upvotes > downvotes THEN downvotes::float / upvotes::float ELSE upvotes::float / downvotes::float END; END IF; END $$;
CREATE FUNCTION is_counted(item record) RETURNS bool LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$ BEGIN RETURN coalesce(NOT (item.deleted OR item.removed), false); END $$;
CREATE FUNCTION active_in(i text) RETURNS TABLE (count_ bigint, community_id_ int) LANGUAGE plpgsql AS $$
BEGIN
  RETURN query SELECT count(*), a.community_id FROM (SELECT c.creator_id, p.community_id FROM social.comment c INNER JOIN social.post p ON c.post_id = p.id INNER JOIN social.person pe ON c.creator_id = pe.id WHERE c.published > ('now'::timestamp - i::interval) AND pe.bot_account = false UNION SELECT p.creator_id, p.community_id FROM social.post p WHERE p.published > (CURRENT_TIMESTAMP - i::interval)) a GROUP BY a.community_id;
END $$;
CREATE FUNCTION active_on_site(i text) RETURNS int LANGUAGE plpgsql AS $$ DECLARE count_ int; BEGIN SELECT count(*) INTO count_ FROM (SELECT creator_id FROM social.comment WHERE published > ('now'::timestamp - i::interval) UNION SELECT creator_id FROM social.post) a; RETURN count_; END $$;
CREATE FUNCTION depth_of(c social.comment) RETURNS int LANGUAGE sql STABLE AS $$ SELECT public.nlevel(c.path) - 1 $$;
CREATE FUNCTION page_before(p social.post, n int DEFAULT 5) RETURNS SETOF social.post LANGUAGE sql STABLE ROWS 5 AS $$ SELECT q.* FROM social.post q WHERE q.published <= p.published AND q.id < p.id ORDER BY q.published DESC, q.id DESC LIMIT n $$;
CREATE VIEW post_view AS SELECT p.*, c.name AS community_name, u.name AS creator_name, social.hot_rank(p.score, p.published) AS hot_rank, social.controversy(p.upvotes, p.downvotes) AS controversy_rank FROM social.post p JOIN social.community c ON c.id = p.community_id JOIN social.person u ON u.id = p.creator_id WHERE NOT p.removed;
CREATE TABLE events (stream_ordering bigint PRIMARY KEY, topological_ordering bigint NOT NULL, event_id text NOT NULL UNIQUE, type text NOT NULL, room_id text NOT NULL, sender text, contains_url boolean DEFAULT false, origin_server_ts bigint, state_key text, instance_name text, outlier bool NOT NULL DEFAULT false, rejection_reason text);
CREATE TABLE event_json (event_id text PRIMARY KEY, room_id text NOT NULL, json text NOT NULL, format_version int);
CREATE TABLE event_edges (event_id text NOT NULL, prev_event_id text NOT NULL, is_state bool NOT NULL DEFAULT false);
CREATE TABLE room_memberships (event_id text PRIMARY KEY, user_id text NOT NULL, sender text NOT NULL, room_id text NOT NULL, membership text NOT NULL, forgotten int DEFAULT 0, display_name text);
CREATE TABLE current_state_events (event_id text UNIQUE NOT NULL, room_id text NOT NULL, type text NOT NULL, state_key text NOT NULL, membership text, UNIQUE (room_id, type, state_key));
CREATE TABLE state_groups_state (state_group bigint NOT NULL, room_id text NOT NULL, type text NOT NULL, state_key text NOT NULL, event_id text NOT NULL);
CREATE TABLE state_group_edges (state_group bigint NOT NULL, prev_state_group bigint NOT NULL);
CREATE TABLE receipts_linearized (stream_id bigint NOT NULL, room_id text NOT NULL, receipt_type text NOT NULL, user_id text NOT NULL, event_id text NOT NULL, data text NOT NULL, thread_id text);
CREATE TABLE event_search (event_id text, room_id text, sender text, key text, vector tsvector, origin_server_ts bigint, stream_ordering bigint);
CREATE TABLE user_directory_search (user_id text PRIMARY KEY, vector tsvector);
CREATE TABLE devices (user_id text NOT NULL, device_id text NOT NULL, display_name text, last_seen bigint, ip text, hidden boolean DEFAULT false);
CREATE SEQUENCE events_stream_seq;
CREATE TABLE stream_positions (stream_name text NOT NULL, instance_name text NOT NULL, stream_id bigint NOT NULL);
INSERT INTO person (name, actor_id, bot_account) SELECT 'p' || i, 'https://x/' || i, i = 3 FROM generate_series(1, 20) i;
INSERT INTO community (name, title, subscribers) SELECT 'c' || i, 'C ' || i, i FROM generate_series(1, 6) i;
INSERT INTO post (name, creator_id, community_id, score, upvotes, downvotes, published) SELECT 'post ' || i, 1 + i % 20, 1 + i % 6, i, i + 2, i % 4, now() - i * interval '1 hour' FROM generate_series(1, 60) i;
INSERT INTO comment (creator_id, post_id, content, path, published) SELECT 1 + i % 20, 1 + i % 60, 'text ' || i, ('0.' || i)::ltree, now() - i * interval '1 hour' FROM generate_series(1, 90) i;
INSERT INTO community_actions SELECT i, 1 + i % 6, now(), NULL FROM generate_series(1, 12) i;
INSERT INTO events SELECT i, i, '$e' || i, CASE i % 3 WHEN 0 THEN 'm.room.member' ELSE 'm.room.message' END, '!r' || i % 4, '@u' || i % 5, i % 7 = 0, 1700000000000 + i, CASE i % 3 WHEN 0 THEN '@u' || i % 5 END, 'master' FROM generate_series(1, 100) i;
INSERT INTO event_json SELECT event_id, room_id, '{"type": "' || type || '", "content": {"body": "hello"}}', 3 FROM events;
INSERT INTO event_edges SELECT '$e' || i, '$e' || i - 1 FROM generate_series(2, 100) i;
INSERT INTO room_memberships SELECT event_id, state_key, sender, room_id, 'join' FROM events WHERE state_key IS NOT NULL;
INSERT INTO current_state_events SELECT DISTINCT ON (room_id, type, state_key) event_id, room_id, type, state_key, 'join' FROM events WHERE state_key IS NOT NULL;
INSERT INTO state_groups_state SELECT 1 + row_number() OVER () % 4, room_id, type, state_key, event_id FROM current_state_events;
INSERT INTO state_group_edges VALUES (4, 3), (3, 2), (2, 1);
INSERT INTO receipts_linearized SELECT i, '!r' || i % 4, 'm.read', '@u' || i % 5, '$e' || i, '{"ts": 1}' FROM generate_series(1, 20) i;
INSERT INTO event_search SELECT event_id, room_id, sender, 'content.body', to_tsvector('english', 'hello world'), origin_server_ts, stream_ordering FROM events WHERE type = 'm.room.message';
INSERT INTO user_directory_search SELECT '@u' || i, to_tsvector('simple', 'u' || i) FROM generate_series(1, 5) i;
INSERT INTO devices SELECT '@u' || i, 'D' || i, 'phone', 1700000000000, '10.0.0.' || i FROM generate_series(1, 5) i;
INSERT INTO stream_positions VALUES ('events', 'master', 100);

-- Files in buckets, with tenants and keys of their own
CREATE SCHEMA storage;
SET search_path = storage, public;
CREATE TABLE buckets (id text PRIMARY KEY, name text NOT NULL, owner uuid, public boolean DEFAULT false, file_size_limit bigint, allowed_mime_types text[], created_at timestamptz DEFAULT now());
CREATE TABLE objects (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), bucket_id text REFERENCES buckets, name text, owner uuid, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now(), last_accessed_at timestamptz DEFAULT now(), metadata jsonb, path_tokens text[] GENERATED ALWAYS AS (string_to_array(name, '/')) STORED, version text);
CREATE FUNCTION foldername(name text) RETURNS text[] LANGUAGE plpgsql AS $$ DECLARE _parts text[]; BEGIN SELECT string_to_array(name, '/') INTO _parts; RETURN _parts[1:array_length(_parts, 1) - 1]; END $$;
CREATE FUNCTION filename(name text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE _parts text[]; BEGIN SELECT string_to_array(name, '/') INTO _parts; RETURN _parts[array_length(_parts, 1)]; END $$;
CREATE FUNCTION extension(name text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE _parts text[]; _filename text; BEGIN SELECT string_to_array(name, '/') INTO _parts; SELECT _parts[array_length(_parts, 1)] INTO _filename; RETURN split_part(_filename, '.', 2); END $$;
CREATE FUNCTION size_by_bucket() RETURNS TABLE (size bigint, bucket_id text) LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT sum((metadata->>'size')::bigint)::bigint, obj.bucket_id FROM storage.objects AS obj GROUP BY obj.bucket_id; END $$;
CREATE FUNCTION common_prefix(p_key text, p_prefix text, p_delimiter text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN position(p_delimiter IN substring(p_key FROM length(p_prefix) + 1)) > 0 THEN left(p_key, length(p_prefix) + position(p_delimiter IN substring(p_key FROM length(p_prefix) + 1))) ELSE NULL END $$;
CREATE FUNCTION search(prefix text, bucketname text, limits int DEFAULT 100, levels int DEFAULT 1, offsets int DEFAULT 0, search text DEFAULT '', sortcolumn text DEFAULT 'name', sortorder text DEFAULT 'asc') RETURNS TABLE (name text, id uuid, updated_at timestamptz, created_at timestamptz, metadata jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE v_order_by text; v_sort_order text;
BEGIN
  CASE WHEN sortcolumn = 'name' THEN v_order_by = 'name'; WHEN sortcolumn = 'updated_at' THEN v_order_by = 'updated_at'; ELSE v_order_by = 'name'; END CASE;
  CASE WHEN sortorder = 'desc' THEN v_sort_order = 'desc'; ELSE v_sort_order = 'asc'; END CASE;
  v_order_by = v_order_by || ' ' || v_sort_order;
  RETURN QUERY EXECUTE 'WITH folders AS (SELECT path_tokens[$1] AS folder FROM storage.objects WHERE objects.name ILIKE $2 || $3 || ''%'' AND bucket_id = $4 AND array_length(objects.path_tokens, 1) <> $1 GROUP BY folder ORDER BY folder ' || v_sort_order || ') (SELECT folder AS "name", NULL::uuid AS id, NULL::timestamptz AS updated_at, NULL::timestamptz AS created_at, NULL::jsonb AS metadata FROM folders) UNION ALL (SELECT path_tokens[$1] AS "name", id, updated_at, created_at, metadata FROM storage.objects WHERE objects.name ILIKE $2 || $3 || ''%'' AND bucket_id = $4 AND array_length(objects.path_tokens, 1) = $1 ORDER BY ' || v_order_by || ') LIMIT $5 OFFSET $6' USING levels, prefix, search, bucketname, limits, offsets;
END $$;
CREATE FUNCTION search_sorted(p_prefix text, p_bucket text, p_sort text DEFAULT 'asc') RETURNS TABLE (key text, id uuid) LANGUAGE plpgsql AS $$
DECLARE v_op text; v_query text;
BEGIN
  IF p_sort = 'asc' THEN v_op := '>='; ELSE v_op := '<='; END IF;
  v_query := format('SELECT o.name, o.id FROM storage.objects o WHERE o.bucket_id = $1 AND o.name COLLATE "C" LIKE $2 || ''%%'' AND o.name COLLATE "C" %s $2 ORDER BY o.name COLLATE "C" %s', v_op, p_sort);
  RETURN QUERY EXECUTE v_query USING p_bucket, p_prefix;
END $$;
CREATE FUNCTION list_names(_bucket text, _prefix text, _delimiter text, max_keys int DEFAULT 100) RETURNS TABLE (name text, is_folder boolean) LANGUAGE plpgsql STABLE AS $$
DECLARE v_seek text := _prefix; v_name text; v_folder text; v_count int := 0;
BEGIN
  LOOP
    EXIT WHEN v_count >= max_keys;
    SELECT o.name INTO v_name FROM storage.objects o WHERE o.bucket_id = _bucket AND o.name COLLATE "C" >= v_seek AND o.name LIKE _prefix || '%' ORDER BY o.name COLLATE "C" LIMIT 1;
    EXIT WHEN v_name IS NULL;
    v_folder := storage.common_prefix(v_name, _prefix, _delimiter);
    IF v_folder IS NOT NULL THEN name := rtrim(v_folder, _delimiter); is_folder := true; v_seek := left(v_folder, -1) || chr(ascii(_delimiter) + 1);
    ELSE name := v_name; is_folder := false; v_seek := v_name || _delimiter; END IF;
    RETURN NEXT;
    v_count := v_count + 1;
  END LOOP;
END $$;
CREATE FUNCTION as_json(val text, type_ regtype) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$ DECLARE res jsonb; BEGIN EXECUTE format('SELECT to_jsonb(%L::' || type_::text || ')', val) INTO res; RETURN res; END $$;
CREATE FUNCTION same(op text, type_ regtype, val_1 text, val_2 text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ DECLARE res boolean; BEGIN EXECUTE format('SELECT %L::' || type_::text || ' ' || (CASE op WHEN 'eq' THEN '=' WHEN 'neq' THEN '!=' WHEN 'lt' THEN '<' ELSE '>' END) || ' %L::' || type_::text, val_1, val_2) INTO res; RETURN res; END $$;
INSERT INTO buckets (id, name, public) VALUES ('avatars', 'avatars', true), ('docs', 'docs', false);
INSERT INTO objects (bucket_id, name, metadata) SELECT CASE i % 2 WHEN 0 THEN 'avatars' ELSE 'docs' END, 'folder' || i % 3 || '/file' || i || '.png', jsonb_build_object('size', i * 100, 'mimetype', 'image/png') FROM generate_series(1, 30) i;

-- Queues of jobs in tables
CREATE SCHEMA queue;
SET search_path = queue, public;
CREATE TYPE job_state AS ENUM ('available', 'scheduled', 'executing', 'retryable', 'completed', 'discarded', 'cancelled');
CREATE TABLE oban_jobs (id bigserial PRIMARY KEY, state job_state NOT NULL DEFAULT 'available', queue text NOT NULL DEFAULT 'default', worker text NOT NULL, args jsonb NOT NULL DEFAULT '{}', errors jsonb[] NOT NULL DEFAULT '{}', attempt int NOT NULL DEFAULT 0, max_attempts int NOT NULL DEFAULT 20, priority int NOT NULL DEFAULT 0, tags text[] DEFAULT '{}', meta jsonb DEFAULT '{}', inserted_at timestamp NOT NULL DEFAULT now(), scheduled_at timestamp NOT NULL DEFAULT now(), attempted_at timestamp, completed_at timestamp, attempted_by text[]);
CREATE UNLOGGED TABLE oban_peers (name text PRIMARY KEY, node text NOT NULL, started_at timestamp NOT NULL, expires_at timestamp NOT NULL);
CREATE FUNCTION count_estimate(state text, queue text) RETURNS int LANGUAGE plpgsql AS $$ DECLARE plan jsonb; BEGIN EXECUTE 'EXPLAIN (FORMAT JSON) SELECT id FROM queue.oban_jobs WHERE state = $1::queue.job_state AND queue = $2' INTO plan USING state, queue; RETURN plan->0->'Plan'->'Plan Rows'; END $$;
CREATE FUNCTION state_in(bitmask bit(8), state job_state) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT CASE state WHEN 'available' THEN get_bit(bitmask, 7) WHEN 'cancelled' THEN get_bit(bitmask, 6) WHEN 'completed' THEN get_bit(bitmask, 5) ELSE 0 END = 1 $$;
CREATE TABLE meta (queue_name varchar NOT NULL UNIQUE, is_partitioned boolean NOT NULL DEFAULT false, is_unlogged boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE q_mail (msg_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, read_ct int NOT NULL DEFAULT 0, enqueued_at timestamptz NOT NULL DEFAULT now(), vt timestamptz NOT NULL DEFAULT now(), message jsonb);
CREATE TYPE queue_record AS (queue_name varchar, is_partitioned boolean, is_unlogged boolean, created_at timestamptz);
CREATE TYPE metrics_result AS (queue_name text, queue_length bigint, total_messages bigint, scrape_time timestamptz);
CREATE TYPE message_record AS (msg_id bigint, read_ct int, enqueued_at timestamptz, vt timestamptz, message jsonb);
CREATE FUNCTION format_table_name(queue_name text, prefix text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF queue_name ~ '\$|;|--|''' THEN RAISE EXCEPTION 'queue name contains invalid characters: $, ;, --, or '''; END IF; RETURN lower(prefix || '_' || queue_name); END $$;
CREATE FUNCTION list_queues() RETURNS SETOF queue_record LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT * FROM queue.meta; END $$;
CREATE FUNCTION metrics(queue_name text) RETURNS metrics_result LANGUAGE plpgsql AS $$
DECLARE result_row queue.metrics_result; query text; qtable text := queue.format_table_name(queue_name, 'q');
BEGIN
  query := format('WITH q_summary AS (SELECT count(*) AS queue_length FROM queue.%I), all_metrics AS (SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS total_messages FROM queue.%I) SELECT %L AS queue_name, q_summary.queue_length, all_metrics.total_messages, now() AS scrape_time FROM q_summary, all_metrics', qtable, qtable || '_msg_id_seq', queue_name);
  EXECUTE query INTO result_row;
  RETURN result_row;
END $$;
CREATE FUNCTION metrics_all() RETURNS SETOF metrics_result LANGUAGE plpgsql STABLE AS $$ DECLARE row_name record; BEGIN FOR row_name IN SELECT queue_name FROM queue.meta LOOP RETURN NEXT queue.metrics(row_name.queue_name); END LOOP; END $$;
CREATE FUNCTION read(queue_name text, vt int, qty int) RETURNS SETOF message_record LANGUAGE plpgsql AS $$
DECLARE sql text; qtable text := queue.format_table_name(queue_name, 'q');
BEGIN
  sql := format('WITH cte AS (SELECT msg_id FROM queue.%I WHERE vt <= clock_timestamp() ORDER BY msg_id LIMIT $1 FOR UPDATE SKIP LOCKED) UPDATE queue.%I m SET vt = clock_timestamp() + make_interval(secs => $2), read_ct = read_ct + 1 FROM cte WHERE m.msg_id = cte.msg_id RETURNING m.msg_id, m.read_ct, m.enqueued_at, m.vt, m.message', qtable, qtable);
  RETURN QUERY EXECUTE sql USING qty, vt;
END $$;
CREATE TABLE jobs (id bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, queue_name text, task_identifier text NOT NULL, payload json DEFAULT '{}' NOT NULL, priority int DEFAULT 0 NOT NULL, run_at timestamptz DEFAULT now() NOT NULL, attempts int DEFAULT 0 NOT NULL, max_attempts int DEFAULT 25 NOT NULL, last_error text, locked_at timestamptz, locked_by text, key text);
CREATE FUNCTION backoff(attempts int) RETURNS interval LANGUAGE sql AS $$ SELECT (exp(least(10, attempts)) * '1 second'::interval) $$;
CREATE FUNCTION is_ready(j jobs) RETURNS boolean LANGUAGE sql AS $$ SELECT j.locked_at IS NULL AND j.run_at <= now() AND j.attempts < j.max_attempts $$;
CREATE FUNCTION next_job(worker text) RETURNS SETOF jobs LANGUAGE sql AS $$ UPDATE queue.jobs SET locked_at = now(), locked_by = worker WHERE id = (SELECT id FROM queue.jobs WHERE locked_at IS NULL ORDER BY priority, run_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING * $$;
CREATE FUNCTION lock_of(name text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT ('x' || md5(name))::bit(64)::bigint $$;
CREATE FUNCTION is_locked(name text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF pg_try_advisory_xact_lock(queue.lock_of(name)) THEN RETURN false; END IF; RETURN true; END $$;
CREATE VIEW runnable AS SELECT id, task_identifier FROM jobs WHERE queue.is_ready(jobs);
CREATE VIEW unlocked AS SELECT id FROM jobs WHERE pg_try_advisory_xact_lock(id);
INSERT INTO oban_jobs (worker, state, queue) SELECT 'Mail', (ARRAY['available', 'executing', 'completed'])[1 + i % 3]::job_state, 'q' || i % 2 FROM generate_series(1, 60) i;
INSERT INTO meta (queue_name) VALUES ('mail');
INSERT INTO q_mail (message) SELECT '{"a": 1}' FROM generate_series(1, 5);
INSERT INTO jobs (task_identifier, queue_name, attempts) SELECT 't' || i % 3, 'q' || i % 2, i % 4 FROM generate_series(1, 20) i;

-- Accounts, prices and rights: an enterprise application that lives in functions
CREATE SCHEMA erp;
SET search_path = erp, public;
CREATE TABLE account (id serial PRIMARY KEY, accno text NOT NULL, description text, category char(1), heading int, contra boolean DEFAULT false);
CREATE TABLE journal (id serial PRIMARY KEY, posted date NOT NULL, reference text, approved boolean DEFAULT true);
CREATE TABLE journal_line (id serial PRIMARY KEY, journal int NOT NULL REFERENCES journal, account int NOT NULL REFERENCES account, amount numeric(18,2) NOT NULL, cleared boolean DEFAULT false);
CREATE TABLE defaults (setting_key text PRIMARY KEY, value text);
CREATE TABLE currency_rate (from_cur char(3), to_cur char(3), valid_from date, rate numeric, PRIMARY KEY (from_cur, to_cur, valid_from));
CREATE TABLE product (id serial PRIMARY KEY, value text, name text, list_price numeric(12,2), is_bom boolean DEFAULT false, weight numeric DEFAULT 1);
CREATE TABLE bom_line (product int NOT NULL, component int NOT NULL, qty numeric NOT NULL);
CREATE TABLE stock (product int NOT NULL, warehouse int NOT NULL, qty numeric NOT NULL);
CREATE TABLE "tabItem" (name varchar(140) PRIMARY KEY, item_name varchar(140), item_group varchar(140), disabled smallint DEFAULT 0, creation timestamp DEFAULT now(), _user_tags text);
CREATE TABLE "tabBin" (name varchar(140) PRIMARY KEY, item_code varchar(140), warehouse varchar(140), actual_qty decimal(21,9) DEFAULT 0);
CREATE TABLE entity (id serial PRIMARY KEY, name text, control_code text, username name);
CREATE FUNCTION setting_get(in_key varchar) RETURNS defaults LANGUAGE sql AS $$ SELECT * FROM erp.defaults WHERE setting_key = $1 $$;
CREATE FUNCTION account__all() RETURNS SETOF account LANGUAGE sql AS $$ SELECT * FROM erp.account ORDER BY accno $$;
CREATE FUNCTION account__save(in_accno text, in_description text) RETURNS int LANGUAGE plpgsql AS $$ DECLARE t_id int; BEGIN UPDATE erp.account SET description = in_description WHERE accno = in_accno RETURNING id INTO t_id; IF NOT FOUND THEN INSERT INTO erp.account (accno, description) VALUES (in_accno, in_description); t_id := currval('erp.account_id_seq'); END IF; RETURN t_id; END $$;
CREATE FUNCTION account__balance(in_id int, in_upto date DEFAULT CURRENT_DATE) RETURNS numeric LANGUAGE plpgsql AS $$ DECLARE outval numeric; BEGIN SELECT sum(l.amount) INTO outval FROM erp.journal_line l JOIN erp.journal j ON j.id = l.journal WHERE l.account = in_id AND j.posted <= in_upto AND j.approved; RETURN coalesce(outval, 0); END $$;
CREATE FUNCTION trial_balance(from_date date, to_date date) RETURNS TABLE (accno text, debits numeric, credits numeric) LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
  FOR r IN SELECT a.accno AS no, sum(CASE WHEN l.amount < 0 THEN -l.amount ELSE 0 END) AS d, sum(CASE WHEN l.amount > 0 THEN l.amount ELSE 0 END) AS c FROM erp.account a JOIN erp.journal_line l ON l.account = a.id JOIN erp.journal j ON j.id = l.journal WHERE j.posted BETWEEN from_date AND to_date GROUP BY a.accno ORDER BY a.accno
  LOOP accno := r.no; debits := r.d; credits := r.c; RETURN NEXT; END LOOP;
END $$;
CREATE FUNCTION currency_rate_of(p_from char, p_to char, p_on date) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE v_rate numeric;
BEGIN
  IF p_from = p_to THEN RETURN 1; END IF;
  SELECT rate INTO STRICT v_rate FROM erp.currency_rate WHERE from_cur = p_from AND to_cur = p_to AND valid_from <= p_on ORDER BY valid_from DESC LIMIT 1;
  RETURN v_rate;
EXCEPTION
  WHEN no_data_found THEN RETURN NULL;
  WHEN OTHERS THEN RAISE NOTICE 'no rate: %', SQLERRM; RETURN NULL;
END $$;
CREATE FUNCTION currency_convert(p_amount numeric, p_from char, p_to char, p_on date) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RETURN round(p_amount * erp.currency_rate_of(p_from, p_to, p_on), 2); END $$;
CREATE FUNCTION bom_price(p_product int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE v_price numeric; v_bom record;
BEGIN
  SELECT list_price INTO v_price FROM erp.product WHERE id = p_product;
  IF coalesce(v_price, 0) = 0 THEN
    v_price := 0;
    FOR v_bom IN SELECT component, qty FROM erp.bom_line WHERE product = p_product LOOP v_price := v_price + v_bom.qty * erp.bom_price(v_bom.component); END LOOP;
  END IF;
  RETURN v_price;
END $$;
CREATE FUNCTION bom_qty(p_product int, p_warehouse int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE cur CURSOR FOR SELECT component, qty FROM erp.bom_line WHERE product = p_product; v_least numeric := 99999; v_have numeric;
BEGIN
  FOR line IN cur LOOP
    SELECT coalesce(sum(qty), 0) INTO v_have FROM erp.stock WHERE product = line.component AND warehouse = p_warehouse;
    CONTINUE WHEN line.qty = 0;
    v_least := least(v_least, v_have / line.qty);
  END LOOP;
  IF v_least = 99999 THEN SELECT sum(qty) INTO v_least FROM erp.stock WHERE product = p_product; END IF;
  RETURN v_least;
END $$;
CREATE FUNCTION stock_cursor(p_product int) RETURNS refcursor LANGUAGE plpgsql AS $$ DECLARE c refcursor; BEGIN OPEN c FOR SELECT warehouse, qty FROM erp.stock WHERE product = p_product; RETURN c; END $$;
CREATE FUNCTION column_names(p_table text) RETURNS text[] LANGUAGE sql AS $$ SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = p_table::regclass AND attnum > 0 $$;
CREATE FUNCTION rows_in(p_table text) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM ' || quote_ident(p_table) INTO n; RETURN n; END $$;
CREATE FUNCTION rows_where(p_table regclass, p_column text, p_value anyelement) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM %s WHERE %I = $1', p_table, p_column) INTO n USING p_value; RETURN n; END $$;
CREATE FUNCTION total_of(p_what text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE v_sql text; v_total numeric;
BEGIN
  v_sql := 'SELECT sum(';
  IF p_what = 'amount' THEN v_sql := v_sql || 'amount) FROM erp.journal_line'; ELSE v_sql := v_sql || 'qty) FROM erp.stock'; END IF;
  EXECUTE v_sql INTO v_total;
  RETURN v_total;
END $$;
CREATE FUNCTION my_entity() RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ SELECT id FROM erp.entity WHERE username = session_user LIMIT 1 $$;
CREATE FUNCTION may(p_role text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = erp, pg_temp AS $$ BEGIN RETURN pg_has_role(session_user, p_role, 'usage'); EXCEPTION WHEN undefined_object THEN RETURN false; END $$;
CREATE FUNCTION unix_timestamp(timestamptz DEFAULT now()) RETURNS bigint LANGUAGE sql AS $$ SELECT extract(epoch FROM $1)::bigint $$;
CREATE FUNCTION from_unixtime(bigint) RETURNS timestamptz LANGUAGE sql AS 'SELECT to_timestamp($1)::timestamptz AS result';
CREATE FUNCTION "ifnull"(anyelement, anyelement) RETURNS anyelement LANGUAGE sql AS $$ SELECT coalesce($1, $2) $$;
CREATE FUNCTION find_in_set(str text, strlist text) RETURNS int LANGUAGE sql AS $$ SELECT i::int FROM unnest(string_to_array(strlist, ',')) WITH ORDINALITY AS t(v, i) WHERE v = str LIMIT 1 $$;
CREATE FUNCTION try_int(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN $1::int; EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN RETURN NULL; END $$;
CREATE FUNCTION add_workdays(d date, n int) RETURNS date LANGUAGE plpgsql AS $$ DECLARE i int := 0; BEGIN WHILE i < n LOOP d := d + 1; IF extract(isodow FROM d) < 6 THEN i := i + 1; END IF; END LOOP; RETURN d; END $$;
CREATE FUNCTION slug(v text) RETURNS text LANGUAGE sql SET search_path = public AS $$ SELECT trim(both '-' FROM regexp_replace(lower(unaccent(v)), '[^a-z0-9]+', '-', 'g')) $$;
CREATE FUNCTION heavy_report(n int) RETURNS bigint LANGUAGE sql SET work_mem = '64MB' SET enable_seqscan = on SET "TimeZone" = 'UTC' AS $$ SELECT count(*) FROM erp.journal_line WHERE id > n $$;
CREATE FUNCTION any_of(VARIADIC flags boolean[]) RETURNS boolean LANGUAGE sql AS $$ SELECT bool_or(f) FROM unnest(flags) f $$;
CREATE FUNCTION pair_of(INOUT a int, OUT b int) LANGUAGE plpgsql AS $$ BEGIN b := a * 2; a := a + 1; END $$;
CREATE FUNCTION path_of(j jsonb, VARIADIC keys text[]) RETURNS jsonb LANGUAGE plpgsql AS $$ DECLARE k text; BEGIN FOREACH k IN ARRAY keys LOOP j := j -> k; EXIT WHEN j IS NULL; END LOOP; RETURN j; END $$;
CREATE FUNCTION checked_total(a int) RETURNS numeric LANGUAGE plpgsql AS $$ DECLARE n int; t numeric; BEGIN SELECT sum(amount) INTO t FROM erp.journal_line WHERE account = a; GET DIAGNOSTICS n = ROW_COUNT; ASSERT n = 1; RETURN t; END $$;
CREATE FUNCTION with_scratch() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE scratch ON COMMIT DROP AS SELECT * FROM erp.account; RETURN (SELECT count(*) FROM scratch); END $$;
CREATE FUNCTION as_tenant(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('erp.tenant', t, false); RETURN current_setting('erp.tenant'); END $$;
CREATE FUNCTION next_number(kind text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN kind || '-' || nextval('erp.journal_id_seq'); END $$;
CREATE FUNCTION last_number() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT last_value FROM erp.journal_id_seq $$;
CREATE FUNCTION locked_account(a int) RETURNS account LANGUAGE sql AS $$ SELECT * FROM erp.account WHERE id = a FOR UPDATE $$;
CREATE FUNCTION size_of(t text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT pg_size_pretty(pg_total_relation_size(t::regclass)) $$;
CREATE FUNCTION since_start() RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT pg_postmaster_start_time() < now() $$;
CREATE VIEW balances AS SELECT a.id, a.accno, erp.account__balance(a.id) AS balance FROM erp.account a;
CREATE VIEW prices AS SELECT p.id, p.name, erp.bom_price(p.id) AS price, erp.currency_convert(p.list_price, 'EUR', 'USD', '2024-06-01') AS usd FROM erp.product p;
CREATE VIEW numbered AS SELECT erp.next_number('R') AS n;
CREATE MATERIALIZED VIEW balance_by_month AS SELECT date_trunc('month', j.posted)::date AS month, l.account, sum(l.amount) AS amount FROM erp.journal j JOIN erp.journal_line l ON l.journal = j.id GROUP BY 1, 2;
INSERT INTO account (accno, description, category) SELECT (1000 + i * 10)::text, 'Account ' || i, substr('AELIQ', 1 + i % 5, 1) FROM generate_series(1, 20) i;
INSERT INTO journal (posted, reference) SELECT '2024-01-01'::date + i, 'J' || i FROM generate_series(1, 50) i;
INSERT INTO journal_line (journal, account, amount) SELECT 1 + i % 50, 1 + i % 20, (i % 11 - 5) * 10 FROM generate_series(1, 200) i;
INSERT INTO defaults VALUES ('company_name', 'Ours'), ('curr', 'EUR:USD');
INSERT INTO currency_rate VALUES ('EUR', 'USD', '2024-01-01', 1.1), ('USD', 'EUR', '2024-01-01', 0.9);
INSERT INTO product (value, name, list_price, is_bom) SELECT 'P' || i, 'Product ' || i, CASE WHEN i % 5 > 0 THEN i * 3 END, i % 5 = 0 FROM generate_series(1, 20) i;
INSERT INTO bom_line SELECT i, i + 1, 2 FROM generate_series(5, 15, 5) i;
INSERT INTO stock SELECT i, 1 + i % 2, i FROM generate_series(1, 20) i;
INSERT INTO "tabItem" (name, item_name, item_group) SELECT 'I' || i, 'Item ' || i, 'G' || i % 3 FROM generate_series(1, 20) i;
INSERT INTO "tabBin" SELECT 'B' || i, 'I' || i, 'W1', i FROM generate_series(1, 20) i;
INSERT INTO entity (name, control_code, username) VALUES ('me', 'E-1', 'trusted');

-- What tools reflect
CREATE SCHEMA shelf;
SET search_path = shelf, public;
CREATE TYPE mood AS ENUM ('sad','ok');
CREATE DOMAIN posint AS int CHECK (value>0);
CREATE TYPE pt AS (x int,y text);
CREATE TABLE author(id serial primary key,name text not null unique,m mood default 'ok',p posint,tags text[],j jsonb,h hstore,c citext,r int4range,n numeric(10,2),ts timestamptz default now(),ip inet,u uuid default gen_random_uuid(),pt pt, gen int generated always as (1+1) stored);
CREATE TABLE book(id int generated always as identity primary key,author_id int references author on delete cascade,title varchar(50) check (length(title)>0),price money,pub date, unique(author_id,title), exclude using gist (author_id with =, pub with <>));
CREATE INDEX bi ON book (lower(title)) WHERE pub IS NOT NULL;
CREATE INDEX bt ON author USING gin(j jsonb_path_ops);
COMMENT ON TABLE book IS 'b';
COMMENT ON COLUMN book.title IS 't';
CREATE VIEW bv AS SELECT b.*,a.name FROM book b JOIN author a ON a.id=b.author_id;
CREATE MATERIALIZED VIEW bm AS SELECT count(*) FROM book;
CREATE SEQUENCE sq;
CREATE TABLE part(id int, d date) PARTITION BY RANGE(d);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE FUNCTION total(a int) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE r bigint; BEGIN SELECT count(*) INTO r FROM book WHERE author_id=a; RETURN r; END $$;
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON book FOR EACH ROW EXECUTE FUNCTION trg();
ALTER TABLE author ENABLE ROW LEVEL SECURITY;
CREATE POLICY pp ON author USING (true);
INSERT INTO author(name,tags,j,h,r) SELECT 'a'||i,ARRAY['x'],'{"a":1}','k=>v',int4range(i,i+2) FROM generate_series(1,5) i;
INSERT INTO book(author_id,title,pub) SELECT 1+i%5,'t'||i,'2024-01-01'::date+i%5 FROM generate_series(0,9) i;
REFRESH MATERIALIZED VIEW bm;

-- A shop of Django's: ranges, hstore, tags and a history of its own
CREATE SCHEMA shop;
SET search_path = shop, django, public;
CREATE TABLE shop_articlepage ( page_ptr_id integer NOT NULL, body text NOT NULL );
CREATE TABLE shop_category ( id bigint GENERATED BY DEFAULT AS IDENTITY, name character varying(50) NOT NULL, lft integer NOT NULL, rght integer NOT NULL, tree_id integer NOT NULL, level integer NOT NULL, parent_id bigint, CONSTRAINT shop_category_level_check CHECK ((level >= 0)), CONSTRAINT shop_category_lft_check CHECK ((lft >= 0)), CONSTRAINT shop_category_rght_check CHECK ((rght >= 0)), CONSTRAINT shop_category_tree_id_check CHECK ((tree_id >= 0)) );
CREATE TABLE shop_historicalproduct ( id bigint GENERATED BY DEFAULT AS IDENTITY, name character varying(100) NOT NULL, price numeric(10,2) NOT NULL, data jsonb NOT NULL, tags_list character varying(20)[] NOT NULL, attrs hstore NOT NULL, rng tstzrange, irng int4range, search tsvector, created timestamp with time zone NOT NULL, dur interval, ip inet, uid uuid, b bytea, d date, t time without time zone, f double precision NOT NULL, slug character varying(50) NOT NULL, email character varying(254) NOT NULL, history_id integer NOT NULL, history_date timestamp with time zone NOT NULL, history_change_reason character varying(100), history_type character varying(1) NOT NULL, category_id bigint, history_user_id integer );
CREATE TABLE shop_line ( id bigint GENERATED BY DEFAULT AS IDENTITY, n integer NOT NULL, order_id bigint NOT NULL, product_id bigint NOT NULL );
CREATE TABLE shop_order ( id bigint GENERATED BY DEFAULT AS IDENTITY, at timestamp with time zone NOT NULL, state character varying(10) NOT NULL, user_id integer NOT NULL );
CREATE TABLE shop_product ( id bigint GENERATED BY DEFAULT AS IDENTITY, name character varying(100) NOT NULL, price numeric(10,2) NOT NULL, data jsonb NOT NULL, tags_list character varying(20)[] NOT NULL, attrs hstore NOT NULL, rng tstzrange, irng int4range, search tsvector, created timestamp with time zone NOT NULL, dur interval, ip inet, uid uuid, b bytea, d date, t time without time zone, f double precision NOT NULL, slug character varying(50) NOT NULL, email character varying(254) NOT NULL, category_id bigint );
CREATE TABLE taggit_tag ( id integer GENERATED BY DEFAULT AS IDENTITY, name character varying(100) NOT NULL, slug character varying(100) NOT NULL );
CREATE TABLE taggit_taggeditem ( id integer GENERATED BY DEFAULT AS IDENTITY, object_id integer NOT NULL, content_type_id integer NOT NULL, tag_id integer NOT NULL );
INSERT INTO shop_category (name, lft, rght, tree_id, level, parent_id) SELECT 'c' || i, i, i + 1, 1, i % 2, CASE WHEN i > 3 THEN 1 + i % 3 END FROM generate_series(1, 9) i;
INSERT INTO shop_product (name, price, data, tags_list, attrs, irng, created, slug, email, f, category_id, d, ip) SELECT 'P' || i, i, jsonb_build_object('a', i), ARRAY['x', 't' || i % 3], hstore('k', i::text), int4range(i, i + 5), '2024-01-01'::timestamptz + i * interval '1 hour', 'x', '', i, 1 + i % 9, '2024-01-01'::date + i, '10.0.0.1' FROM generate_series(1, 20) i;
INSERT INTO shop_order (at, state, user_id) SELECT now(), 'new', 1 + i % 5 FROM generate_series(1, 10) i;
INSERT INTO shop_line (n, order_id, product_id) SELECT i, 1 + i % 10, 1 + i % 20 FROM generate_series(1, 30) i;
INSERT INTO taggit_tag (name, slug) VALUES ('red', 'red'), ('blue', 'blue');
INSERT INTO taggit_taggeditem (object_id, content_type_id, tag_id) SELECT i, 2, 1 + i % 2 FROM generate_series(1, 20) i;
RESET search_path;
