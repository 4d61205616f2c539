import { unknownValue, type Step, type Target, type Value } from '@tenant-lint/model';
import { expression } from './expression.js';
import { targetOf, type Draft } from './joins.js';
import { selectStarts } from './names.js';
import { columnName, withPath, type Scope } from './scope.js';

/** A value that is selected, or all columns of a target. */
export type OutputItem = { readonly value: Value } | { readonly star: string };

/** The selected fields by name; undefined where all columns are selected, 'unknown' where what is selected is not known. */
export function fieldsOf(steps: readonly Step[], scope: Scope): ReadonlyMap<string, Value> | 'unknown' | undefined {
  const step = steps.find((s) => selectStarts.has(s.name));
  const given = step?.name === 'selectDistinctOn' ? step.arguments?.[1] : step?.arguments?.[0];
  if (!given || given.kind === 'undefined') return undefined;
  const resolved = given.kind === 'object' ? given : scope.context.resolve(given);
  if (resolved.kind !== 'object') return 'unknown';
  const fields = new Map<string, Value>();
  for (const entry of resolved.entries) {
    if (!('set' in entry)) return 'unknown';
    fields.set(entry.set, entry.value);
  }
  return fields;
}

/** What is selected: the fields, or all columns of every source. */
export function outputOf(fields: ReturnType<typeof fieldsOf>, scope: Scope): readonly OutputItem[] {
  if (fields && fields !== 'unknown') return [...fields.values()].flatMap((v) => fieldOutput(v, scope));
  return scope.sources.flatMap((s) => (s.ref === undefined ? (s.output ?? []) : [{ star: s.ref }]));
}

function fieldOutput(value: Value, scope: Scope): readonly OutputItem[] {
  const source = scope.source(value);
  if (source) return source.ref === undefined ? (source.output ?? []) : [{ star: source.ref }];
  if (value.kind === 'object') {
    return value.entries.flatMap((e) =>
      'set' in e
        ? fieldOutput(e.value, scope)
        : scope.sources.flatMap((s) => (s.ref === undefined ? [] : [{ star: s.ref }])),
    );
  }
  return [{ value: expression(value, scope) }];
}

/** What a field of the query is, for the query around it. */
export function fieldReader(fields: ReturnType<typeof fieldsOf>, scope: Scope): (path: readonly string[]) => Value {
  return (path) => {
    const [name, ...rest] = path;
    const unknown = unknownValue(`column ${name ?? ''} of a sub-query`);
    if (name === undefined || fields === 'unknown') return unknown;
    if (fields) {
      const value = fields.get(name);
      return value ? expression(rest.length > 0 ? withPath(value, rest) : value, scope) : unknown;
    }
    const [first] = scope.sources;
    const only = scope.sources.length === 1 ? first : scope.sources.find((s) => s.name === name);
    const inner = scope.sources.length === 1 ? path : rest;
    if (!only || inner[0] === undefined) return unknown;
    if (only.field) return only.field(inner);
    return {
      kind: 'column',
      ...(only.ref === undefined ? {} : { target: only.ref }),
      column: columnName(only.known, inner[0]),
    };
  };
}

const aggregates = new Set([
  'count',
  'countdistinct',
  'sum',
  'sumdistinct',
  'avg',
  'avgdistinct',
  'max',
  'min',
  'array_agg',
  'string_agg',
  'json_agg',
  'jsonb_agg',
  'bool_and',
  'bool_or',
  'every',
]);
/** Whether a selected value is computed over all rows. */
export const isAggregate = (value: Value): boolean =>
  value.kind === 'apply' && (aggregates.has(value.function) || value.to.some(isAggregate));

/** Notes for every target which of its columns the output shows; all of them where a star does. */
export function withColumns(drafts: readonly Draft[], output: readonly OutputItem[]): readonly Target[] {
  const shown = new Map<string, Set<string>>();
  const whole = new Set<string>();
  let open = false;
  const visit = (value: Value): void => {
    if (value.kind === 'column') {
      for (const ref of value.target !== undefined ? [value.target] : (value.candidates?.[0] ?? [])) {
        shown.set(ref, (shown.get(ref) ?? new Set()).add(value.column));
        if (value.column === '*') whole.add(ref);
      }
    } else if (value.kind === 'apply') value.to.forEach(visit);
    else if (value.kind === 'choice') value.of.forEach(visit);
    else if (value.kind === 'element') visit(value.of);
    else if (value.kind === 'query') for (const query of value.query.arms ?? [value.query]) query.output.forEach(visit);
    else if (value.kind === 'unknown') open = true;
  };
  for (const item of output) {
    if ('star' in item) whole.add(item.star);
    else visit(item.value);
  }
  return drafts.map((d): Target => {
    const target = targetOf(d);
    return open || whole.has(target.ref) ? target : { ...target, columns: [...(shown.get(target.ref) ?? [])].sort() };
  });
}
