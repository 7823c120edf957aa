// What the JavaScript drivers' programs share: running named checks with a time limit, printing what they saw.
'use strict';
const LIMIT = 20000; // milliseconds a check

const say = (...what) => console.log(what.map((w) => (typeof w === 'string' ? w : JSON.stringify(w, shown))).join(' '));

function shown(key, value) {
  if (typeof value === 'bigint') return `${value}n`;
  if (value && value.type === 'Buffer') return 'bytes ' + Buffer.from(value.data).toString('hex').slice(0, 80);
  return value;
}

const failure = (error) => `${error.name} ${error.code} ${error.message}`;

// Says what error a promise ends in.
const fails = (promise) => promise.then((value) => say('no error', value), (error) => say(failure(error)));

// Ends the whole program after the last check, whatever connections a failed one left open.
async function run(checks) {
  const chosen = process.argv.slice(2);
  for (const [name, check] of Object.entries(checks)) {
    if (chosen.length && !chosen.includes(name)) continue;
    say('==', name);
    let timer;
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${LIMIT} ms`)), LIMIT);
    });
    await Promise.race([check(), limit]).catch((error) => say('!!', failure(error)));
    clearTimeout(timer);
  }
  process.exit(0);
}

// An error on an idle connection must not end the program; the check that runs shows it.
process.on('uncaughtException', (error) => say('!! uncaught', failure(error)));
process.on('unhandledRejection', (error) => say('!! unhandled', failure(error)));

module.exports = { fails, failure, run, say };
