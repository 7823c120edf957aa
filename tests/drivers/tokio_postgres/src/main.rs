//! tokio-postgres as applications use it: prepared statements, pipelined queries, portals, COPY, cancel.

use std::error::Error;
use std::future::Future;
use std::pin::{pin, Pin};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{future, SinkExt, StreamExt, TryStreamExt};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, IsolationLevel, NoTls, SimpleQueryMessage};

type Outcome = Result<(), Box<dyn Error>>;
type Check = (&'static str, fn() -> Pin<Box<dyn Future<Output = Outcome>>>);

macro_rules! say { ($($what:expr),*) => { println!("{}", [$(format!("{:?}", $what)),*].join(" ")) }; }

fn config() -> Config {
    let variable = |name| std::env::var(name).unwrap();
    let mut config = Config::new();
    config.host(variable("PGHOST")).port(variable("PGPORT").parse().unwrap()).user(variable("PGUSER"));
    config.password(variable("PGPASSWORD")).dbname(variable("PGDATABASE"));
    config
}

async fn connect_with(config: Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn connect() -> Client {
    connect_with(config()).await.unwrap()
}

fn failure(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(e) => format!("{} {} {} {:?}", e.severity(), e.code().code(), e.message(), e.constraint()),
        None => error.to_string(),
    }
}

async fn fails(client: &Client, sql: &str, parameters: &[&(dyn ToSql + Sync)]) {
    match client.query(sql, parameters).await {
        Ok(rows) => say!("no error", rows.len()),
        Err(error) => say!(failure(&error)),
    }
}

async fn text(client: &Client, sql: &str) -> Result<String, tokio_postgres::Error> {
    Ok(client.query_one(sql, &[]).await?.get(0))
}

async fn connecting() -> Outcome {
    let mut with = config();
    with.options("-c work_mem=6MB -c search_path=pg_catalog").application_name("rust app");
    let client = connect_with(with).await?;
    for name in ["work_mem", "search_path", "application_name", "client_encoding", "TimeZone"] {
        say!(name, text(&client, &format!("SHOW {name}")).await?);
    }
    let mut wrong = config();
    say!(failure(&connect_with(wrong.password("wrong").clone()).await.err().unwrap()));
    let mut wrong = config();
    say!(failure(&connect_with(wrong.options("-c no_such=1").clone()).await.err().unwrap()));
    Ok(())
}

async fn types() -> Outcome {
    let client = connect().await;
    for _ in 0..2 {
        let row = client.query_one("SELECT $1::int4, $2::int8, $3::text, $4::bool, $5::float8, $6::bytea, $7::int4[], $8::text",
            &[&1i32, &(1i64 << 40), &"é 日本", &true, &1.5f64, &&[0u8, 255][..], &vec![1i32, 2], &None::<&str>]).await?;
        say!(row.get::<_, i32>(0), row.get::<_, i64>(1), row.get::<_, &str>(2), row.get::<_, bool>(3), row.get::<_, f64>(4),
            row.get::<_, &[u8]>(5), row.get::<_, Vec<i32>>(6), row.get::<_, Option<&str>>(7));
        let row = client.query_one("SELECT $1::jsonb, $2::timestamptz, $3::uuid", &[&serde_json::json!({"a": [1, null]}),
            &chrono::DateTime::from_timestamp(1, 0).unwrap(), &uuid::Uuid::from_u128(5)]).await?;
        say!(row.get::<_, serde_json::Value>(0), row.get::<_, chrono::DateTime<chrono::Utc>>(1), row.get::<_, uuid::Uuid>(2));
    }
    client.batch_execute("CREATE TYPE rs_mood AS ENUM ('sad', 'glad'); CREATE DOMAIN rs_small AS int CHECK (VALUE < 10)").await?;
    let statement = client.prepare("SELECT $1::rs_mood, $2::rs_small").await?;
    say!(statement.params().iter().map(Type::name).collect::<Vec<_>>(), statement.columns()[0].name());
    Ok(())
}

async fn statements_prepared() -> Outcome {
    let (first, second) = (connect().await, connect().await);
    let one = first.prepare("SELECT 'first ' || $1::text").await?;
    let two = second.prepare_typed("SELECT $1 * 2", &[Type::INT8]).await?;
    for n in 0..8i64 {
        let a: String = first.query_one(&one, &[&n.to_string()]).await?.get(0);
        let b: i64 = second.query_one(&two, &[&n]).await?.get(0);
        say!(a, b);
    }
    let mut total = 0;
    for n in 0..200i32 {
        let statement = first.prepare(&format!("SELECT {n} + $1::int")).await?;
        total += first.query_one(&statement, &[&n]).await?.get::<_, i32>(0);
    }
    say!(total);
    Ok(())
}

async fn pipelined() -> Outcome {
    let client = connect().await;
    let statement = client.prepare("SELECT 100 / $1::int").await?;
    let numbers: Vec<i32> = (0..40).collect();
    let answers = future::join_all(numbers.iter().map(|n| {
        let (client, statement) = (&client, &statement);
        async move { client.query_one(statement, &[n]).await.map(|row| row.get::<_, i32>(0)).map_err(|e| failure(&e)) }
    })).await;
    say!(answers);
    Ok(())
}

async fn transactions() -> Outcome {
    let mut client = connect().await;
    client.batch_execute("CREATE TABLE rs_moved (n int PRIMARY KEY)").await?;
    let tx = client.build_transaction().isolation_level(IsolationLevel::Serializable).read_only(true).deferrable(true).start().await?;
    say!(tx.query_one("SHOW transaction_isolation", &[]).await?.get::<_, String>(0));
    say!(failure(&tx.execute("DELETE FROM rs_moved", &[]).await.err().unwrap()));
    drop(tx);
    let mut tx = client.transaction().await?;
    tx.execute("INSERT INTO rs_moved VALUES ($1)", &[&1i32]).await?;
    let inner = tx.savepoint("one").await?;
    say!(failure(&inner.execute("INSERT INTO rs_moved VALUES ($1)", &[&1i32]).await.err().unwrap()));
    inner.rollback().await?;
    tx.execute("INSERT INTO rs_moved VALUES ($1)", &[&2i32]).await?;
    tx.commit().await?;
    say!(client.execute("UPDATE rs_moved SET n = n + 10", &[]).await?);
    Ok(())
}

async fn portals() -> Outcome {
    let mut client = connect().await;
    let tx = client.transaction().await?;
    let (one, two) = (tx.bind("SELECT generate_series(1, 100)", &[]).await?, tx.bind("SELECT generate_series(200, 300)", &[]).await?);
    for _ in 0..4 {
        for portal in [&one, &two] {
            let rows = tx.query_portal(portal, 30).await?;
            say!(rows.len(), rows.first().map(|row| row.get::<_, i32>(0)));
        }
    }
    tx.commit().await?;
    let rows: Vec<_> = client.query_raw("SELECT generate_series(1, $1::int)", [3000i32]).await?.try_collect().await?;
    say!(rows.len());
    Ok(())
}

async fn errors() -> Outcome {
    let client = connect().await;
    for sql in ["SELEC", "SELECT 1/0", "SELECT * FROM nowhere", "SELECT 'x'::int"] {
        fails(&client, sql, &[]).await;
    }
    fails(&client, "SELECT 1 / $1::int", &[&0i32]).await;
    for message in client.simple_query("SELECT 1; SELECT 'two'; CREATE TABLE rs_several (n int)").await? {
        match message {
            SimpleQueryMessage::Row(row) => say!(row.get(0)),
            SimpleQueryMessage::CommandComplete(count) => say!(count),
            _ => (),
        }
    }
    Ok(())
}

async fn copying() -> Outcome {
    let client = connect().await;
    client.batch_execute("CREATE TABLE rs_copied (n int, label text)").await?;
    let mut sink = pin!(client.copy_in("COPY rs_copied FROM STDIN").await?);
    for n in 0..5000 {
        sink.send(Bytes::from(format!("{n}\té\n"))).await?;
    }
    say!(sink.as_mut().finish().await?);
    {
        let mut dropped = Box::pin(client.copy_in::<_, Bytes>("COPY rs_copied FROM STDIN").await?);
        dropped.send(Bytes::from("1\tx\n")).await?;
    }
    let mut bad = pin!(client.copy_in("COPY rs_copied FROM STDIN").await?);
    bad.send(Bytes::from("bad\n")).await?;
    say!(failure(&bad.finish().await.err().unwrap()));
    let parts: Vec<Bytes> = client.copy_out("COPY rs_copied TO STDOUT").await?.try_collect().await?;
    say!(parts.iter().map(Bytes::len).sum::<usize>());
    Ok(())
}

async fn listening() -> Outcome {
    let (client, mut connection) = config().connect(NoTls).await?;
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(note) = message {
                sender.send(note).unwrap();
            }
        }
    });
    client.batch_execute("LISTEN rs_news").await?;
    let other = connect().await;
    for n in 0..3 {
        other.execute("SELECT pg_notify('rs_news', $1)", &[&format!("message {n}")]).await?;
    }
    for _ in 0..3 {
        let note = heard.recv().await.unwrap();
        say!(note.channel(), note.payload());
    }
    Ok(())
}

