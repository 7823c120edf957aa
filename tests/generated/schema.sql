-- What the generated statements speak of: one of everything whose reads may not be reads.
CREATE TABLE item (id int PRIMARY KEY, grp int, name text, price numeric(8,2), tags text[], doc jsonb,
                   made date DEFAULT '2026-01-01');
INSERT INTO item SELECT g, g % 7, 'item ' || g, g * 1.25, ARRAY['a' || g % 3, 'b'],
                        jsonb_build_object('n', g, 'even', g % 2 = 0), date '2026-01-01' + g FROM generate_series(1, 40) g;
CREATE TABLE part (id int, item int, qty int) PARTITION BY RANGE (id);
CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (100) TO (1000);
INSERT INTO part SELECT g * 9, g, g % 5 FROM generate_series(1, 60) g;
CREATE TABLE base (a int, b text);
CREATE TABLE child (c int DEFAULT 0) INHERITS (base);
INSERT INTO base SELECT g, 'base ' || g FROM generate_series(1, 5) g;
INSERT INTO child SELECT g, 'child ' || g, g FROM generate_series(1, 5) g;
CREATE UNLOGGED TABLE scratch (a int, b text);
INSERT INTO scratch SELECT g, 'scratch ' || g FROM generate_series(1, 5) g;
CREATE TABLE journal (id serial, what text);
CREATE SEQUENCE counter;
CREATE TABLE secret (id int, owner text, note text);
INSERT INTO secret SELECT g, CASE g % 2 WHEN 0 THEN 'gen_reader' ELSE 'app' END, 'note ' || g FROM generate_series(1, 10) g;

