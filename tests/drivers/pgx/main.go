// pgx as applications use it: its cache of prepared statements, batches, pipelines, COPY, pgxpool.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

const limit = 20 * time.Second

type check struct {
	name string
	run  func(ctx context.Context)
}

var checks = []check{
	{"connecting", connecting}, {"connecting_with_options", connectingWithOptions}, {"connecting_wrongly", connectingWrongly},
	{"types", types}, {"every_query_mode", everyQueryMode}, {"statements_many", statementsMany},
	{"statements_named", statementsNamed}, {"statements_after_ddl", statementsAfterDDL},
	{"transactions", transactions}, {"errors", errorsAndRecovery}, {"batches", batches}, {"pipelines", pipelines},
	{"copying", copying}, {"listening", listening}, {"cursors", cursors}, {"settings", settings},
	{"temporary_tables", temporaryTables}, {"time_limits", timeLimits}, {"large_values", largeValues},
	{"a_pool", aPool}, {"ending_one_another", endingOneAnother},
}

func say(what ...any) { fmt.Println(what...) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func failure(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return fmt.Sprintf("%s %s %s", server.Severity, server.Code, server.Message)
	}
	return fmt.Sprint(err)
}

func connect(ctx context.Context, options string) *pgx.Conn {
	client, err := pgx.Connect(ctx, options)
	must(err)
	return client
}

func value(ctx context.Context, client *pgx.Conn, sql string, arguments ...any) any {
	var got any
	must(client.QueryRow(ctx, sql, arguments...).Scan(&got))
	return got
}

func tryValue(ctx context.Context, client *pgx.Conn, sql string, arguments ...any) {
	var got any
	if err := client.QueryRow(ctx, sql, arguments...).Scan(&got); err != nil {
		say(failure(err))
		return
	}
	say("no error", got)
}

func exec(ctx context.Context, client *pgx.Conn, sql string, arguments ...any) string {
	tag, err := client.Exec(ctx, sql, arguments...)
	must(err)
	return tag.String()
}

func connecting(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	wire := client.PgConn()
	for _, name := range []string{"client_encoding", "server_version", "TimeZone", "standard_conforming_strings", "DateStyle"} {
		say(name, wire.ParameterStatus(name))
	}
	say(wire.PID() > 0, wire.TxStatus() == 'I', client.Ping(ctx))
}

func connectingWithOptions(ctx context.Context) {
	client := connect(ctx, "application_name=gopher search_path=pg_catalog timezone=Asia/Tokyo work_mem=6MB my.own=x")
	defer client.Close(ctx)
	for _, name := range []string{"application_name", "search_path", "timezone", "work_mem", "my.own"} {
		say(name, value(ctx, client, "SELECT current_setting($1)", name))
	}
	say(client.PgConn().ParameterStatus("TimeZone"), client.PgConn().ParameterStatus("application_name"))
}

func connectingWrongly(ctx context.Context) {
	for _, options := range []string{"password=wrong", "no_such=1", "work_mem=nonsense"} {
		_, err := pgx.Connect(ctx, options)
		say(failure(errors.Unwrap(err)))
	}
}

func types(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	exec(ctx, client, "CREATE TYPE go_mood AS ENUM ('sad', 'glad'); CREATE TYPE go_pair AS (a int, b text)")
	for _, name := range []string{"go_mood", "go_pair"} {
		loaded, err := client.LoadType(ctx, name)
		must(err)
		client.TypeMap().RegisterType(loaded)
	}
	values := map[string]any{"int4": 1, "int8": int64(1) << 40, "text": "é 日本", "bool": true, "float8": 1.5, "bytea": []byte{0, 1, 255},
		"timestamptz": time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), "int4[]": []int32{1, 2}, "jsonb": map[string]any{"a": nil},
		"numeric": pgtype.Numeric{}, "go_mood": "glad"}
	names := []string{"int4", "int8", "text", "bool", "float8", "bytea", "timestamptz", "int4[]", "jsonb", "numeric", "go_mood"}
	for _, name := range names {
		for range 2 {
			say(name, value(ctx, client, "SELECT $1::"+name, values[name]))
		}
	}
	say(value(ctx, client, "SELECT ROW(1, 'x')::go_pair"), value(ctx, client, "SELECT 12345.678900::numeric(12,6)::text"))
}

