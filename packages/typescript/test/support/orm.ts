import { expect } from 'vitest';
import { lowerEmbedded } from '@tenant-lint/sql';
import type { Access, Adapter, Predicate, Target, Value } from '@tenant-lint/model';
import { extractTypescript } from '../../src/extract/index.js';
import { substitutePlaceholders } from '../../src/adapters/substitute.js';
import { accessesOf, type ContextSettings } from './context.js';
import { showPredicate, showValue } from './render.js';

/** What the SQL front end reads in the text that a library would send. */
export function bySql(sql: string, parameters: readonly unknown[]): Access {
  const { accesses, unchecked } = lowerEmbedded({
    file: 'sent.sql',
    text: sql,
    idPrefix: 'q',
    library: 'sql',
    span: { file: 'sent.sql', start: 0, end: sql.length },
    position: (n) => n,
  });
  expect(unchecked).toEqual([]);
  expect(accesses).toHaveLength(1);
  return substitutePlaceholders(accesses[0]!, (name) => {
    const value = parameters[Number(name) - 1];
    return { kind: 'constant', value: value === undefined ? null : (value as string | number) };
  });
}

/** What an adapter reads in code. */
export function byAdapter(adapter: Adapter, code: string, settings: ContextSettings = {}): Access {
  const accesses = accessesOf(adapter, [extractTypescript(code, { file: 'query.ts' })], settings);
  expect(accesses).toHaveLength(1);
  expect(accesses[0]!.unchecked).toBeUndefined();
  return accesses[0]!;
}

const isValue = (v: unknown): v is Value => typeof v === 'object' && v !== null && 'kind' in v;

/**
 * Targets in comparable form: references by table and position, conditions in order. Which columns come back is left out. `tables`: the
 * names in the database of what code names otherwise.
 */
export function shape(access: Access, tables: Readonly<Record<string, string>> = {}): readonly string[] {
  const labels = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const target of access.targets) {
    const given = target.table.known ? target.table.value.name : '?';
    const name = tables[given] ?? given;
    const n = counts.get(name) ?? 0;
    counts.set(name, n + 1);
    labels.set(target.ref, `${name}${n}`);
  }
  const column = (v: Value): Value => {
    if (v.kind === 'apply' && v.function.startsWith('cast:')) return v.to[0]!;
    if (v.kind !== 'column') return v;
    const ref = v.target ?? v.candidates?.[0]?.[0];
    return { kind: 'column', target: labels.get(ref ?? '') ?? ref ?? '?', column: v.column };
  };
  const rename = (p: Predicate): Predicate =>
    JSON.parse(JSON.stringify(p), (_key, v: unknown) => (isValue(v) ? column(v) : v)) as Predicate;
  const sorted = (p: Predicate): string => {
    if (p.kind === 'and' || p.kind === 'or') return `(${p.of.map(sorted).sort().join(` ${p.kind} `)})`;
    if (p.kind === 'not')
      return p.of.kind === 'compare' && p.of.operator === '='
        ? sorted({ ...p.of, operator: '<>' })
        : `not ${sorted(p.of)}`;
    if (p.kind === 'exists') return `exists ${conditions(p.query.condition)}`;
    if (p.kind === 'in-query')
      return `${p.left.map(showValue).join()} in ${p.query.output.map(showValue).join()} where ${conditions(p.query.condition)}`;
    if (p.kind === 'in' && p.right.length === 1 && !p.open)
      return sorted({ kind: 'compare', left: p.left, operator: '=', right: p.right[0]! });
    if (p.kind === 'compare') {
      const [left, right] = [showValue(p.left), showValue(p.right)];
      return p.operator === '=' && left > right ? `${right} = ${left}` : `${left} ${p.operator} ${right}`;
    }
    // `0=1` is how a library writes that there is no row.
    return p.kind === 'never' ? '0 = 1' : showPredicate(p);
  };
  const conditions = (p: Predicate): string =>
    p.kind === 'and' ? [...new Set(p.of.map(sorted))].sort().join(' & ') : p.kind === 'always' ? 'all' : sorted(p);
  const writes = (t: Target): string =>
    Object.entries(t.writes?.set ?? {})
      .filter(([, v]) => v.kind !== 'undefined')
      .map(([k, v]) => `${k}=${showValue(isValue(v) ? column(v) : v)}`)
      .sort()
      .join(',');
  return access.targets
    .map((t) => `${labels.get(t.ref)!} ${t.operation} [${writes(t)}]: ${conditions(rename(t.predicate))}`)
    .sort();
}
