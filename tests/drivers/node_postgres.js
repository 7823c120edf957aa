// node-postgres past the proxy: pool, prepared statements, transactions, errors, notifications.
// Prints one JSON line for tests/integration/test_drivers.py; exits with status 1 where anything throws.
'use strict';
const { Client, Pool } = require('pg');

async function prepared(client) {
  let right = 0;
  for (let n = 0; n < 50; n++) {
    const answer = await client.query({ name: 'double', text: 'SELECT $1::int * 2 AS twice', values: [n] });
    if (answer.rows[0].twice === n * 2) right++;
  }
  return right;
}

async function rolledBack(client) {
  await client.query('BEGIN');
  await client.query("INSERT INTO item (label) VALUES ('node rolled back')");
  await client.query('ROLLBACK');
  const answer = await client.query("SELECT count(*)::int AS n FROM item WHERE label = 'node rolled back'");
  return answer.rows[0].n;
}

async function notified(client, pool) {
  const arrived = new Promise((resolve) => client.once('notification', (message) => resolve(message.payload)));
  await client.query('LISTEN node_news');
  await pool.query("NOTIFY node_news, 'hello'");
  return arrived;
}

// A hang ends with what had been reached.
function watch(told) {
  const limit = 20000 * Number(process.env.PGSTEER_TEST_SLOWDOWN || 1);
  setTimeout(() => {
    console.error('stuck after', JSON.stringify(told));
    process.exit(1);
  }, limit).unref();
}

async function main() {
  const pool = new Pool({ max: 20 });
  const client = new Client();
  const told = {};
  watch(told);
  await client.connect();
  told.rows = (await client.query('SELECT g, $1::text FROM generate_series(1, 200) g /* node read */', ['é'])).rows.length;
  told.prepared = await prepared(client);
  const all = await Promise.all(Array.from({ length: 40 }, (_, n) => pool.query('SELECT $1::int AS n', [n])));
  told.concurrent = all.filter((answer, n) => answer.rows[0].n === n).length;
  told.error = await client.query('SELECT 1/0').then(() => 'none', (error) => error.code);
  told.rolledBack = await rolledBack(client);
  const many = await client.query('SELECT 1 AS a; SELECT 2 AS b');
  told.cursor = many.length === 2 && many[1].rows[0].b === 2;
  told.notified = await notified(client, pool);
  await client.end();
  await pool.end();
  console.log(JSON.stringify(told));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
