import type { Io } from './main.js';

/** A run shorter than this draws nothing. */
const quietMilliseconds = 500;
const redrawMilliseconds = 100;

export interface Progress {
  update(phase: string, done: number, total: number): void;
  end(): void;
}

/** Draws one line on stderr, where that is a terminal and the run takes long enough to be worth it. */
export function progressLine(io: Io): Progress {
  if (io.stderr.isTTY !== true) return { update: () => undefined, end: () => undefined };
  const begun = Date.now();
  let drawn = 0;
  return {
    update(phase, done, total) {
      const now = Date.now();
      if (now - begun < quietMilliseconds || now - drawn < redrawMilliseconds) return;
      drawn = now;
      io.stderr.write(`\r\u001b[K${phase} ${done} of ${total}`.slice(0, (io.stderr.columns ?? 80) + 4));
    },
    end() {
      if (drawn > 0) io.stderr.write('\r\u001b[K');
    },
  };
}
