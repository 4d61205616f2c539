import { and, type Target, type Value } from '@tenant-lint/model';
import { describe, knownColumn, spanOf, type Lowering, type Model, type Rows } from './lowering.js';
import { joinOf, linkNamed, type Link } from './relation.js';
import { readObject, type ReadObject } from './object.js';
import { isFalse, settled, whenPresent } from './shape.js';
import { whereCondition } from './where.js';

/** What `include` and `select` of one level load besides the rows themselves. `args` is the object that has them, if it is known. */
export function included(args: ReadObject, rows: Rows, l: Lowering): Target[] {
  return ['include', 'select'].flatMap((key) => {
    const value = args.properties.get(key)?.value;
    if (value === undefined) return [];
    const object = readObject(value, l);
    if (!object) {
      l.unchecked.push({ reason: `what is loaded with it is ${describe(value)}`, span: spanOf(value, l.span) });
      return [];
    }
    for (const reason of object.unseen) {
      l.unchecked.push({ reason: `what is loaded with it is not fully known: ${reason}`, span: spanOf(value, l.span) });
    }
    return [...object.properties.values()].flatMap((p) =>
      p.name === '_count' ? counted(p.value, rows, l) : includedBy(p.name, p.value, rows, l),
    );
  });
}

function includedBy(name: string, value: Value, rows: Rows, l: Lowering): Target[] {
  const link = linkNamed(rows, name, l);
  const { of } = whenPresent(value, l);
  if (!link || of.length === 0) return [];
  return related(link, of.length === 1 ? of[0]! : { kind: 'choice', of }, rows, l);
}

/** The target of a relation that is loaded from `rows`, and what is loaded from there. */
export function related(link: Link, value: Value, from: Rows, l: Lowering): Target[] {
  return l.deeper(
    () => [],
    () => {
      const rows: Rows = { ...link.to, ref: l.target() };
      // `true` loads all related rows; an unseen object may narrow that.
      const args: ReadObject = readObject(value, l) ?? { properties: new Map(), unseen: [], rest: [] };
      const where = whereCondition(args.properties.get('where')?.value, rows, l);
      const columns = selectedColumns(args, rows, l);
      const target: Target = {
        ref: rows.ref,
        table: { known: true, value: rows.name },
        role: 'include',
        operation: 'read',
        predicate: and(joinOf(link, from, rows), where),
        cardinality: link.many ? 'many' : 'one',
        ...(columns ? { columns } : {}),
        span: spanOf(value, l.span),
      };
      return [target, ...included(args, rows, l)];
    },
  );
}

/** `_count: true` or `_count: { select: { invoices: { where } } }`: how many related rows there are, not the rows. */
function counted(value: Value, rows: Rows, l: Lowering): Target[] {
  const object = readObject(value, l);
  const select = object?.properties.get('select')?.value;
  const chosen = select && readObject(select, l);
  const names: [string, Value][] = chosen
    ? [...chosen.properties.values()].map((p) => [p.name, p.value])
    : (rows.table?.relations ?? []).filter((r) => r.cardinality === 'many').map((r) => [r.name, value]);
  return names.flatMap(([name, of]) =>
    includedBy(name, of, rows, l)
      .slice(0, 1)
      .map((target) => ({ ...target, columns: [] })),
  );
}

/** The columns that a `select` lets through; undefined: all. */
export function selectedColumns(args: ReadObject, model: Model, l: Lowering): readonly string[] | undefined {
  const value = args.properties.get('select')?.value;
  const select = value && settled(value, l).kind === 'object' ? readObject(value, l) : undefined;
  if (!select || select.unseen.length > 0) return undefined;
  return [...select.properties.values()].flatMap((p) => {
    const column = knownColumn(model, p.name);
    return column === undefined || isFalse(settled(p.value, l)) ? [] : [column];
  });
}
