SET search_path = music, public;
SELECT page_of('Ärtist'), hex_value('ff'), plain_name('É');
SELECT random_uuid_v4() IS NOT NULL;
SELECT toc_of(ARRAY[1000, 2000, 3000]);
SELECT * FROM unused_artists() ORDER BY 1;
SELECT credited_as(3);
SELECT * FROM mean_rating(2);
SELECT (mean_rating(a.id)).average FROM artist a ORDER BY a.id LIMIT 5;
SELECT * FROM area_path(4);
SELECT medium_length(id) FROM medium ORDER BY id LIMIT 3;
-- primary | take_edit
SELECT take_edit(1);
-- primary | bump
SELECT bump('music.tag', 1, 1);
SELECT array_accum(id ORDER BY id) FROM artist WHERE id < 4;
SELECT longest(name) FROM artist;
SELECT * FROM artist_overview WHERE id < 5 ORDER BY id;
SELECT * FROM release_line ORDER BY id LIMIT 4;
SET search_path = social, public;
SELECT p.id, hot_rank(p.score, p.published) > 0 FROM post p ORDER BY scaled_rank(p.score, p.published, 3) DESC LIMIT 5;
SELECT is_counted(p) FROM post p LIMIT 2;
SELECT * FROM active_in('1 day') ORDER BY 1, 2;
SELECT * FROM active_on_site('1 month');
SELECT c.id, c.depth_of FROM comment c ORDER BY 1 LIMIT 3;
SELECT q.id FROM post p, page_before(p) q WHERE p.id = 5 ORDER BY 1;
SELECT q.id FROM post p, page_before(p, 2) q WHERE p.id = 5 ORDER BY 1;
SELECT id, name FROM post_view ORDER BY hot_rank DESC, id LIMIT 3;
SET search_path = storage, public;
SELECT foldername('a/b/c.txt'), filename('a/b/c.txt'), extension('a/b/c.txt');
SELECT * FROM size_by_bucket() ORDER BY 2;
SELECT name FROM search('folder1/', 'docs', 10, 2, 0, '', 'name', 'desc');
-- primary | search_sorted
SELECT * FROM search_sorted('folder', 'docs', 'desc');
-- primary | search_sorted
SELECT * FROM search_sorted('folder', 'docs');
SELECT * FROM list_names('docs', '', '/');
SELECT as_json('5', 'int4'), same('eq', 'int4', '1', '1');
SELECT name FROM objects WHERE (foldername(name))[1] = 'folder1' ORDER BY 1;
SET search_path = queue, public;
SELECT count_estimate('available', 'q1');
SELECT id FROM oban_jobs WHERE state_in(B'10000000', state) ORDER BY id LIMIT 2;
SELECT format_table_name('mail', 'q');
SELECT * FROM list_queues();
-- primary | metrics
SELECT * FROM metrics('mail');
-- primary | metrics
SELECT * FROM metrics_all();
-- primary | read
SELECT * FROM read('mail', 1, 1);
SELECT id, backoff(attempts), is_ready(jobs) FROM jobs ORDER BY id LIMIT 3;
SELECT j.id FROM jobs j WHERE j.is_ready ORDER BY 1;
-- primary | next_job
SELECT * FROM next_job('w');
-- primary | advisory
SELECT is_locked('x');
SELECT * FROM runnable ORDER BY 1;
-- primary | advisory
SELECT * FROM unlocked;
-- primary | unlogged
SELECT * FROM oban_peers;
SET search_path = erp, public;
SELECT * FROM setting_get('curr');
SELECT accno FROM account__all();
-- primary | account__save
SELECT account__save('1', 'x');
SELECT account__balance(3), account__balance(3, '2024-01-10'), account__balance(in_upto => '2024-01-10', in_id => 4);
SELECT * FROM trial_balance('2024-01-01', '2024-12-31');
SELECT currency_convert(10, 'EUR', 'USD', '2024-05-05'), currency_convert(10, 'EUR', 'GBP', '2024-05-05');
SELECT bom_price(5), bom_qty(5, 1);
-- primary | stock_cursor
SELECT stock_cursor(3) IS NOT NULL;
SELECT column_names('erp.account');
SELECT rows_in('account');
-- primary | rows_where
SELECT rows_where('erp.account', 'category', 'A'::bpchar);
-- primary | total_of
SELECT total_of('amount'), total_of('qty');
SELECT my_entity(), may('pg_monitor'), may('nobody');
SELECT unix_timestamp('2024-01-01'::timestamptz), from_unixtime(0), "ifnull"(NULL, 3), find_in_set('b', 'a,b');
SELECT unix_timestamp() > 0;
SELECT try_int('5'), try_int('x'), add_workdays('2024-01-05', 3), slug('Été x'), heavy_report(3), any_of(true, false), path_of('{"a": {"b": 1}}', 'a', 'b'), checked_total(3);
SELECT * FROM pair_of(3);
-- primary | with_scratch
SELECT with_scratch();
-- primary | as_tenant
SELECT as_tenant('x');
-- primary | next_number
SELECT next_number('R');
-- primary | sequence
SELECT last_number();
-- primary | FOR UPDATE
SELECT * FROM locked_account(1);
-- primary | pg_total_relation_size
SELECT size_of('erp.account');
-- primary | pg_postmaster_start_time
SELECT since_start();
SELECT * FROM balances ORDER BY id LIMIT 3;
SELECT * FROM prices ORDER BY id LIMIT 6;
-- primary | next_number
SELECT * FROM numbered;
SELECT * FROM balance_by_month ORDER BY 1, 2 LIMIT 3;