async fn settings() -> Outcome {
    let (first, second) = (connect().await, connect().await);
    first.batch_execute("SET work_mem = '7MB'").await?;
    second.execute("SET TimeZone = 'Asia/Tokyo'", &[]).await?;
    for _ in 0..4 {
        for client in [&first, &second] {
            say!(text(client, "SHOW work_mem").await?, text(client, "SHOW TimeZone").await?);
        }
    }
    first.batch_execute("CREATE TEMP TABLE rs_scratch AS SELECT 5 AS n").await?;
    say!(first.query_one("SELECT n FROM rs_scratch", &[]).await?.get::<_, i32>(0));
    first.batch_execute("DISCARD ALL").await?;
    say!(text(&first, "SHOW work_mem").await?);
    Ok(())
}

async fn cancelling() -> Outcome {
    let client = connect().await;
    let token = client.cancel_token();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(400)).await;
        token.cancel_query(NoTls).await.unwrap();
    });
    fails(&client, "SELECT pg_sleep(10)", &[]).await;
    let late = tokio::time::timeout(Duration::from_millis(300), client.query("SELECT pg_sleep(1)", &[])).await;
    say!(late.is_err(), client.query_one("SELECT 1", &[]).await?.get::<_, i32>(0));
    Ok(())
}

async fn large_values() -> Outcome {
    let client = connect().await;
    let large = "é".repeat(4 << 20);
    for _ in 0..2 {
        let row = client.query_one("SELECT length($1::text), md5($1::text)", &[&large]).await?;
        say!(row.get::<_, i32>(0), row.get::<_, String>(1));
    }
    say!(text(&client, "SELECT repeat('x', 20 << 20)").await?.len());
    Ok(())
}

