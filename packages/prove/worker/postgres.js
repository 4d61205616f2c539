// The thread in which the embedded Postgres runs: it can be ended from outside, and once the database is open nothing in it can reach files,
// processes or the network. Plain JavaScript, because a thread needs a file to start from, in the sources as well as in the build.
import childProcess from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

/** The glue of the WebAssembly module reaches the outside through these modules alone; from here on each of their functions throws. */
function closeDoors() {
  for (const module of [fs, childProcess, net, tls, http, https, dgram, dns]) {
    for (const name of Object.keys(module)) {
      if (typeof module[name] !== 'function') continue;
      const closed = () => {
        throw new Error('not reachable from SQL');
      };
      Object.defineProperty(module, name, { value: closed, configurable: true, writable: true });
    }
  }
  syncBuiltinESMExports();
  for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest']) Reflect.deleteProperty(globalThis, name);
}

const extensions = {};
for (const name of workerData.extensions) {
  const module = await import(`@electric-sql/pglite/contrib/${name}`);
  extensions[name] = module[name];
}
const db = await PGlite.create({ extensions });
closeDoors();
parentPort.postMessage({ ready: true });

/** What a statement did, as plain data. */
async function outcomeOf(sql) {
  try {
    const result = await db.query(sql, [], { rowMode: 'array' });
    return { ok: true, rows: result.rows.map((row) => row.map(textOf)), affected: result.affectedRows ?? 0 };
  } catch (error) {
    const { code, message, constraint, column } = error;
    return { ok: false, code: code ?? 'XX000', message, constraint, column };
  }
}

const textOf = (value) =>
  value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);

parentPort.on('message', async ({ id, statements }) => {
  const outcomes = [];
  for (const sql of statements) {
    const outcome = await outcomeOf(sql);
    outcomes.push(outcome);
    if (!outcome.ok) break;
  }
  parentPort.postMessage({ id, outcomes });
});
