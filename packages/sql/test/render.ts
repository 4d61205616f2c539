import type { Access, Predicate, Query, Target, Value } from '@tenant-lint/model';

/** A predicate as one readable line, for tests. Columns are `ref.column`; names still to be resolved `{a b | c}.column`. */
export function showPredicate(p: Predicate): string {
  switch (p.kind) {
    case 'and':
    case 'or':
      return `(${p.of.map(showPredicate).join(` ${p.kind} `)})`;
    case 'not':
      return `not ${showPredicate(p.of)}`;
    case 'compare':
      return `${showValue(p.left)} ${p.operator} ${showValue(p.right)}`;
    case 'null':
      return `${showValue(p.of)} is null`;
    case 'in':
      return `${showValue(p.left)} in [${p.right.map(showValue).join(', ')}${p.open ? ' ...' : ''}]`;
    case 'in-query':
      return `(${p.left.map(showValue).join(', ')}) in ${showQuery(p.query)}`;
    case 'exists':
      return `exists ${showQuery(p.query)}`;
    case 'case':
      return `case ${p.of.map(([a, b]) => `${showPredicate(a)} -> ${showPredicate(b)}`).join('; ')} else ${showPredicate(p.otherwise)}`;
    case 'value':
      return `<${showValue(p.of)}>`;
    case 'is':
      return `(${showPredicate(p.of)} is ${p.test === null ? 'unknown' : p.test})`;
    case 'always':
      return `always(${p.why})`;
    case 'never':
      return 'never';
    case 'unknown':
      return `unknown(${p.reason})`;
    case 'related':
    case 'optional':
    case 'either':
      return p.kind;
  }
}

export function showValue(v: Value): string {
  switch (v.kind) {
    case 'column': {
      const where = v.target ?? `{${(v.candidates ?? []).map((level) => level.join(' ')).join(' | ')}}`;
      return `${where}.${v.column}${v.otherwise ? ` else ${showValue(v.otherwise)}` : ''}`;
    }
    case 'constant':
      return typeof v.value === 'string' ? `'${v.value}'` : String(v.value);
    case 'placeholder':
      return `$${v.name}`;
    case 'setting':
      return `setting(${v.name}${v.missingOk ? '?' : ''})`;
    case 'apply':
      return `${v.function}(${v.to.map(showValue).join(', ')})`;
    case 'choice':
      return v.test
        ? `(${showValue(v.test)} ? ${v.of.map(showValue).join(' : ')})`
        : `one(${v.of.map(showValue).join(', ')})`;
    case 'list':
      return `[${v.of.map((i) => showValue(i.value)).join(', ')}]`;
    case 'element':
      return `${showValue(v.of)}[${v.path.join('.')}]`;
    case 'query':
      return `select ${showQuery(v.query)}`;
    case 'predicate':
      return showPredicate(v.predicate);
    case 'unknown':
      return `unknown(${v.reason})`;
    default:
      return v.kind;
  }
}

export function showQuery(q: Query): string {
  if (q.arms) return `{${q.arms.map(showQuery).join(' union ')}}`;
  const from = q.targets.map((t) => `${t.ref}:${tableOf(t)}`).join(', ');
  return `{${q.output.map(showValue).join(', ')} from ${from} where ${showPredicate(q.condition)}}`;
}

export const tableOf = (t: Target): string =>
  t.table.known
    ? ('schema' in t.table.value && t.table.value.schema ? `${t.table.value.schema}.` : '') + t.table.value.name
    : `?${t.table.reason}`;

/** One line for each target: `t0 root read invoices i: predicate`, and what is written. */
export function showTargets(access: Access): string[] {
  return access.targets.map((t) => {
    const name = `${tableOf(t)}${t.alias ? ` ${t.alias}` : ''}`;
    const set = (label: string, w: Target['writes']): string =>
      w
        ? ` ${label} {${Object.entries(w.set)
            .map(([k, v]) => `${k}: ${showValue(v)}`)
            .join(', ')}${w.open ? ' ...' : ''}}`
        : '';
    const conflict = t.conflict
      ? ` conflict [${t.conflict.join(', ')}]`
      : t.conflictConstraint
        ? ` conflict ${t.conflictConstraint}`
        : '';
    return `${t.ref} ${t.role} ${t.operation} ${name}: ${showPredicate(t.predicate)}${set('writes', t.writes)}${set('updates', t.updates)}${conflict}`;
  });
}
