import type TS from 'typescript';
import type { CallChain, Entry, Item, Value } from '@tenant-lint/model';
import { assign, lookup } from './scope.js';
import type { Extraction } from './state.js';
import { ts } from './typescript.js';
import { appendLimit, property, valueOfVariable, withEntry } from './values.js';

/** Calls that change a local value in place: `list.push(x)`, `where.AND.push(x)`, `Object.assign(where, more)`. */
export function appendArguments(
  x: Extraction,
  chain: CallChain,
  root: TS.Expression,
  links: readonly TS.Expression[],
): void {
  const last = chain.steps.at(-1);
  if (!last?.arguments || !ts.isIdentifier(root)) return;
  if (last.name === 'assign' && root.text === 'Object' && chain.steps.length === 1)
    return assignAll(x, links, last.arguments);
  if (last.name !== 'push' && last.name !== 'unshift') return;
  const variable = lookup(x.scope, root.text);
  if (!variable || variable.kind === 'symbolic') return;
  const path = chain.steps.slice(0, -1).map((step) => (step.arguments ? undefined : step.name));
  if (path.includes(undefined)) return;
  const whole = valueOfVariable(variable);
  const list = path.reduce<Value>((value, name) => property(value, name ?? '*'), whole);
  if (list.kind !== 'list') return;
  if (list.of.length > appendLimit) {
    assign(x, variable, { kind: 'unknown', reason: 'too large' });
    return;
  }
  const items = last.arguments.map((value): Item =>
    value.kind === 'apply' && value.function === '...' && value.to[0]
      ? { value: value.to[0], spread: true }
      : { value },
  );
  const grown: Value = { ...list, of: last.name === 'push' ? [...list.of, ...items] : [...items, ...list.of] };
  if (path.length === 0) assign(x, variable, grown, variable.added);
  else if (variable.value.kind === 'object' && !variable.added) {
    const entries = withEntry(variable.value.entries, path as string[], grown);
    if (entries) assign(x, variable, { ...variable.value, entries });
  }
}

function assignAll(x: Extraction, links: readonly TS.Expression[], given: readonly Value[]): void {
  const call = links[1];
  const target = call && ts.isCallExpression(call) ? call.arguments[0] : undefined;
  if (!target || !ts.isIdentifier(target)) return;
  const variable = lookup(x.scope, target.text);
  if (!variable || variable.kind === 'symbolic') return;
  const entries = given.slice(1).map((spread): Entry => ({ spread }));
  if (variable.value.kind === 'object')
    assign(x, variable, { ...variable.value, entries: [...variable.value.entries, ...entries] });
  else assign(x, variable, variable.value, [...(variable.added ?? []), ...entries]);
}
