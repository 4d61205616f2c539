import type { Entry, Item, TextPart, Value } from '@tenant-lint/model';
import { forget, learn, narrowed, negated } from './conditions.js';
import type { Change, Changes, Extraction, Scope, Variable } from './state.js';

export function lookup(scope: Scope, name: string): Variable | undefined {
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    const found = at.variables.get(name);
    if (found) return found;
  }
  return undefined;
}

export function declare(x: Extraction, name: string, value: Value, scope: Scope = x.scope): Variable {
  const kind = scope.parent ? 'local' : 'module';
  const variable: Variable = { name, kind, value };
  scope.variables.set(name, variable);
  return variable;
}

/** Changes what a variable holds from here on. */
export function assign(x: Extraction, variable: Variable, value: Value, added?: readonly Entry[]): void {
  x.trail.push({ variable, value: variable.value, added: variable.added });
  variable.value = value;
  variable.added = added;
}

/** What was changed since `mark` (a length of the trail); the variables are set back to what they were. */
export function takeChanges(x: Extraction, mark: number): Changes {
  if (x.trail.length === mark) return [];
  const changes = new Map<Variable, Change>();
  while (x.trail.length > mark) {
    const step = x.trail.pop();
    if (!step) break;
    const { variable } = step;
    if (!changes.has(variable)) changes.set(variable, { variable, value: variable.value, added: variable.added });
    variable.value = step.value;
    variable.added = step.added;
  }
  return [...changes.values()];
}

/** What was changed since `mark`; nothing is undone. */
export function changesSince(x: Extraction, mark: number): Changes {
  const variables = new Set<Variable>();
  for (let i = mark; i < x.trail.length; i++) {
    const step = x.trail[i];
    if (step) variables.add(step.variable);
  }
  return [...variables].map((variable) => ({ variable, value: variable.value, added: variable.added }));
}

/** Where several paths meet: each variable holds what any of them left in it. `test` decides between exactly two. */
export function join(x: Extraction, branches: readonly Changes[], test?: Value): void {
  const changed = new Set<Variable>();
  for (const branch of branches) for (const change of branch) changed.add(change.variable);
  for (const variable of changed) {
    const states = branches.map(
      (branch, i) => branch.find((change) => change.variable === variable) ?? unchanged(x, variable, branches, i, test),
    );
    const value = mergeValues(
      variable.value,
      states.map((state) => state.value),
      states.length === 2 ? test : undefined,
    );
    const added = mergeEntries(
      variable.added ?? [],
      states.map((state) => state.added ?? []),
      test,
    );
    assign(x, variable, value, added && added.length > 0 ? added : undefined);
  }
}

/** A variable that a branch left alone: what the test tells about it is known there. */
function unchanged(
  x: Extraction,
  variable: Variable,
  branches: readonly Changes[],
  index: number,
  test: Value | undefined,
): Pick<Variable, 'value' | 'added'> {
  const { value, added } = variable;
  if (!test || branches.length !== 2 || (value.kind !== 'missing-able' && value.kind !== 'choice')) return variable;
  const log = x.presentLog.length;
  learn(x, test, index === 0);
  const known = narrowed(x, value);
  forget(x, log);
  return { value: known, added };
}

function mergeValues(before: Value, values: readonly Value[], test: Value | undefined): Value {
  const distinct = [...new Set(values)];
  const first = distinct[0];
  if (distinct.length === 1 && first) return first;
  if (before.kind === 'object' && distinct.every((value) => value.kind === 'object')) {
    const entries = mergeEntries(
      before.entries,
      values.map((value) => (value.kind === 'object' ? value.entries : [])),
      test,
    );
    if (entries) return { ...before, entries };
  }
  if (before.kind === 'list' && distinct.every((value) => value.kind === 'list' && extend(before.of, value.of))) {
    const pushed = distinct.flatMap((value) => (value.kind === 'list' ? value.of.slice(before.of.length) : []));
    return { ...before, of: [...before.of, ...pushed.map((item): Item => ({ ...item, maybe: true }))] };
  }
  const text = mergeText(before, values, test);
  if (text) return text;
  if (test && values.length === 2) return { kind: 'choice', of: values, test };
  return { kind: 'choice', of: distinct };
}

/** Text that one of two paths only made longer: what was added is a hole that may be empty. */
function mergeText(before: Value, values: readonly Value[], test: Value | undefined): Value | undefined {
  if (values.length !== 2) return undefined;
  const grown = values.find((value) => value.kind === 'text');
  if (grown?.kind !== 'text' || grown === before) return undefined;
  const start = before.kind === 'text' ? before.parts : grown.parts.slice(0, 1);
  const first = start[0];
  const begins =
    before.kind === 'text'
      ? extend(before.parts, grown.parts)
      : first !== undefined &&
        ('hole' in first ? first.hole === before : before.kind === 'constant' && first.text === before.value);
  if (!begins) return undefined;
  const rests = values.map((value): Value | undefined => {
    if (value === before) return { kind: 'constant', value: '' };
    if (value.kind !== 'text' || (value !== grown && !extend(start, value.parts))) return undefined;
    return { kind: 'text', parts: value.parts.slice(start.length), span: value.span };
  });
  const [one, other] = rests;
  if (!one || !other) return undefined;
  const hole: TextPart = { hole: { kind: 'choice', of: [one, other], ...(test ? { test } : {}) }, span: grown.span };
  return { kind: 'text', parts: [...start, hole], span: grown.span };
}

const extend = <T>(before: readonly T[], after: readonly T[]): boolean =>
  after.length >= before.length && (before.length === 0 || after[before.length - 1] === before[before.length - 1]);

type SetEntry = Extract<Entry, { readonly set: string }>;

/** The last sure entry of each name. */
function surelySet(entries: readonly Entry[]): Map<string, SetEntry> {
  const found = new Map<string, SetEntry>();
  for (const entry of entries) if ('set' in entry && !entry.maybe) found.set(entry.set, entry);
  return found;
}

/** The entries that paths appended to `before`; undefined where one of them did not only append. */
function mergeEntries(
  before: readonly Entry[],
  after: readonly (readonly Entry[])[],
  test: Value | undefined,
): readonly Entry[] | undefined {
  if (!after.every((entries) => extend(before, entries))) return undefined;
  const extra = after.map((entries) => entries.slice(before.length));
  if (extra.every((entries) => entries.length === 0)) return before;
  const [one, other] = extra;
  const merged: Entry[] = [];
  const both = new Set<string>();
  if (one && other && extra.length === 2) {
    // A property that both paths set is set for sure.
    const [ones, others] = [surelySet(one), surelySet(other)];
    for (const [name, entry] of ones) {
      const twin = others.get(name);
      if (!twin) continue;
      both.add(name);
      merged.push({ ...entry, value: { kind: 'choice', of: [entry.value, twin.value], ...(test ? { test } : {}) } });
    }
  }
  for (const entries of extra) {
    for (const entry of entries) {
      if ('set' in entry && both.has(entry.set)) continue;
      // Within an entry that was set on some paths already, the test here is not all that decides.
      const { test: before, ...plain } = entry;
      const decides = test && extra.length === 2 && !entry.maybe && !before;
      merged.push({ ...plain, maybe: true, ...(decides ? { test: entries === one ? test : negated(test) } : {}) });
    }
  }
  return [...before, ...merged];
}
