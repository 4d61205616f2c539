import type { Target, Value } from '@tenant-lint/model';
import { readList } from '../prisma/list.js';
import { describe, spanOf, type Lowering, type Rows } from '../prisma/lowering.js';
import { readObject } from '../prisma/object.js';
import { joinOf, linkNamed } from '../prisma/relation.js';
import { isFalse, settled } from '../prisma/shape.js';

/** What an option names to be loaded: `['org', 'lines.product']` or `{ org: true, lines: { product: true } }`. */
export function loaded(options: Value, rows: Rows, l: Lowering, name = 'relations'): Target[] {
  const value = readObject(options, l)?.properties.get(name)?.value;
  return value ? loadedBy(value, rows, l) : [];
}

function loadedBy(value: Value, rows: Rows, l: Lowering): Target[] {
  const list = readList(value, l);
  if (list) {
    const paths = list.flatMap((i) => (i.value.kind === 'constant' ? [String(i.value.value).split('.')] : []));
    if (paths.length < list.length) unseen(value, 'a relation is computed', l);
    return byPaths(paths, rows, value, l);
  }
  const object = readObject(value, l);
  if (!object) {
    unseen(value, describe(value), l);
    return [];
  }
  for (const reason of object.unseen) unseen(value, reason, l);
  return [...object.properties.values()].flatMap((p) => {
    const v = settled(p.value, l);
    return isFalse(v) ? [] : followed(p.name, v.kind === 'object' ? v : undefined, rows, value, l);
  });
}

const unseen = (value: Value, reason: string, l: Lowering): void => {
  l.unchecked.push({ reason: `what is loaded with it is not fully known: ${reason}`, span: spanOf(value, l.span) });
};

function byPaths(paths: readonly (readonly string[])[], rows: Rows, at: Value, l: Lowering): Target[] {
  const names = [...new Set(paths.flatMap((p) => p[0] ?? []))];
  return names.flatMap((name) => {
    const rest = paths.filter((p) => p[0] === name && p.length > 1).map((p) => p.slice(1));
    const target = related(name, rows, at, l);
    return target ? [target.target, ...byPaths(rest, target.rows, at, l)] : [];
  });
}

function followed(name: string, inner: Value | undefined, rows: Rows, at: Value, l: Lowering): Target[] {
  return l.deeper<Target[]>(
    () => [],
    () => {
      const target = related(name, rows, at, l);
      return target ? [target.target, ...(inner ? loadedBy(inner, target.rows, l) : [])] : [];
    },
  );
}

function related(name: string, from: Rows, at: Value, l: Lowering): { target: Target; rows: Rows } | undefined {
  const link = linkNamed(from, name, l);
  if (!link) return undefined;
  const rows: Rows = { ...link.to, ref: l.target() };
  return {
    rows,
    target: {
      ref: rows.ref,
      table: { known: true, value: rows.name },
      role: 'include',
      operation: 'read',
      predicate: joinOf(link, from, rows),
      cardinality: link.many ? 'many' : 'one',
      span: spanOf(at, l.span),
    },
  };
}