CREATE FUNCTION imm(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
CREATE FUNCTION sta(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT count(*)::int FROM item WHERE grp = $1';
CREATE FUNCTION vol_read(int) RETURNS int LANGUAGE sql AS 'SELECT max(id) FROM item WHERE grp = $1';
-- Not what may be shadowed: a plan that PL/pgSQL keeps does not notice a temporary table made later, and which call
-- made the plan depends on the connection.
CREATE FUNCTION vol_read_pl(n int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE total int := 0; r record;
BEGIN FOR r IN SELECT id FROM public.item WHERE grp = n LOOP total := total + r.id; END LOOP; RETURN total; END $$;
CREATE FUNCTION vol_write(text) RETURNS int LANGUAGE sql AS 'INSERT INTO journal (what) VALUES ($1) RETURNING id';
CREATE FUNCTION vol_write_pl(what text) RETURNS int LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO journal (what) VALUES (what); RETURN 1; END $$;
CREATE FUNCTION vol_next() RETURNS int LANGUAGE sql AS $$ SELECT nextval('counter')::int $$;
CREATE FUNCTION vol_dynamic(statement text) RETURNS text LANGUAGE plpgsql AS
$$ DECLARE answer text; BEGIN EXECUTE statement INTO answer; RETURN answer; END $$;
CREATE FUNCTION estimate(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE line record; n int := 0;
BEGIN FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP n := n + 1; END LOOP; RETURN n; END $$;
CREATE FUNCTION stable_lie(text) RETURNS int STABLE LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO journal (what) VALUES ($1); RETURN 1; END $$;
CREATE FUNCTION stable_over_write(text) RETURNS int STABLE LANGUAGE sql AS 'SELECT vol_write_pl($1)';
CREATE FUNCTION with_default(a int, b bigint DEFAULT nextval('counter')) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT $1 + 0 * $2';
CREATE FUNCTION default_server(a int, b boolean DEFAULT pg_is_in_recovery()) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1::text || $2';
CREATE FUNCTION immutable_lie() RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT pg_is_in_recovery()::text';
CREATE FUNCTION stable_dynamic(statement text) RETURNS text STABLE LANGUAGE plpgsql AS
$$ DECLARE answer text; BEGIN EXECUTE 'SELECT ' || statement INTO answer; RETURN answer; END $$;
CREATE FUNCTION over(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION over(text) RETURNS int LANGUAGE sql AS 'INSERT INTO journal (what) VALUES ($1) RETURNING id';
CREATE FUNCTION rows_of(int) RETURNS SETOF item STABLE LANGUAGE sql AS 'SELECT * FROM item WHERE grp = $1';
CREATE FUNCTION rows_written(int) RETURNS TABLE (n int) LANGUAGE sql AS
$$ INSERT INTO journal (what) SELECT 'row ' || g FROM generate_series(1, $1) g RETURNING id $$;
CREATE FUNCTION set_path(text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('search_path', $1, false) $$;
CREATE FUNCTION flip(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1 + 1';
CREATE FUNCTION raises(int) RETURNS int LANGUAGE plpgsql AS
$$ BEGIN RAISE NOTICE 'raised %', $1; IF $1 > 3 THEN RAISE EXCEPTION 'too much: %', $1; END IF; RETURN $1; END $$;
CREATE FUNCTION noisy_add(int, int) RETURNS int LANGUAGE sql AS 'INSERT INTO journal (what) VALUES (''add'') RETURNING $1 + coalesce($2, 0)';
CREATE AGGREGATE noisy_sum(int) (sfunc = noisy_add, stype = int, initcond = '0');
CREATE AGGREGATE quiet_sum(int) (sfunc = int4pl, stype = int, initcond = '0');
CREATE OPERATOR |+| (leftarg = int, rightarg = int, function = int4pl);
CREATE FUNCTION noisy_equal(text, text) RETURNS boolean LANGUAGE sql AS 'INSERT INTO journal (what) VALUES ($1) RETURNING $1 = $2';
CREATE OPERATOR <!> (leftarg = text, rightarg = text, function = noisy_equal);
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION pair_of(int) RETURNS pair LANGUAGE sql AS 'INSERT INTO journal (what) VALUES (''pair'') RETURNING ROW($1, id)::pair';
CREATE CAST (int AS pair) WITH FUNCTION pair_of(int);
CREATE FUNCTION noisy_check(int) RETURNS boolean LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO journal (what) VALUES ('checked'); RETURN $1 < 1000; END $$;
CREATE DOMAIN checked AS int CHECK (noisy_check(VALUE));
CREATE DOMAIN small AS int CHECK (VALUE < 1000);

CREATE VIEW cheap AS SELECT id, name, price FROM item WHERE price < 25;
CREATE VIEW grouped AS SELECT c.id % 3 AS third, count(*) AS many, sum(p.qty) AS qty FROM cheap c JOIN part p ON p.item = c.id GROUP BY 1;
CREATE VIEW counted AS SELECT id, nextval('counter') AS n FROM item WHERE id < 3;
CREATE VIEW over_counted AS SELECT count(*) AS many FROM counted WHERE n > 0;
CREATE VIEW unlogged AS SELECT a, b FROM scratch;
CREATE VIEW called AS SELECT id, vol_read(grp) AS m FROM item WHERE id < 5;
CREATE MATERIALIZED VIEW stored AS SELECT grp, count(*) AS many FROM item GROUP BY grp;
CREATE VIEW rechecked AS SELECT id::checked AS id FROM item WHERE id < 3;
CREATE VIEW standby AS SELECT pg_is_in_recovery() AS is_standby;

CREATE FUNCTION sees(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN $1 > 2; END $$;
CREATE FUNCTION sees_noisily(int) RETURNS boolean LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO public.journal (what) VALUES ('seen'); RETURN true; END $$;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret FOR SELECT USING (owner = current_user AND sees(id));
CREATE TABLE watched (id int, note text);
INSERT INTO watched SELECT g, 'w' || g FROM generate_series(1, 4) g;
ALTER TABLE watched ENABLE ROW LEVEL SECURITY;
CREATE POLICY noisy ON watched FOR SELECT USING (sees_noisily(id));

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO journal (what) VALUES (TG_OP || ' ' || NEW.id); RETURN NEW; END $$;
CREATE TRIGGER changed AFTER UPDATE ON item FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE VIEW inserted AS SELECT id, name FROM item WHERE false;
CREATE RULE instead AS ON INSERT TO inserted DO INSTEAD INSERT INTO journal (what) VALUES (NEW.name);
CREATE PROCEDURE write_note(text) LANGUAGE sql AS 'INSERT INTO journal (what) VALUES ($1)';
CREATE PROCEDURE read_note() LANGUAGE plpgsql AS $$ BEGIN PERFORM count(*) FROM journal; END $$;

CREATE SCHEMA alt;
CREATE TABLE alt.item (id int, grp int, name text, price numeric(8,2));
INSERT INTO alt.item SELECT g, 1, 'alt ' || g, 1 FROM generate_series(1, 3) g;
CREATE FUNCTION alt.sta(int) RETURNS int LANGUAGE sql AS 'INSERT INTO public.journal (what) VALUES (''alt'') RETURNING $1';
CREATE FUNCTION alt.lower(text) RETURNS text LANGUAGE sql AS 'INSERT INTO public.journal (what) VALUES (''lower'') RETURNING $1';
CREATE OPERATOR alt.|+| (leftarg = int, rightarg = int, function = public.noisy_add);

GRANT ALL ON SCHEMA public TO PUBLIC;
GRANT USAGE ON SCHEMA alt TO gen_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public, alt TO gen_reader;
GRANT INSERT ON journal TO gen_reader;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO gen_reader;
ANALYZE;
