import type { Access, Predicate, Query, Target, Value } from '@tenant-lint/model';

/** A value in one line, for assertions: `t0.org_id`, `p0.orgId`, `'x'`, `p0.orgId?` where it may be missing. */
export function showValue(value: Value): string {
  const path = 'path' in value && value.path.length > 0 ? `.${value.path.join('.')}` : '';
  switch (value.kind) {
    case 'constant':
      return typeof value.value === 'string' ? `'${value.value}'` : String(value.value);
    case 'undefined':
      return 'undefined';
    case 'column':
      return value.target === undefined ? value.column : `${value.target}.${value.column}`;
    case 'parameter':
      return `p${value.index}${path}`;
    case 'import':
      return `${value.module}#${value.name}${path}`;
    case 'binding':
      return `${value.name}${path}`;
    case 'global':
      return `${value.name}${path}`;
    case 'this':
      return `this${path}`;
    case 'result':
      return `result${path}`;
    case 'input':
      return `input${path}`;
    case 'missing-able':
      return `${showValue(value.of)}?`;
    case 'element':
      return `${showValue(value.of)}${path}`;
    case 'apply':
      return `${value.function}(${value.to.map(showValue).join(', ')})`;
    case 'choice':
      return `(${value.test ? `${showValue(value.test)} ? ` : ''}${value.of.map(showValue).join(' | ')})`;
    case 'list':
      return `[${value.of.map((i) => `${i.spread ? '...' : ''}${showValue(i.value)}${i.maybe ? '?' : ''}`).join(', ')}]`;
    case 'object':
      return `{ ${value.entries.map((e) => ('spread' in e ? `...${showValue(e.spread)}` : `${'set' in e ? e.set : '[]'}: ${showValue(e.value)}`)).join(', ')} }`;
    case 'query':
      return `(${showQuery(value.query)} -> ${value.query.output.map(showValue).join(', ')})`;
    case 'predicate':
      return `<${showPredicate(value.predicate)}>`;
    case 'text':
      return `\`${value.parts.map((p) => ('text' in p ? p.text : `\${${showValue(p.hole)}}`)).join('')}\``;
    case 'instance':
      return `new ${showValue(value.of)}`;
    case 'placeholder':
      return `$${value.name}`;
    default:
      return value.kind;
  }
}

/** A condition in one line: `t0.org_id = p0 and (t0.a is null or not t0.b = 1)`. */
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
      return `${showValue(p.left)} in (${p.right.map(showValue).join(', ')}${p.open ? ' ...' : ''})`;
    case 'in-query':
      return `(${p.left.map(showValue).join(', ')}) in (${showQuery(p.query)})`;
    case 'exists':
      return `exists(${showQuery(p.query)})`;
    case 'related':
      return `${p.target} related to ${p.to} by ${p.by}`;
    case 'case':
      return `case(${p.of.map(([w, t]) => `${showPredicate(w)} -> ${showPredicate(t)}`).join(', ')}, ${showPredicate(p.otherwise)})`;
    case 'value':
      return `value(${showValue(p.of)})`;
    case 'is':
      return `(${showPredicate(p.of)} is ${String(p.test)})`;
    case 'optional':
      return `optional(${showPredicate(p.of)} on ${showValue(p.on)} else ${showPredicate(p.otherwise)})`;
    case 'either':
      return `either(${p.test ? `${showValue(p.test)} ? ` : ''}${p.of.map(showPredicate).join(' | ')})`;
    case 'always':
      return `always`;
    case 'never':
      return 'never';
    case 'unknown':
      return `unknown(${p.reason})`;
  }
}

export const showQuery = (q: Query): string =>
  `${q.targets.map((t) => `${showTable(t)} ${t.ref}`).join(', ')} where ${showPredicate(q.condition)}`;

export const showTable = (t: Target): string => (t.table.known ? t.table.value.name : `?(${t.table.reason})`);

/** A target in one line: `root read Invoice t0 one: t0.id = p0`, with its writes. */
export function showTarget(t: Target): string {
  const set = (w: NonNullable<Target['writes']>): string =>
    `{ ${[...Object.entries(w.set).map(([k, v]) => `${k}: ${showValue(v)}`), ...(w.open ? ['...'] : [])].join(', ')} }`;
  return [
    `${t.role} ${t.operation} ${showTable(t)} ${t.ref} ${t.cardinality}: ${showPredicate(t.predicate)}`,
    ...(t.writes ? [`set ${set(t.writes)}`] : []),
    ...(t.updates ? [`else ${set(t.updates)}`] : []),
    ...(t.conflict ? [`conflict ${t.conflict.join(',')}`] : []),
    ...(t.columns ? [`columns ${t.columns.join(',')}`] : []),
  ].join(' ');
}

export const showAccess = (a: Access): string[] => a.targets.map(showTarget);
