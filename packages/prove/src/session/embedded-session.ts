import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { OutOfMemory, OutOfTime, TimedOut, type Limits, type Ran, type Session } from './session.js';

type Answer = { readonly ready: true } | { readonly id: number; readonly outcomes: readonly Ran[] };

const checkMemoryMilliseconds = 200;

/**
 * An embedded Postgres in a thread of its own, which is ended when a statement takes too long or too much memory. `extensions` are contrib
 * modules of PGlite by the names of its files: 'pgcrypto', 'uuid_ossp'. The thread sees no environment and, once the database is
 * open, no file, process or network.
 */
export async function openEmbeddedSession(limits: Limits, extensions: readonly string[] = []): Promise<Session> {
  const worker = new Worker(createRequire(import.meta.url).resolve('@tenant-lint/prove/worker'), {
    workerData: { extensions },
    env: {},
    stdin: false,
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  const begun = Date.now();
  // What the start takes is its own; what counts is what statements add.
  let before = Infinity;
  let next = 0;
  let ended: Error | undefined;

  const answer = (step: string, seconds: number, wants: (a: Answer) => boolean, send?: () => void): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const left = limits.totalSeconds - (Date.now() - begun) / 1000;
      const fail = (error: Error): void => {
        settle();
        ended = error;
        void worker.terminate();
        reject(error);
      };
      const timer = setTimeout(
        () => {
          fail(left < seconds ? new OutOfTime(limits.totalSeconds) : new TimedOut(step, seconds));
        },
        Math.max(0, Math.min(seconds, left)) * 1000,
      );
      const memory = setInterval(() => {
        if (process.memoryUsage.rss() - before > limits.memoryMegabytes * 1024 * 1024)
          fail(new OutOfMemory(step, limits.memoryMegabytes));
      }, checkMemoryMilliseconds);
      const onMessage = (message: Answer): void => {
        if (!wants(message)) return;
        settle();
        resolve(message);
      };
      const onEnd = (error: unknown): void => {
        fail(error instanceof Error ? error : new Error(`the embedded Postgres ended (${String(error)})`));
      };
      const settle = (): void => {
        clearTimeout(timer);
        clearInterval(memory);
        worker.off('message', onMessage);
        worker.off('error', onEnd);
        worker.off('exit', onEnd);
      };
      worker.on('message', onMessage);
      worker.on('error', onEnd);
      worker.on('exit', onEnd);
      send?.();
    });

  await answer('starting the embedded Postgres', 60, (a) => 'ready' in a);
  before = process.memoryUsage.rss();
  return {
    kind: 'embedded',
    async run(statements, step = '') {
      if (ended) throw ended;
      const id = ++next;
      // Many statements in one message share the time of one; each message is short but for the statement of a migration.
      const got = await answer(
        step,
        limits.statementSeconds,
        (a) => 'id' in a && a.id === id,
        () => {
          worker.postMessage({ id, statements });
        },
      );
      return 'outcomes' in got ? got.outcomes : [];
    },
    async close() {
      ended ??= new Error('closed');
      await worker.terminate();
    },
  };
}
