import type { SqlRole } from '@tenant-lint/model';
import type { SqlParser } from '@tenant-lint/sql';
import { receiveMessageOnPort, MessageChannel, Worker, type MessagePort } from 'node:worker_threads';

/** Who took a file. */
export const taken = { byMain: 1, byWorker: 2 } as const;

export interface Job {
  readonly index: number;
  readonly file: string;
  readonly text: string;
  /** Of a file in SQL; code where absent. */
  readonly sql?: SqlJob;
}

/** What the facts of a file in SQL depend on besides its text. */
export interface SqlJob {
  readonly role?: SqlRole;
}

/** What a thread made of a job; without bytes, the main thread has to do it. */
export interface Done {
  readonly index: number;
  readonly bytes?: Uint8Array;
}

/** Memory that the threads share: who took each job, and a number that grows with each one done. */
export interface Shared {
  readonly claims: Int32Array;
  readonly signal: Int32Array;
  readonly port: MessagePort;
  /** The parser of all SQL text, that in code included. */
  readonly sqlParser: SqlParser;
}

/** A thread starts in about the time that this many characters of code take to be extracted. */
const worthThreads = 400_000;
/** A character of SQL takes so many times as long, and a thread that reads SQL alone loads no compiler. */
const sqlWeight = 4;
/** Characters that are sent at once. */
const batchSize = 60_000;
/** A thread that shows no sign of life for so long is given up, and what it had taken is done here. */
const patience = 20_000;

/**
 * Files that several threads extract, the calling one included. It stays synchronous, because hosts are: the calling thread works too, and
 * sleeps only while it waits for the last files of others. What comes back does not depend on who did what.
 */
export class Threads {
  readonly #jobs: Job[] = [];
  readonly #claims: Int32Array;
  readonly #signal = new Int32Array(new SharedArrayBuffer(4));
  readonly #workers: { readonly worker: Worker; readonly port: MessagePort }[] = [];
  #unsent: Job[] = [];
  #unsentSize = 0;
  #size = 0;

  /** `most`: jobs that may be given in all. */
  constructor(
    private readonly threads: number,
    most: number,
    private readonly sqlParser: SqlParser,
  ) {
    this.#claims = new Int32Array(new SharedArrayBuffer(4 * Math.max(most, 1)));
  }

  /** Gives a file to whoever comes first. Threads start as soon as there is enough to do for them. */
  give(file: string, text: string, sql?: SqlJob): void {
    const job = { index: this.#jobs.length, file, text, ...(sql ? { sql } : {}) };
    this.#jobs.push(job);
    if (this.threads < 2) return;
    this.#unsent.push(job);
    this.#unsentSize += text.length;
    this.#size += text.length * (sql ? sqlWeight : 1);
    if (this.#size < worthThreads) return;
    if (this.#workers.length === 0) for (let i = 1; i < this.threads; i++) this.#workers.push(this.#start());
    if (this.#unsentSize >= batchSize) this.#send();
  }

  /**
   * The facts of the given files that are wanted, as bytes where another thread made them. `here` makes what no other thread does; what it
   * throws for one file it has to handle itself.
   */
  collect<T>(wanted: ReadonlySet<string>, here: (job: Job) => T, read: (bytes: Uint8Array, job: Job) => T): T[] {
    const made: T[] = [];
    this.#send();
    const open = new Set<Job>();
    for (const job of this.#jobs) {
      if (wanted.has(job.file)) open.add(job);
      else Atomics.compareExchange(this.#claims, job.index, 0, taken.byMain);
    }
    const finish = (job: Job, value: T): void => {
      open.delete(job);
      made.push(value);
    };
    const receive = (): void => {
      for (const { index, bytes } of this.#received()) {
        const job = this.#jobs[index]!;
        if (open.has(job)) finish(job, bytes ? read(bytes, job) : here(job));
      }
    };
    // The others begin at the front.
    for (const job of [...open].reverse()) {
      if (Atomics.compareExchange(this.#claims, job.index, 0, taken.byMain) === 0) finish(job, here(job));
      receive();
    }
    while (open.size > 0) {
      const seen = Atomics.load(this.#signal, 0);
      receive();
      if (open.size > 0 && Atomics.wait(this.#signal, 0, seen, patience) === 'timed-out')
        for (const job of open) finish(job, here(job));
    }
    for (const { worker } of this.#workers) void worker.terminate();
    return made;
  }

  *#received(): Iterable<Done> {
    for (const { port } of this.#workers) {
      for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
        yield (next as { message: Done }).message;
    }
  }

  #send(): void {
    for (const { port } of this.#workers) if (this.#unsent.length > 0) port.postMessage(this.#unsent);
    this.#unsent = [];
    this.#unsentSize = 0;
  }

  #start(): { worker: Worker; port: MessagePort } {
    const { port1, port2 } = new MessageChannel();
    const shared: Shared = { claims: this.#claims, signal: this.#signal, port: port2, sqlParser: this.sqlParser };
    const worker = new Worker(new URL('extract-worker.js', import.meta.url), {
      workerData: shared,
      transferList: [port2],
      execArgv: [],
      // A stack below that of the main thread: what is too deep here is tried again there, so that nothing depends on who did it.
      resourceLimits: { stackSizeMb: 1, maxYoungGenerationSizeMb: 96 },
    });
    // A thread that fails has taken nothing, or is given up in time.
    worker.on('error', () => undefined);
    worker.unref();
    return { worker, port: port1 };
  }
}
