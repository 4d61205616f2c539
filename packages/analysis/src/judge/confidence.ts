import type { Confidence } from '@tenant-lint/model';

const order: readonly Confidence[] = ['certain', 'likely', 'possible'];

/** The surer of two; the second where there is no first. */
export const best = (a: Confidence | undefined, b: Confidence): Confidence =>
  a === undefined || order.indexOf(b) < order.indexOf(a) ? b : a;

/** The less sure of two. */
export const worst = (a: Confidence, b: Confidence): Confidence => (order.indexOf(a) > order.indexOf(b) ? a : b);

/** A column whose value nobody can guess: who knows it has been given it, so that finding the row by it is a check of its own. */
export const isSecret = (column: string): boolean =>
  /(?:^|_)(?:token|secret|hash|hashed|signature|nonce|otp|api_?keys?|public_?key|private_?key|access_?key|key_?hash)(?:_|$)/i.test(
    column.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll('.', '_'),
  );