func everyQueryMode(ctx context.Context) {
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		client := connect(ctx, "")
		for n := range 5 {
			rows, err := client.Query(ctx, "SELECT $1::int + g FROM generate_series(1, 3) g", mode, n)
			must(err)
			got, err := pgx.CollectRows(rows, pgx.RowTo[int])
			must(err)
			say(mode, got)
		}
		must(client.Close(ctx))
	}
}

func statementsMany(ctx context.Context) {
	client := connect(ctx, "statement_cache_capacity=50")
	defer client.Close(ctx)
	total := int32(0)
	for range 2 {
		for n := range 150 {
			total += value(ctx, client, fmt.Sprintf("SELECT %d + $1::int", n), n).(int32)
		}
	}
	say(total)
}

func statementsNamed(ctx context.Context) {
	first, second := connect(ctx, ""), connect(ctx, "")
	defer first.Close(ctx)
	defer second.Close(ctx)
	one, err := first.Prepare(ctx, "same", "SELECT 'first ' || $1::text")
	must(err)
	two, err := second.Prepare(ctx, "same", "SELECT $1::int * 2")
	must(err)
	say(one.ParamOIDs, two.ParamOIDs, one.Fields[0].DataTypeOID, two.Fields[0].DataTypeOID)
	for n := range 6 {
		say(value(ctx, first, "same", fmt.Sprint(n)), value(ctx, second, "same", n))
	}
	must(first.Deallocate(ctx, "same"))
	tryValue(ctx, first, "SELECT 1")
	must(second.DeallocateAll(ctx))
	tryValue(ctx, second, "SELECT $1::int", 7)
}

func statementsAfterDDL(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	exec(ctx, client, "CREATE TABLE go_changing AS SELECT 1 AS id")
	read := func() (int, error) {
		rows, err := client.Query(ctx, "SELECT * FROM go_changing")
		if err != nil {
			return 0, err
		}
		columns := len(rows.FieldDescriptions())
		rows.Close()
		return columns, rows.Err()
	}
	say(read())
	exec(ctx, client, "ALTER TABLE go_changing ADD COLUMN more int DEFAULT 7")
	// One error is right, and none as well; after it the driver prepares again by itself.
	if _, err := read(); err != nil {
		_, err = read()
		say(err)
	} else {
		say(err)
	}
}

func transactions(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	exec(ctx, client, "CREATE TABLE go_moved (n int PRIMARY KEY)")
	tx, err := client.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable, AccessMode: pgx.ReadOnly, DeferrableMode: pgx.Deferrable})
	must(err)
	tryValue(ctx, client, "SHOW transaction_isolation")
	tryValue(ctx, client, "DELETE FROM go_moved RETURNING n")
	say(tx.Rollback(ctx))
	err = pgx.BeginFunc(ctx, client, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO go_moved VALUES ($1)", 1)
		must(err)
		inner := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO go_moved VALUES ($1)", 1)
			return err
		})
		say(failure(inner), string(client.PgConn().TxStatus()))
		_, err = tx.Exec(ctx, "INSERT INTO go_moved VALUES ($1)", 2)
		return err
	})
	say(err, string(client.PgConn().TxStatus()))
	tx, err = client.Begin(ctx)
	must(err)
	_, err = tx.Exec(ctx, "SELECT 1/0")
	say(failure(err))
	say(tx.Commit(ctx))
	say(value(ctx, client, "SELECT array_agg(n ORDER BY n) FROM go_moved"))
}

func errorsAndRecovery(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	for _, sql := range []string{"SELEC", "SELECT 1/0", "SELECT * FROM nowhere", "SELECT 'x'::int"} {
		tryValue(ctx, client, sql)
	}
	tryValue(ctx, client, "SELECT 1 / $1::int", 0)
	exec(ctx, client, "CREATE TABLE go_unique (n int PRIMARY KEY); INSERT INTO go_unique VALUES (1)")
	_, err := client.Exec(ctx, "INSERT INTO go_unique VALUES ($1)", 1)
	var server *pgconn.PgError
	errors.As(err, &server)
	say(server.Detail, server.TableName, server.ConstraintName, server.Routine)
	say(value(ctx, client, "SELECT 1"))
}

