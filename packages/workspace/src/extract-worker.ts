import { workerData } from 'node:worker_threads';
import { extractTypescript, loadTypescript } from '@tenant-lint/typescript/extract';
import { encodeFacts } from './codec.js';
import { taken, type Done, type Job, type Shared } from './threads.js';

/** One thread that extracts files. It takes those that nobody has taken yet, and says which facts it made. */
const { claims, signal, port } = workerData as Shared;
loadTypescript();
port.on('message', (jobs: readonly Job[]) => {
  for (const { index, file, text } of jobs) {
    if (Atomics.compareExchange(claims, index, 0, taken.byWorker) !== 0) continue;
    port.postMessage(factsOf(index, file, text));
    Atomics.add(signal, 0, 1);
    Atomics.notify(signal, 0);
  }
});

function factsOf(index: number, file: string, text: string): Done {
  try {
    const facts = extractTypescript(text, { file });
    // How deep a stack may be differs between threads; the main one has the last word.
    if (facts.unchecked.some((u) => u.reason === 'too-deep')) return { index };
    return { index, bytes: encodeFacts(facts) };
  } catch {
    return { index };
  }
}
