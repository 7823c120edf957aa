// lib/pq as applications use it through database/sql: unnamed and named statements, COPY, LISTEN, errors, cancelling.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"
)

const limit = 20 * time.Second

type check struct {
	name string
	run  func(ctx context.Context)
}

var checks = []check{
	{"connecting", connecting}, {"types", types}, {"statements", statements}, {"binary_parameters", binaryParameters},
	{"transactions", transactions}, {"errors", failures}, {"several_statements", severalStatements}, {"copying", copying},
	{"listening", listening}, {"time_limits", timeLimits},
}

func say(what ...any) { fmt.Println(what...) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func failure(err error) string {
	var server *pq.Error
	if errors.As(err, &server) {
		return fmt.Sprintf("%s %s %s %s", server.Severity, server.Code, server.Message, server.Position)
	}
	return fmt.Sprint(err)
}

func open(options string) *sql.DB {
	db, err := sql.Open("postgres", "sslmode=disable "+options)
	must(err)
	return db
}

type asker interface {
	QueryRowContext(ctx context.Context, text string, arguments ...any) *sql.Row
}

func sayValue(ctx context.Context, on asker, text string, arguments ...any) {
	var got any
	if err := on.QueryRowContext(ctx, text, arguments...).Scan(&got); err != nil {
		say(failure(err))
		return
	}
	if raw, isBytes := got.([]byte); isBytes {
		got = string(raw)
	}
	say(fmt.Sprintf("%T %v", got, got))
}

func exec(ctx context.Context, db *sql.DB, text string, arguments ...any) {
	_, err := db.ExecContext(ctx, text, arguments...)
	must(err)
}

func connecting(ctx context.Context) {
	for _, options := range []string{"", "application_name=gopher search_path=pg_catalog timezone=Asia/Tokyo work_mem=6MB",
		"options='-c work_mem=7MB -c my.own=x'", "password=wrong", "work_mem=nonsense"} {
		db := open(options)
		for _, name := range []string{"application_name", "search_path", "timezone", "work_mem", "client_encoding"} {
			sayValue(ctx, db, "SELECT current_setting($1)", name)
		}
		must(db.Close())
	}
}

func types(ctx context.Context) {
	db := open("")
	defer db.Close()
	when := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	sayValue(ctx, db, "SELECT $1::int", 7)
	sayValue(ctx, db, "SELECT $1::text", "é 日本")
	sayValue(ctx, db, "SELECT $1::bytea", []byte{0, 1, 255})
	sayValue(ctx, db, "SELECT $1::timestamptz", when)
	sayValue(ctx, db, "SELECT $1::float8", 1.5)
	sayValue(ctx, db, "SELECT $1::int[]", pq.Array([]int64{1, 2}))
	sayValue(ctx, db, "SELECT $1::text", nil)
	sayValue(ctx, db, "SELECT 'x'::date")
}

func statements(ctx context.Context) {
	db := open("")
	defer db.Close()
	exec(ctx, db, "CREATE TABLE pq_rows (id serial, body text)")
	insert, err := db.PrepareContext(ctx, "INSERT INTO pq_rows (body) VALUES ($1) RETURNING id")
	must(err)
	read, err := db.PrepareContext(ctx, "SELECT count(*) FROM pq_rows WHERE body <> $1")
	must(err)
	for n := 0; n < 20; n++ {
		var id int
		must(insert.QueryRowContext(ctx, fmt.Sprint("body ", n)).Scan(&id))
		var count int
		must(read.QueryRowContext(ctx, "none").Scan(&count))
		say(id, count)
	}
	must(insert.Close())
	must(read.Close())
	exec(ctx, db, "DROP TABLE pq_rows")
}

func binaryParameters(ctx context.Context) {
	db := open("binary_parameters=yes")
	defer db.Close()
	for n := 0; n < 3; n++ {
		sayValue(ctx, db, "SELECT $1::text || $2::int", "n", n)
		sayValue(ctx, db, "SELECT $1::bytea", []byte{0, 1, 255})
		sayValue(ctx, db, "SELECT 1/$1::int", 0)
	}
}

func transactions(ctx context.Context) {
	db := open("")
	defer db.Close()
	exec(ctx, db, "CREATE TABLE pq_log (n int PRIMARY KEY)")
	for _, options := range []*sql.TxOptions{nil, {ReadOnly: true}, {Isolation: sql.LevelSerializable}} {
		tx, err := db.BeginTx(ctx, options)
		must(err)
		sayValue(ctx, tx, "SHOW transaction_isolation")
		sayValue(ctx, tx, "SELECT count(*) FROM pq_log")
		_, err = tx.ExecContext(ctx, "INSERT INTO pq_log VALUES (1)")
		say(failure(err))
		sayValue(ctx, tx, "SELECT count(*) FROM pq_log")
		say(tx.Rollback(), tx.Commit())
	}
	exec(ctx, db, "DROP TABLE pq_log")
}

func failures(ctx context.Context) {
	db := open("")
	defer db.Close()
	for _, text := range []string{"SELECT 1/0", "SELEC 1", "SELECT * FROM nowhere", "SELECT $1::int", "SELECT 1 AS fine"} {
		sayValue(ctx, db, text)
	}
	_, err := db.ExecContext(ctx, "SELECT $1::int", "not a number")
	say(failure(err))
	sayValue(ctx, db, "SELECT 2")
}

func severalStatements(ctx context.Context) {
	db := open("")
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT 1; CREATE TEMP TABLE pq_temp (n int); INSERT INTO pq_temp VALUES (2); SELECT n FROM pq_temp")
	must(err)
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		columns, err := rows.Columns()
		must(err)
		say("set", columns)
		for rows.Next() {
			var n int
			must(rows.Scan(&n))
			say(n)
		}
	}
	say(rows.Err())
}

