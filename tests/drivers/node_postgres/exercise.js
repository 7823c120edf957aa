// node-postgres (pg) as applications use it, with pg-cursor, pg-query-stream and pg-copy-streams.
'use strict';
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');
const QueryStream = require('pg-query-stream');
const copy = require('pg-copy-streams');
const { fails, failure, run, say } = require('../checks.js');

async function within(work, config = {}) {
  const client = new Client(config);
  client.on('error', (error) => say('connection error', failure(error)));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const value = async (client, text, values) => Object.values((await client.query(text, values)).rows[0])[0];

const checks = {
  connecting: () => within(async (client) => {
    say(await value(client, 'SHOW client_encoding'), await value(client, 'SELECT current_user'));
    say(client.processID > 0, client.secretKey !== null);
  }),

  connecting_with_options: () => within(async (client) => {
    for (const name of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'application_name',
      'work_mem', 'search_path']) {
      say(name, await value(client, `SHOW ${name}`));
    }
    await client.query('SET statement_timeout = 1000; RESET statement_timeout');
    say(await value(client, 'SHOW statement_timeout'));
  }, { statement_timeout: 7000, lock_timeout: 6000, idle_in_transaction_session_timeout: 5000, application_name: 'node app',
    options: '-c work_mem=6MB -c search_path=pg_catalog' }),

  connecting_wrongly: async () => {
    await fails(new Client({ password: 'wrong' }).connect());
    await fails(new Client({ options: '-c no_such=1' }).connect());
    await fails(new Client({ ssl: true }).connect());
  },

  types: () => within(async (client) => {
    const values = [1, 1.5, 'text é 日本', '', null, true, new Date(Date.UTC(2024, 1, 29, 12, 30)), [1, 2, 3], ['a', null, 'b"'],
      { a: [1, null] }, Buffer.from([0, 1, 255])];
    const types = ['int', 'float8', 'text', 'text', 'int', 'bool', 'timestamptz', 'int[]', 'text[]', 'jsonb', 'bytea'];
    for (let n = 0; n < values.length; n++) {
      const answer = await client.query(`SELECT $1::${types[n]} AS v`, [values[n]]);
      say(types[n], answer.rows[0], answer.fields[0].dataTypeID);
      const again = await client.query({ text: `SELECT $1::${types[n]} AS v`, values: [values[n]], rowMode: 'array', binary: true });
      say(again.rows[0]);
    }
    say((await client.query("SELECT 2::int8, 1.50::numeric, '1 day'::interval, '{}'::json, 'a'::\"char\", now() > now() AS late")).rows);
  }),

  statements_prepared: () => within(async (client) => {
    let total = 0;
    for (let n = 0; n < 60; n++) {
      total += (await client.query({ name: 'double', text: 'SELECT $1::int * 2 AS twice', values: [n] })).rows[0].twice;
    }
    say(total);
    for (let n = 0; n < 300; n++) {
      total += (await client.query({ name: `many ${n % 150}`, text: `SELECT ${n % 150} + $1::int AS s`, values: [n] })).rows[0].s;
    }
    say(total);
    await fails(client.query({ name: 'double', text: 'SELECT 5', values: [] }));
    say((await client.query("SELECT name, statement, from_sql FROM pg_prepared_statements WHERE name = 'double'")).rows);
  }),

  statements_prepared_across_transactions: () => within(async (client) => {
    await client.query('CREATE TABLE node_prepared (id int PRIMARY KEY, label text)');
    for (let n = 0; n < 12; n++) {
      await client.query('BEGIN');
      await client.query({ name: 'insert', text: 'INSERT INTO node_prepared VALUES ($1, $2)', values: [n, `é ${n}`] });
      await client.query(n % 3 ? 'COMMIT' : 'ROLLBACK');
    }
    const answer = await client.query({ name: 'read', text: 'SELECT array_agg(id ORDER BY id) AS ids FROM node_prepared' });
    say(answer.rows);
  }),

  statements_of_two_clients: () => within((first) => within(async (second) => {
    for (let n = 0; n < 6; n++) {
      say((await first.query({ name: 'same', text: "SELECT 'first ' || $1 AS v", values: [String(n)] })).rows[0],
        (await second.query({ name: 'same', text: 'SELECT 2 * $1::int AS v', values: [n] })).rows[0]);
    }
  })),

  statements_after_ddl: () => within(async (client) => {
    await client.query('CREATE TABLE node_changing AS SELECT 1 AS id');
    const select = { name: 'all', text: 'SELECT * FROM node_changing' };
    say((await client.query(select)).rows);
    await client.query('ALTER TABLE node_changing ADD COLUMN more int DEFAULT 7');
    // An error here, or no error where the statement was prepared again: both are right.
    say(await client.query(select).then((answer) => answer.rows[0].more === 7, (error) => error.code === '0A000'));
    say((await client.query('SELECT * FROM node_changing')).rows);
  }),

  transactions: () => within(async (client) => {
    await client.query('CREATE TABLE node_moved (n int PRIMARY KEY)');
    await client.query('BEGIN');
    await client.query('INSERT INTO node_moved VALUES (1)');
    await client.query('ROLLBACK');
    say((await client.query('SELECT * FROM node_moved')).rowCount);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await client.query('INSERT INTO node_moved VALUES ($1)', [2]);
    await client.query('SAVEPOINT one');
    await fails(client.query('INSERT INTO node_moved VALUES ($1)', [2]));
    await fails(client.query('SELECT 1'));
    await client.query('ROLLBACK TO one');
    await client.query('INSERT INTO node_moved VALUES ($1)', [3]);
    await client.query('RELEASE one');
    say((await client.query('COMMIT AND CHAIN')).command, await value(client, 'SHOW transaction_isolation'));
    await client.query('COMMIT');
    say((await client.query('SELECT * FROM node_moved ORDER BY 1')).rows);
    await client.query('BEGIN');
    await fails(client.query('SELECT nothing'));
    say((await client.query('COMMIT')).command);
  }),

  errors: () => within(async (client) => {
    for (const text of ['SELEC', 'SELECT 1/0', 'SELECT * FROM nowhere', "SELECT 'x'::int", 'SELECT $1::int']) {
      await fails(client.query(text));
    }
    await fails(client.query('SELECT $1::int', ['nonsense']));
    await fails(client.query('SELECT $1', [1, 2]));
    await client.query('CREATE TABLE node_unique (n int PRIMARY KEY)');
    await client.query('INSERT INTO node_unique VALUES (1)');
    await client.query('INSERT INTO node_unique VALUES (1)').catch((e) => say(e.severity, e.code, e.detail, e.schema, e.table,
      e.constraint, e.position, e.file, e.routine));
    say(await value(client, 'SELECT 1'));
  }),

  several_statements: () => within(async (client) => {
    const answers = await client.query("SELECT 1 AS a; SELECT 'two' AS b; CREATE TABLE node_several (n int); INSERT INTO node_several VALUES (1), (2)");
    say(answers.map((answer) => [answer.command, answer.rowCount, answer.rows]));
    await fails(client.query('INSERT INTO node_several VALUES (3); SELECT 1/0'));
    say((await client.query('SELECT count(*) FROM node_several')).rows);
    say((await client.query('')).command);
  }),

  queued_queries: () => within(async (client) => {
    await client.query('CREATE TABLE node_queued (n int)');
    const all = await Promise.allSettled([client.query('BEGIN'), client.query('INSERT INTO node_queued VALUES (1)'),
      client.query('COMMIT'), client.query('SELECT 1/0'), client.query('SELECT $1::int AS n', [5])]);
    say(all.map((one) => (one.status === 'fulfilled' ? [one.value.command, one.value.rows] : failure(one.reason))));
    const many = await Promise.all(Array.from({ length: 100 }, (_, n) => client.query('SELECT $1::int AS n', [n])));
    say(many.every((answer, n) => answer.rows[0].n === n));
  }),

  notices: () => within(async (client) => {
    client.on('notice', (notice) => say('notice', notice.severity, notice.code, notice.message));
    await client.query("DO $$ BEGIN RAISE NOTICE 'told %', 1; RAISE WARNING 'warned'; END $$");
    await client.query('DROP TABLE IF EXISTS was_never');
  }),

  listening: () => within((client) => within(async (other) => {
    const heard = [];
    const arrived = new Promise((resolve) => client.on('notification', (message) => {
      heard.push([message.channel, message.payload]);
      if (heard.length === 3) resolve();
    }));
    await client.query('LISTEN node_news');
    for (let n = 0; n < 3; n++) await other.query('SELECT pg_notify($1, $2)', ['node_news', `message ${n}`]);
    await arrived;
    await client.query('UNLISTEN *');
    await other.query("NOTIFY node_news, 'unheard'");
    await client.query('SELECT 1');
    say(heard);
  })),

  copying: () => within(async (client) => {
    await client.query('CREATE TABLE node_copied (n int, label text)');
    const rows = Array.from({ length: 5000 }, (_, n) => `${n}\tlabel é ${n}\n`);
    await pipeline(Readable.from(rows), client.query(copy.from('COPY node_copied FROM STDIN')));
    let bytes = 0;
    for await (const chunk of client.query(copy.to('COPY node_copied TO STDOUT (FORMAT csv)'))) bytes += chunk.length;
    say(bytes);
    await fails(pipeline(Readable.from(['1\tgood\n', 'bad\n']), client.query(copy.from('COPY node_copied FROM STDIN'))));
    say((await client.query('SELECT count(*), sum(n) FROM node_copied')).rows);
  }),

  cursors: () => within(async (client) => {
    const cursor = client.query(new Cursor('SELECT g FROM generate_series(1, $1::int) g', [250]));
    let total = 0;
    for (let rows = await cursor.read(100); rows.length; rows = await cursor.read(100)) total += rows.length;
    await cursor.close();
    say(total);
    const early = client.query(new Cursor('SELECT g FROM generate_series(1, 1000) g'));
    say((await early.read(2)).length);
    await early.close();
    let sum = 0;
    for await (const row of client.query(new QueryStream('SELECT g FROM generate_series(1, 3000) g', [], { batchSize: 70 }))) sum += row.g;
    say(sum);
    await client.query('BEGIN');
    await client.query('DECLARE declared CURSOR FOR SELECT generate_series(1, 10)');
    say((await client.query('FETCH 3 FROM declared')).rows, (await client.query('MOVE 2 IN declared')).rowCount);
    await client.query('CLOSE declared');
    await client.query('COMMIT');
  }),

  settings: () => within((client) => within(async (other) => {
    await client.query("SET work_mem = '7MB'; SET TimeZone = 'Asia/Tokyo'");
    await client.query("SELECT set_config('my.setting', $1, false)", ['x']);
    await other.query("SET TimeZone = 'America/New_York'");
    for (let n = 0; n < 4; n++) {
      say(await value(client, 'SHOW work_mem'), await value(client, 'SHOW TimeZone'), await value(client, "SELECT current_setting('my.setting')"));
      say(await value(other, 'SHOW work_mem'), await value(other, 'SHOW TimeZone'),
        await value(other, "SELECT current_setting('my.setting', true)"));
    }
    await client.query('BEGIN');
    await client.query("SET LOCAL work_mem = '9MB'");
    say(await value(client, 'SHOW work_mem'));
    await client.query("SET TimeZone = 'UTC'");
    await client.query('ROLLBACK');
    say(await value(client, 'SHOW work_mem'), await value(client, 'SHOW TimeZone'));
    await client.query('DISCARD ALL');
    say(await value(client, 'SHOW work_mem'), await value(client, 'SHOW TimeZone'));
  })),

  search_path: () => within((first) => within(async (second) => {
    for (const tenant of ['node_a', 'node_b']) {
      await first.query(`CREATE SCHEMA ${tenant}; CREATE TABLE ${tenant}.who AS SELECT '${tenant}' AS name`);
    }
    await first.query('SET search_path = node_a');
    await second.query('SET search_path = node_b');
    const select = { name: 'who', text: 'SELECT name FROM who' };
    for (let n = 0; n < 4; n++) say((await first.query(select)).rows, (await second.query(select)).rows);
  })),

  temporary_tables: () => within(async (client) => {
    await client.query('CREATE TEMP TABLE node_scratch (n int)');
    await client.query('INSERT INTO node_scratch SELECT generate_series(1, 20)');
    say((await client.query('SELECT sum(n) FROM node_scratch')).rows);
    await client.query('BEGIN; CREATE TEMP TABLE node_gone (n int) ON COMMIT DROP; COMMIT');
    await fails(client.query('SELECT * FROM node_gone'));
    await client.query('DROP TABLE node_scratch');
    await fails(client.query('SELECT * FROM node_scratch'));
  }),

  time_limits: () => within(async (client) => {
    await client.query('SET statement_timeout = 200');
    await fails(client.query('SELECT pg_sleep(10)'));
    await client.query('RESET statement_timeout');
    say(await value(client, 'SELECT 1'));
    const busy = fails(client.query("DO 'BEGIN PERFORM txid_current(), pg_sleep(10); END'"));
    await within(async (other) => {
      let cancelled = false;
      while (!cancelled) {
        cancelled = (await other.query("SELECT pg_cancel_backend(pid) AS done FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'"))
          .rows.some((row) => row.done);
      }
    });
    await busy;
    say(await value(client, 'SELECT 2'));
  }),

  large_values: () => within(async (client) => {
    const text = 'é'.repeat(4 << 20);
    say((await client.query('SELECT length($1::text), md5($1::text)', [text])).rows);
    say((await client.query("SELECT repeat('x', 20 << 20) AS x")).rows[0].x.length);
    await client.query('CREATE TABLE node_large (data bytea)');
    await client.query('INSERT INTO node_large VALUES ($1)', [Buffer.alloc(4 << 20, 7)]);
    const data = (await client.query('SELECT data FROM node_large')).rows[0].data;
    say(data.length, data.every((byte) => byte === 7));
    const rows = (await client.query("SELECT g, repeat('y', 200) AS y FROM generate_series(1, 30000) g")).rows;
    say(rows.length, rows[29999].g);
  }),

  concurrent_connections: async () => {
    const pool = new Pool({ max: 8 });
    await pool.query('CREATE TABLE node_account (id int PRIMARY KEY, balance int)');
    await pool.query('INSERT INTO node_account SELECT g, 100 FROM generate_series(0, 7) g');
    await Promise.all(Array.from({ length: 8 }, async (_, number) => {
      for (let n = 0; n < 25; n++) {
        const client = await pool.connect();
        try {
          await client.query('BEGIN');
          await client.query({ name: 'pay', text: 'UPDATE node_account SET balance = balance - 1 WHERE id = $1', values: [number] });
          await client.query('COMMIT');
        } finally {
          client.release();
        }
      }
    }));
    const all = await Promise.all(Array.from({ length: 100 }, (_, n) => pool.query('SELECT $1::int AS n', [n])));
    say(all.every((answer, n) => answer.rows[0].n === n));
    say((await pool.query('SELECT array_agg(balance) FROM node_account')).rows);
    await pool.end();
  },

  ending_one_another: async () => {
    const client = new Client();
    client.on('error', () => {});
    await client.connect();
    await client.query('BEGIN');
    const pid = await value(client, 'SELECT pg_backend_pid()');
    await within((other) => other.query('SELECT pg_terminate_backend($1)', [pid]));
    say(await client.query('SELECT 1').catch(() => 'lost'));
  },
};

run(checks);