func batches(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	exec(ctx, client, "CREATE TABLE go_batch (n int PRIMARY KEY, label text)")
	batch := &pgx.Batch{}
	for n := range 200 {
		batch.Queue("INSERT INTO go_batch VALUES ($1, $2)", n, "é")
	}
	batch.Queue("SELECT count(*) FROM go_batch").QueryRow(func(row pgx.Row) error {
		var count int
		err := row.Scan(&count)
		say(count)
		return err
	})
	must(client.SendBatch(ctx, batch).Close())
	batch = &pgx.Batch{}
	batch.Queue("INSERT INTO go_batch VALUES (1000, 'x')")
	batch.Queue("INSERT INTO go_batch VALUES (1, 'x')")
	batch.Queue("INSERT INTO go_batch VALUES (1001, 'x')")
	say(failure(client.SendBatch(ctx, batch).Close()))
	say(value(ctx, client, "SELECT max(n) FROM go_batch"))
	results, err := client.PgConn().Exec(ctx, "SELECT 1; SELECT 'two'; UPDATE go_batch SET label = 'y'; SELECT 3").ReadAll()
	must(err)
	for _, result := range results {
		say(result.CommandTag, result.Rows)
	}
}

func pipelines(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	pipe := client.PgConn().StartPipeline(ctx)
	pipe.SendPrepare("piped", "SELECT $1::int", nil)
	pipe.SendFlushRequest()
	must(pipe.Flush())
	shown := func() {
		got, err := pipe.GetResults()
		if err != nil {
			say(failure(err))
			return
		}
		if reader, ok := got.(*pgconn.ResultReader); ok {
			result := reader.Read()
			say("rows", result.Rows, result.Err != nil)
			return
		}
		say(fmt.Sprintf("%T", got))
	}
	shown()
	pipe.SendQueryPrepared("piped", [][]byte{[]byte("5")}, nil, nil)
	pipe.SendQueryParams("SELECT 1/$1::int", [][]byte{[]byte("0")}, nil, nil, nil)
	pipe.SendQueryPrepared("piped", [][]byte{[]byte("6")}, nil, nil)
	must(pipe.Sync())
	pipe.SendQueryPrepared("piped", [][]byte{[]byte("7")}, nil, nil)
	must(pipe.Sync())
	for range 5 {
		shown()
	}
	say(pipe.Close())
}

func copying(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	exec(ctx, client, "CREATE TABLE go_copied (n int, label text)")
	rows := [][]any{}
	for n := range 5000 {
		rows = append(rows, []any{n, "é"})
	}
	say(client.CopyFrom(ctx, pgx.Identifier{"go_copied"}, []string{"n", "label"}, pgx.CopyFromRows(rows)))
	out := &strings.Builder{}
	tag, err := client.PgConn().CopyTo(ctx, out, "COPY go_copied TO STDOUT")
	say(tag, err, out.Len())
	_, err = client.PgConn().CopyFrom(ctx, strings.NewReader("1\tgood\nbad\n"), "COPY go_copied FROM STDIN")
	say(failure(err))
	say(value(ctx, client, "SELECT count(*) FROM go_copied"))
}

func listening(ctx context.Context) {
	client, other := connect(ctx, ""), connect(ctx, "")
	defer client.Close(ctx)
	defer other.Close(ctx)
	exec(ctx, client, "LISTEN go_news")
	for n := range 3 {
		exec(ctx, other, "SELECT pg_notify('go_news', $1)", fmt.Sprint("message ", n))
	}
	for range 3 {
		note, err := client.WaitForNotification(ctx)
		must(err)
		say(note.Channel, note.Payload)
	}
	exec(ctx, client, "UNLISTEN go_news")
	say(value(ctx, client, "SELECT 1"))
}

func cursors(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	tx, err := client.Begin(ctx)
	must(err)
	defer tx.Rollback(ctx)
	_, err = tx.Exec(ctx, "DECLARE declared CURSOR FOR SELECT generate_series(1, 10)")
	must(err)
	for range 4 {
		rows, err := tx.Query(ctx, "FETCH 3 FROM declared")
		must(err)
		say(pgx.CollectRows(rows, pgx.RowTo[int]))
	}
	must(tx.Commit(ctx))
	say(value(ctx, client, "SELECT count(*) FROM pg_cursors WHERE name = 'declared'"))
}

