// postgres.js as applications use it: everything prepared, many queries in flight, cursors, COPY, listen.
'use strict';
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
const postgres = require('postgres');
const { fails, failure, run, say } = require('../checks.js');

async function within(work, options = {}) {
  const sql = postgres({ max: 1, onnotice: (notice) => say('notice', notice.code, notice.message), ...options });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 2 });
  }
}

const checks = {
  connecting_with_options: () => within(async (sql) => {
    for (const name of ['application_name', 'work_mem', 'search_path', 'TimeZone', 'my.own']) {
      say(name, (await sql`SELECT current_setting(${name}) AS v`)[0].v);
    }
    say(sql.parameters.TimeZone, sql.parameters.application_name);
  }, { connection: { application_name: 'js é', work_mem: '6MB', search_path: 'pg_catalog', TimeZone: 'Asia/Tokyo', 'my.own': 'x' } }),

  types: () => within(async (sql) => {
    for (let n = 0; n < 2; n++) {
      say(await sql`SELECT ${1}::int AS i, ${'2'}::int8 AS b, ${1.5}::float8 AS f, ${'é 日本'} AS t, ${null}::int AS n, ${true}::bool AS y`);
      say(await sql`SELECT ${new Date(0)}::timestamptz AS d, ${[1, 2, 3]}::int[] AS a, ${sql.json({ a: [1] })}::jsonb AS j, ${Buffer.from([0, 255])}::bytea AS x`);
    }
  }),

  statements_prepared: () => within((first) => within(async (second) => {
    for (let n = 0; n < 8; n++) {
      say((await first`SELECT ${n}::int * 2 AS v`)[0], (await second`SELECT 'second ' || ${n}::int AS v`)[0]);
    }
    let total = 0;
    for (let n = 0; n < 200; n++) total += (await first.unsafe(`SELECT ${n} + $1::int AS v`, [n], { prepare: true }))[0].v;
    say(total);
  })),

  many_in_flight: () => within(async (sql) => {
    const all = await Promise.all(Array.from({ length: 300 }, (_, n) => sql`SELECT ${n}::int AS n`));
    say(all.every((rows, n) => rows[0].n === n));
    const mixed = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => sql`SELECT 10 / ${n % 5}::int AS n`));
    say(mixed.map((one) => (one.status === 'fulfilled' ? one.value[0].n : one.reason.code)));
  }, { max_pipeline: 100 }),

  transactions: () => within(async (sql) => {
    await sql`CREATE TABLE js_moved (n int PRIMARY KEY)`;
    await sql.begin('ISOLATION LEVEL REPEATABLE READ', async (tx) => {
      await tx`INSERT INTO js_moved ${tx([{ n: 1 }, { n: 2 }])}`;
      await tx.savepoint((inner) => inner`INSERT INTO js_moved VALUES (1)`).catch((error) => say(failure(error)));
      say(await tx`SELECT count(*)::int FROM js_moved`);
    });
    await sql.begin((tx) => [tx`INSERT INTO js_moved VALUES (3)`, tx`INSERT INTO js_moved VALUES (4)`]);
    await fails(sql.begin(async (tx) => {
      await tx`DELETE FROM js_moved`;
      throw new Error('changed my mind');
    }));
    say(await sql`SELECT array_agg(n) FROM (SELECT n FROM js_moved ORDER BY n FOR UPDATE) n`);
  }),

  errors: () => within(async (sql) => {
    for (const text of ['SELEC', 'SELECT 1/0', 'SELECT * FROM nowhere', "SELECT 'x'::int"]) await fails(sql.unsafe(text));
    await fails(sql`SELECT ${'nonsense'}::int`);
    say(await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b').simple());
    say(await sql`SELECT 1 AS after`);
  }),

  statements_after_ddl: () => within(async (sql) => {
    await sql`CREATE TABLE js_changing AS SELECT 1 AS id`;
    say(await sql`SELECT * FROM js_changing`);
    await sql`ALTER TABLE js_changing ADD COLUMN more int DEFAULT 7`;
    say(await sql`SELECT * FROM js_changing`);
  }),

  cursors: () => within(async (sql) => {
    let total = 0;
    await sql`SELECT g FROM generate_series(1, 1000) g`.cursor(70, (rows) => { total += rows.length; });
    for await (const rows of sql`SELECT g FROM generate_series(1, 100) g`.cursor(9)) {
      total += rows[0].g;
      if (rows[0].g > 50) break;
    }
    say(total, await sql`SELECT 1 AS after`);
    await sql`SELECT g FROM generate_series(1, 500) g`.forEach((row) => { total += row.g; });
    say(total);
    say((await sql`SELECT ${1}::int AS n, 'x' AS t`.describe()).columns.map((c) => [c.name, c.type]));
  }),

  copying: () => within(async (sql) => {
    await sql`CREATE TABLE js_copied (n int, label text)`;
    await pipeline(Readable.from(Array.from({ length: 5000 }, (_, n) => `${n}\té\n`)), await sql`COPY js_copied FROM STDIN`.writable());
    let bytes = 0;
    for await (const chunk of await sql`COPY js_copied TO STDOUT`.readable()) bytes += chunk.length;
    say(bytes);
  }),

  listening: () => within((sql) => within(async (other) => {
    const heard = [];
    await new Promise((resolve, reject) => {
      sql.listen('js_news', (payload) => {
        heard.push(payload);
        if (heard.length === 3) resolve();
      }).then(async () => {
        for (let n = 0; n < 3; n++) await other.notify('js_news', `message ${n}`);
      }).catch(reject);
    });
    say(heard);
  })),

  settings: () => within((first) => within(async (second) => {
    await first`SET work_mem = '7MB'`;
    await second`SET TimeZone = 'Asia/Tokyo'`;
    for (let n = 0; n < 4; n++) {
      for (const sql of [first, second]) say((await sql`SHOW work_mem`)[0], (await sql`SHOW TimeZone`)[0]);
    }
  })),

  cancelling: () => within(async (sql) => {
    const query = sql`SELECT pg_sleep(10)`;
    setTimeout(() => query.cancel(), 400);
    await fails(query);
    say(await sql`SELECT 1 AS after`);
  }),

  large_values: () => within(async (sql) => {
    const text = 'é'.repeat(4 << 20);
    say(await sql`SELECT length(${text}::text), md5(${text}::text)`);
    say((await sql`SELECT repeat('x', 20 << 20) AS x`)[0].x.length);
  }),

  concurrent_connections: () => within(async (sql) => {
    await sql`CREATE TABLE js_account AS SELECT g AS id, 100 AS balance FROM generate_series(0, 7) g`;
    await Promise.all(Array.from({ length: 200 }, (_, n) => sql.begin((tx) => tx`UPDATE js_account SET balance = balance - 1 WHERE id = ${n % 8}`)));
    const own = await sql.reserve();
    say(await own`SELECT array_agg(balance) FROM (SELECT * FROM js_account FOR UPDATE) a`);
    own.release();
  }, { max: 8 }),
};

run(checks);
