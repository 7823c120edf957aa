SET search_path = traps, public;
-- primary | pg_is_in_recovery()
SELECT standby();
-- primary | pg_is_in_recovery()
SELECT standby_volatile();
-- primary | pg_is_in_recovery()
SELECT standby_immutable();
-- primary | pg_is_in_recovery()
SELECT standby_immutable_plpgsql();
-- primary | pg_is_in_recovery()
SELECT * FROM item WHERE standby_immutable();
-- primary | pg_is_in_recovery()
SELECT standby_atomic();
-- primary | pg_is_in_recovery()
SELECT standby_definer();
-- primary | pg_is_in_recovery()
SELECT by_default(1);
-- primary | pg_is_in_recovery()
SELECT by_default(a => 1);
-- primary | pg_is_in_recovery()
SELECT * FROM item t LEFT JOIN LATERAL by_default(t.id) z ON true;
-- primary | pg_is_in_recovery()
SELECT (id).by_default FROM item;
-- primary | pg_is_in_recovery()
SELECT * FROM by_argument;
SELECT by_default(1, true);
SELECT by_default(b => true, a => 2);
-- primary | pg_is_in_recovery()
SELECT 1 ### 2;
-- primary | pg_is_in_recovery()
SELECT 1 OPERATOR(traps.###) 2;
-- primary | pg_is_in_recovery()
SELECT 1 ### ANY (ARRAY[1]);
-- primary | pg_is_in_recovery()
SELECT * FROM by_operator;
-- primary | pg_is_in_recovery()
SELECT count(*) FROM generate_series(1, 3) g WHERE g ### 1;
-- primary | pg_is_in_recovery()
SELECT 1::checked;
-- primary | pg_is_in_recovery()
SELECT '1'::checked;
-- primary | pg_is_in_recovery()
SELECT '{1}'::checked[];
-- primary | pg_is_in_recovery()
SELECT ARRAY[1]::checked[];
-- primary | pg_is_in_recovery()
SELECT ROW(1, 2)::pair;
-- primary | pg_is_in_recovery()
SELECT '(1,2)'::pair;
-- primary | pg_is_in_recovery()
SELECT CAST(1 AS checked_twice);
-- primary | pg_is_in_recovery()
SELECT checked '1';
-- primary | pg_is_in_recovery()
SELECT json_populate_record(NULL::pair, '{"a": 1}');
-- primary | pg_is_in_recovery()
SELECT * FROM jsonb_to_recordset('[{"a": 1}]') AS x(a checked);
-- primary | pg_is_in_recovery()
SELECT * FROM json_to_record('{"a": 1}') AS x(a traps.checked);
-- primary | pg_is_in_recovery()
SELECT * FROM xmltable('/a' PASSING '<a>1</a>' COLUMNS d checked PATH 'text()');
-- primary | pg_is_in_recovery()
SELECT * FROM by_domain;
-- primary | pg_is_in_recovery()
SELECT assigns(1);
-- primary | pg_is_in_recovery()
SELECT '(1,{1})'::holder;
-- primary | pg_is_in_recovery()
SELECT jsonb_populate_record(NULL::holder, '{"b": [1]}');
SELECT * FROM holder;
SELECT a + 1, b[1] FROM holder;
SELECT row_to_json(holder) FROM holder;
SELECT max(a) FROM holder;
-- primary | pg_is_in_recovery()
SELECT 'x'::text::boxed;
-- primary | pg_is_in_recovery()
SELECT stepped(id) FROM item;
-- primary | pg_is_in_recovery()
SELECT stepped(id) OVER () FROM item;
-- primary | pg_is_in_recovery()
SELECT ended(id) FROM item;
-- primary | pg_is_in_recovery()
SELECT stepped(DISTINCT id) FILTER (WHERE id > 0) FROM item;
-- primary | pg_is_in_recovery()
SELECT * FROM by_aggregate;
-- primary | pg_is_in_recovery()
SELECT t.of_row FROM item t;
-- primary | pg_is_in_recovery()
SELECT (t).of_row FROM item t;
-- primary | pg_is_in_recovery()
SELECT of_row(t) FROM item t;
-- primary | pg_is_in_recovery()
SELECT (SELECT x FROM item x LIMIT 1).of_row;
-- primary | pg_is_in_recovery()
SELECT (item.*).of_row FROM item;
-- primary | pg_is_in_recovery()
SELECT * FROM by_row;
-- primary | pg_is_in_recovery()
SELECT (item.v).of_text FROM item;
-- primary | pg_is_in_recovery()
SELECT (item.v).either FROM item;
-- primary | pg_is_in_recovery()
SELECT item.of_any FROM item;
-- primary | pg_is_in_recovery()
SELECT of_any('x'::text);
-- primary | pg_is_in_recovery()
SELECT of_any(id) FROM item;
-- primary | pg_is_in_recovery()
SELECT of_many(1, 2, 3);
-- primary | pg_is_in_recovery()
SELECT of_many(VARIADIC ARRAY[1]);
-- primary | pg_is_in_recovery()
SELECT either('x');
-- primary | pg_is_in_recovery()
SELECT either(v) FROM item;
-- primary | pg_is_in_recovery()
SELECT either(NULL);
-- primary | pg_is_in_recovery()
SELECT * FROM two();
-- primary | pg_is_in_recovery()
SELECT (two()).a;
-- primary | pg_is_in_recovery()
SELECT (rows()).*;
-- primary | pg_is_in_recovery()
SELECT * FROM rows();
SELECT either(1);
SELECT either('1'::int);
-- primary | pg_is_in_recovery()
SELECT * FROM plain;
-- primary | pg_is_in_recovery()
SELECT * FROM over_plain;
-- primary | pg_is_in_recovery()
SELECT count(*) FROM over_plain;
-- primary | pg_is_in_recovery()
SELECT again(3);
-- primary | cursor_of
SELECT cursor_of();
SELECT * FROM kept;
-- primary | sequence
SELECT * FROM of_numbers;
-- primary | sequence
SELECT log_count();
-- primary | sequence
TABLE numbers;
-- primary | sequence
SELECT numbers.log_cnt FROM traps.numbers;
-- primary | sequence
COPY numbers TO STDOUT;
-- primary | sequence
SELECT to_jsonb(x) FROM (SELECT * FROM numbers) x;
-- primary | sequence
SELECT executes('log_cnt FROM traps.numbers');
-- primary | sequence
SELECT counted('traps');
-- primary | sequence
SELECT tries();
-- primary | pg_is_in_recovery()
SELECT executes('pg_is_in_recovery()');
-- primary | pg_is_in_recovery()
SELECT query_to_xml('SELECT pg_is_in_recovery()', false, false, '');
-- primary | pg_is_in_recovery()
SELECT table_to_xml('traps.plain', false, false, '');
-- primary | pg_is_in_recovery()
SELECT * FROM ts_stat('SELECT to_tsvector(pg_is_in_recovery()::text)');
-- primary | pg_is_in_recovery()
SELECT * FROM crosstab('SELECT 1, 2, pg_is_in_recovery()::int') AS c(a int, b int);
SELECT executes('1');
SELECT query_to_xml('SELECT id FROM traps.item', false, false, '');
SELECT table_to_xml('traps.item', true, false, '');
-- primary | pg_is_in_recovery()
SELECT * FROM secured;
-- primary | pg_is_in_recovery()
SELECT count(*) FROM item JOIN secured USING (id);
-- primary | pg_is_in_recovery()
COPY secured TO STDOUT;
-- primary | unlogged
SELECT * FROM parent;
-- primary | unlogged
SELECT looks();
-- primary | setting
SELECT read_only();
-- primary | setting
SELECT setting_of('in_hot_standby');
-- primary | setting
SELECT port();
-- primary | setting
SELECT current_setting('transaction_' || 'read_only');
-- primary | setting
SHOW in_hot_standby;
-- primary | setting
SELECT * FROM pg_show_all_settings() WHERE name = 'in_hot_standby';
-- primary | advisory
SELECT locks(5);
-- primary | advisory
SELECT locks(id) FROM item;
-- primary | advisory
SELECT (1::bigint).pg_try_advisory_lock;
-- primary | pg_
SELECT ('traps.item'::regclass).pg_relation_size;
-- primary | pg_
SELECT pg_backend_pid();
-- primary | txid
SELECT txid_current_snapshot();
-- primary | standby
SELECT count(*) FROM pg_prepared_xacts;
-- primary | pg_
SELECT system_identifier FROM pg_control_system();
-- primary | pg_is_in_recovery()
COPY (SELECT standby()) TO STDOUT;
-- primary | pg_is_in_recovery()
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT 1 WHERE standby();
-- primary | pg_is_in_recovery()
WITH x AS (SELECT standby() AS y) SELECT 1 FROM x;
-- primary | pg_is_in_recovery()
SELECT 1 LIMIT (SELECT CASE WHEN standby() THEN 0 ELSE 1 END);
-- primary | pg_is_in_recovery()
SELECT id FROM item ORDER BY CASE WHEN standby() THEN id ELSE -id END;
-- primary | pg_is_in_recovery()
SELECT count(*) FILTER (WHERE standby()) FROM item;
-- primary | pg_is_in_recovery()
SELECT * FROM ROWS FROM (standby()) x;
-- primary | pg_is_in_recovery()
VALUES (standby());
-- primary | pg_is_in_recovery()
SELECT id FROM item GROUP BY id HAVING NOT standby();
-- primary | pg_is_in_recovery()
SELECT * FROM item TABLESAMPLE BERNOULLI (CASE WHEN standby() THEN 0 ELSE 100 END);
-- primary | pg_is_in_recovery()
SELECT DISTINCT ON (standby()) id FROM item ORDER BY standby(), id;
-- primary | pg_is_in_recovery()
SELECT sum(id) OVER (PARTITION BY standby() ORDER BY id) FROM item;
-- primary | pg_is_in_recovery()
SELECT xmlelement(name a, xmlattributes(standby() AS y));
-- primary | pg_is_in_recovery()
SELECT 1; SELECT standby();
-- primary | pg_is_in_recovery()
SELECT '{1}'::checked_many;
-- primary | pg_is_in_recovery()
SELECT ARRAY[1]::checked_many_twice;
-- primary | pg_is_in_recovery()
SELECT string_to_array('1,2', ',')::checked_many;
-- primary | pg_is_in_recovery()
SELECT * FROM json_to_record('{"a": [1]}') AS x(a checked_many);
-- primary | pg_is_in_recovery()
SELECT '[2,1]'::turned;
-- primary | pg_is_in_recovery()
SELECT turned(2, 1);
-- primary | pg_is_in_recovery()
SELECT turned(1, 2) && turned(2, 3);
-- primary | row whose type
SELECT jsonb_populate_record(holder, '{"a": 2}') FROM holder;
-- primary | row whose type
SELECT jsonb_populate_recordset(x, '[{"a": 2}]') FROM (TABLE holder) x;
SELECT jsonb_populate_record(NULL::traps.item, '{"id": 3}');
SELECT int4range(1, 2) && int4range(2, 3);
-- primary | pg_is_in_recovery()
SELECT alias();
-- primary | advisory
SELECT alias_of_lock(5);
-- primary | sequence
SELECT alias_of_sequence('traps.numbers');
-- primary | sequence
SELECT through_cursor();
-- primary | sequence
SELECT through_open_cursor('c');
-- primary | pg_is_in_recovery()
SELECT (through_field()).b;
-- primary | sequence
SELECT put_together(v) FROM item;
-- primary | local
SELECT relname FROM pg_stat_user_tables ORDER BY seq_scan DESC;
-- primary | local
SELECT j.seq_scan FROM (pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid) AS j;