async fn concurrent_connections() -> Outcome {
    let client = connect().await;
    client.batch_execute("CREATE TABLE rs_account AS SELECT g AS id, 100 AS balance FROM generate_series(0, 7) g").await?;
    future::join_all((0..8i32).map(|number| async move {
        let mut client = connect().await;
        let statement = client.prepare("UPDATE rs_account SET balance = balance - 1 WHERE id = $1").await.unwrap();
        for _ in 0..25 {
            let tx = client.transaction().await.unwrap();
            tx.execute(&statement, &[&number]).await.unwrap();
            tx.commit().await.unwrap();
        }
    })).await;
    let rows = client.query("SELECT balance FROM rs_account FOR UPDATE", &[]).await?;
    say!(rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>());
    Ok(())
}

const CHECKS: &[Check] = &[
    ("connecting", || Box::pin(connecting())), ("types", || Box::pin(types())),
    ("statements_prepared", || Box::pin(statements_prepared())), ("pipelined", || Box::pin(pipelined())),
    ("transactions", || Box::pin(transactions())), ("portals", || Box::pin(portals())), ("errors", || Box::pin(errors())),
    ("copying", || Box::pin(copying())), ("listening", || Box::pin(listening())), ("settings", || Box::pin(settings())),
    ("cancelling", || Box::pin(cancelling())), ("large_values", || Box::pin(large_values())),
    ("concurrent_connections", || Box::pin(concurrent_connections())),
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (name, check) in CHECKS {
        println!("== {name}");
        match tokio::time::timeout(Duration::from_secs(20), check()).await {
            Ok(Ok(())) => (),
            Ok(Err(error)) => println!("!! {error}"),
            Err(_) => println!("!! not done within 20 s"),
        }
    }
}
