import { createHash } from 'node:crypto';

/**
 * Names findings so that they survive edits elsewhere: rule, key (table, policy, enclosing function, shape of the access), and which of
 * several equal ones it is, counted in source order. Returns a function that must be called in that order.
 */
export function fingerprinter(): (rule: string, key: string) => string {
  const seen = new Map<string, number>();
  return (rule, key) => {
    const subject = `${rule}\n${key}`;
    const occurrence = seen.get(subject) ?? 0;
    seen.set(subject, occurrence + 1);
    return createHash('sha256').update(`${subject}\n${occurrence}`).digest('hex').slice(0, 16);
  };
}
