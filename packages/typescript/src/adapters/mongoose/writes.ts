import { always, undefinedValue, unknownValue, type Predicate, type Value, type Writes } from '@tenant-lint/model';
import { readList } from '../prisma/list.js';
import type { Lowering, Rows } from '../prisma/lowering.js';
import { readObject } from '../prisma/object.js';
import { openWrites, restOf } from '../writes.js';
import { settled } from '../prisma/shape.js';

export const newDocument: Predicate = always('a new row');

/** The values that a document has by which it is created. */
export function documentOf(value: Value | undefined, l: Lowering): Writes {
  const object = value && readObject(value, l);
  if (!object) return openWrites(value);
  const set: Record<string, Value> = {};
  for (const { name, value: given, replaced } of object.properties.values()) {
    if (settled(given, l).kind === 'undefined') continue;
    set[name] = replaced ? { kind: 'choice', of: [given, unknownValue(replaced)] } : given;
  }
  return { set, open: object.unseen.length > 0, ...restOf(object, (name) => name) };
}

/** What an update does: to a document that is there, and what a new one gets besides the equalities of the filter. */
export interface Update {
  readonly changes: Writes;
  readonly inserts: Writes;
}

/** `{ name }`, `{ $set, $unset, $inc ... }`; a list is a pipeline, whose effect is not followed. */
export function updateOf(value: Value | undefined, l: Lowering): Update {
  const v = value && settled(value, l);
  const object = v && v.kind !== 'list' ? readObject(v, l) : undefined;
  const open = openWrites(v?.kind === 'list' ? undefined : value);
  if (!object)
    return { changes: { ...open, open: value !== undefined }, inserts: { ...open, open: value !== undefined } };
  const changes: Record<string, Value> = {};
  const inserts: Record<string, Value> = {};
  let unseen = object.unseen.length > 0;
  // What `$set` is given replaces whatever stands beside it under the same name.
  let rest: Pick<Writes, 'rest'> = restOf(object, (name) => name);
  for (const { name, value: given } of object.properties.values()) {
    if (!name.startsWith('$')) {
      if (settled(given, l).kind === 'undefined') continue;
      changes[name] = given;
      inserts[name] = given;
      continue;
    }
    const inner = readObject(given, l);
    if (!inner || inner.unseen.length > 0) unseen = true;
    if (name === '$set' && !rest.rest) rest = inner ? restOf(inner, (path) => path) : openWrites(given);
    for (const { name: path, value: to } of inner?.properties.values() ?? []) {
      const written =
        name === '$set' || name === '$setOnInsert'
          ? to
          : name === '$unset'
            ? ({ kind: 'constant', value: null } as const)
            : unknownValue(`${name} changes it`);
      if (settled(written, l).kind === undefinedValue.kind) continue;
      if (name !== '$setOnInsert') changes[path] = written;
      if (name !== '$unset') inserts[path] = written;
    }
  }
  const more = rest.rest ? { rest: rest.rest } : {};
  return { changes: { set: changes, open: unseen, ...more }, inserts: { set: inserts, open: unseen, ...more } };
}

/** The equalities of a condition: what a new document of an upsert gets from its filter, and by what an old one is found. */
export function equalities(predicate: Predicate, rows: Rows): Readonly<Record<string, Value>> {
  const found: Record<string, Value> = {};
  for (const p of predicate.kind === 'and' ? predicate.of : [predicate]) {
    if (p.kind === 'compare' && p.operator === '=' && p.left.kind === 'column' && p.left.target === rows.ref)
      found[p.left.column] = p.right;
  }
  return found;
}

/** The documents that are created: one, a list, or several arguments. */
export function documentsOf(args: readonly Value[], l: Lowering): readonly { value: Value; spread: boolean }[] {
  const [first] = args;
  const list = first && readList(first, l);
  if (list) return list.map((i) => ({ value: i.value, spread: i.spread === true }));
  return first ? [{ value: first, spread: false }] : [];
}
