import { workerData } from 'node:worker_threads';
import { extractSql, timesExhausted, withSqlParser } from '@tenant-lint/sql';
import { extractTypescript } from '@tenant-lint/typescript/extract';
import { encodeFacts } from './codec.js';
import { taken, type Done, type Job, type Shared } from './threads.js';

/** One thread that extracts files. It takes those that nobody has taken yet, and says which facts it made. */
const { claims, signal, port, sqlParser } = workerData as Shared;
port.on('message', (jobs: readonly Job[]) => {
  for (const job of jobs) {
    if (Atomics.compareExchange(claims, job.index, 0, taken.byWorker) !== 0) continue;
    port.postMessage(withSqlParser(sqlParser, () => factsOf(job)));
    Atomics.add(signal, 0, 1);
    Atomics.notify(signal, 0);
  }
});

function factsOf({ index, file, text, sql }: Job): Done {
  try {
    const exhausted = timesExhausted();
    const facts = sql ? extractSql(text, { file, ...sql }) : extractTypescript(text, { file });
    // How deep a stack may be differs between threads; the main one has the last word.
    if (timesExhausted() > exhausted || facts.unchecked.some((u) => u.reason === 'too-deep')) return { index };
    return { index, bytes: encodeFacts(facts) };
  } catch {
    return { index };
  }
}