func settings(ctx context.Context) {
	client, other := connect(ctx, ""), connect(ctx, "")
	defer client.Close(ctx)
	defer other.Close(ctx)
	exec(ctx, client, "SET work_mem = '7MB'")
	exec(ctx, client, "SELECT set_config('my.go', 'x', false)")
	exec(ctx, other, "SET TimeZone = 'America/New_York'")
	for range 4 {
		for _, one := range []*pgx.Conn{client, other} {
			say(value(ctx, one, "SHOW work_mem"), value(ctx, one, "SHOW TimeZone"), one.PgConn().ParameterStatus("TimeZone"))
		}
		say(value(ctx, client, "SELECT current_setting('my.go', true)"), value(ctx, other, "SELECT current_setting('my.go', true)"))
	}
	exec(ctx, client, "DISCARD ALL", pgx.QueryExecModeSimpleProtocol)
	must(client.DeallocateAll(ctx))
	tryValue(ctx, client, "SHOW work_mem", pgx.QueryExecModeSimpleProtocol)
}

func temporaryTables(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	exec(ctx, client, "CREATE TEMP TABLE go_scratch (n int)")
	for n := range 20 {
		exec(ctx, client, "INSERT INTO go_scratch VALUES ($1)", n)
	}
	say(value(ctx, client, "SELECT sum(n) FROM go_scratch"))
	exec(ctx, client, "DROP TABLE go_scratch")
	tryValue(ctx, client, "SELECT count(*) FROM go_scratch")
}

func timeLimits(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	exec(ctx, client, "SET statement_timeout = 200")
	tryValue(ctx, client, "SELECT pg_sleep(10)")
	exec(ctx, client, "RESET statement_timeout")
	time.AfterFunc(300*time.Millisecond, func() { must(client.PgConn().CancelRequest(ctx)) })
	tryValue(ctx, client, "SELECT pg_sleep(10)")
	say(value(ctx, client, "SELECT 1"))
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, err := client.Exec(short, "SELECT pg_sleep(10)")
	say(err != nil, client.IsClosed())
}

func largeValues(ctx context.Context) {
	client := connect(ctx, "")
	defer client.Close(ctx)
	text := strings.Repeat("é", 4<<20)
	for range 2 {
		say(value(ctx, client, "SELECT length($1::text)", text), value(ctx, client, "SELECT md5($1::text)", text))
	}
	say(len(value(ctx, client, "SELECT repeat('x', 20 << 20)").(string)))
	rows, err := client.Query(ctx, "SELECT repeat('y', 200) FROM generate_series(1, 30000)")
	must(err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	say(len(all), err)
}

func aPool(ctx context.Context) {
	pool, err := pgxpool.New(ctx, "pool_max_conns=8")
	must(err)
	defer pool.Close()
	_, err = pool.Exec(ctx, "CREATE TABLE go_account AS SELECT g AS id, 100 AS balance FROM generate_series(0, 7) g")
	must(err)
	var all sync.WaitGroup
	for number := range 8 {
		all.Go(func() {
			for range 25 {
				err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
					_, err := tx.Exec(ctx, "UPDATE go_account SET balance = balance - 1 WHERE id = $1", number)
					return err
				})
				if err != nil {
					say("!!", err)
				}
			}
		})
	}
	all.Wait()
	var balances []int
	must(pool.QueryRow(ctx, "SELECT array_agg(balance) FROM go_account").Scan(&balances))
	say(balances)
}

func endingOneAnother(ctx context.Context) {
	client, other := connect(ctx, ""), connect(ctx, "")
	defer client.Close(ctx)
	defer other.Close(ctx)
	exec(ctx, client, "BEGIN")
	pid := value(ctx, client, "SELECT pg_backend_pid()")
	exec(ctx, other, "SELECT pg_terminate_backend($1)", pid)
	_, err := client.Exec(ctx, "SELECT 1")
	say(err != nil)
}

func run(one check) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	defer func() {
		if thrown := recover(); thrown != nil {
			say("!!", thrown)
		}
	}()
	say("==", one.name)
	one.run(ctx)
}

func main() {
	for _, one := range checks {
		if len(os.Args) == 1 || os.Args[1] == one.name {
			run(one)
		}
	}
}