func copying(ctx context.Context) {
	db := open("")
	defer db.Close()
	exec(ctx, db, "CREATE TABLE pq_copied (n int, body text)")
	for _, last := range []any{1000, "wrong"} {
		tx, err := db.BeginTx(ctx, nil)
		must(err)
		in, err := tx.PrepareContext(ctx, pq.CopyIn("pq_copied", "n", "body"))
		must(err)
		for n := 0; n < 1000; n++ {
			_, err = in.ExecContext(ctx, n, "line\tone\n")
			must(err)
		}
		_, err = in.ExecContext(ctx, last, nil)
		must(err)
		_, err = in.ExecContext(ctx)
		say(failure(err))
		say(failure(in.Close()))
		say(tx.Commit())
	}
	sayValue(ctx, db, "SELECT count(*) || ' ' || sum(n) FROM pq_copied")
	exec(ctx, db, "DROP TABLE pq_copied")
}

func listening(ctx context.Context) {
	listener := pq.NewListener("sslmode=disable", time.Second, time.Minute, nil)
	defer listener.Close()
	must(listener.Listen("pq_news"))
	say(listener.Listen("pq_news"))
	db := open("")
	defer db.Close()
	for _, text := range []string{"one", "two"} {
		exec(ctx, db, "SELECT pg_notify('pq_news', $1)", text)
		select {
		case got := <-listener.NotificationChannel():
			say(got.Channel, got.Extra)
		case <-ctx.Done():
			panic("no notification")
		}
	}
	say(listener.Ping(), listener.UnlistenAll())
}

func timeLimits(ctx context.Context) {
	db := open("")
	defer db.Close()
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := db.ExecContext(short, "SELECT pg_sleep(10)")
	say(failure(err), time.Since(begun) < 5*time.Second)
	sayValue(ctx, db, "SELECT 1")
	slow := open("statement_timeout=200")
	defer slow.Close()
	sayValue(ctx, slow, "SELECT pg_sleep(10)")
	sayValue(ctx, slow, "SELECT 1")
}

func attempt(one check) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	defer func() {
		if caught := recover(); caught != nil {
			say("!!", caught)
		}
	}()
	one.run(ctx)
}

func main() {
	for _, one := range checks {
		say("==", one.name)
		attempt(one)
	}
}
