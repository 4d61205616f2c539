import { propertyOf, type Predicate, type Step, type Value } from '@tenant-lint/model';
import { unknownCondition, type Lowering, type Rows } from '../prisma/lowering.js';
import { modelsIn, optionOf, textIn, type DeclaredModel } from './models.js';
import { modelNamed } from './declare.js';

/** The model that declares the rows' table. */
function declaredModel(rows: Rows, l: Lowering): DeclaredModel | undefined {
  const names = new Set(
    rows.table?.aliases.flatMap((a) => (a.by === 'model' && a.library === 'sequelize' ? [a.name] : [])),
  );
  for (const column of rows.table?.columns.values() ?? []) {
    const facts = l.context.facts(column.span.file);
    const found = facts && modelsIn(facts, l.context).find((m) => names.has(m.name));
    if (found) return found;
  }
  return undefined;
}

/** What scopes put before the `where` of a call: filters in order, each replacing the keys of the one before. */
export interface Scoped {
  readonly wheres: readonly Value[];
  readonly unknown?: Predicate;
}

/** The default scope, or what `.scope(...)` puts in its place; `.unscoped()` leaves nothing. */
export function scopesOf(steps: readonly Step[], rows: Rows, l: Lowering): Scoped {
  const model = declaredModel(rows, l);
  const added = model ? addedScopes(model, l) : new Map<string, Value>();
  const options = model?.options;
  const own = added.get('defaultScope') ?? optionOf(options, 'defaultScope');
  let wheres: Value[] = whereIn(own, l);
  let unknown: Predicate | undefined = hookOf(options, l);
  for (const step of steps) {
    if (step.name === 'unscoped') wheres = [];
    if (step.name !== 'scope' && step.name !== 'withScope') continue;
    // A scope replaces what was before it, the default one included.
    wheres = [];
    unknown = undefined;
    for (const argument of (step.arguments ?? []).flatMap((a) => listed(a, l))) {
      const given = l.context.resolve(argument);
      if (given.kind === 'constant' && given.value === null) continue;
      const name = textIn(argument, l.context) ?? methodOf(given, l);
      const scope =
        name === undefined
          ? undefined
          : name === 'defaultScope'
            ? own
            : (added.get(name) ?? optionOf(optionOf(options, 'scopes'), name));
      const found = scope && whereIn(scope, l);
      if (found && (scope.kind === 'object' || found.length > 0 || onlyIncludes(scope, l))) wheres.push(...found);
      else unknown = unknownCondition(`the scope ${name ?? ''} was not found`, step.span);
    }
  }
  return { wheres, ...(unknown ? { unknown } : {}) };
}

const listed = (value: Value, l: Lowering): readonly Value[] => {
  const v = l.context.resolve(value);
  return v.kind === 'list' ? v.of.map((i) => i.value) : [value];
};

/** `{ method: ['byOrg', orgId] }`. */
function methodOf(value: Value, l: Lowering): string | undefined {
  const method = optionOf(value, 'method');
  const v = method && l.context.resolve(method);
  return v?.kind === 'list' ? textIn(v.of[0]?.value, l.context) : v && textIn(v, l.context);
}

/** The `where` of a scope that is an object; what a function makes of its arguments is not known. */
function whereIn(scope: Value | undefined, l: Lowering): Value[] {
  const v = scope && l.context.resolve(scope);
  if (v?.kind !== 'object') return [];
  const where = propertyOf(v, 'where');
  return where.kind === 'undefined' ? [] : [where];
}

/** A scope that is a function, and whatever it is called with has no condition of its own: `(userId) => ({ include: [...] })`. */
function onlyIncludes(scope: Value, l: Lowering): boolean {
  const made = madeBy(scope, l);
  return (
    scope.kind === 'function' && made?.kind === 'object' && made.entries.every((e) => 'set' in e && e.set !== 'where')
  );
}

/** What a function without a choice gives: `() => ({ ... })`; any other value as it is. */
function madeBy(value: Value | undefined, l: Lowering): Value | undefined {
  const v = value && l.context.resolve(value);
  if (v?.kind !== 'function') return v;
  const returns = l.context.function(v.function)?.returns ?? [];
  return returns.length === 1 ? l.context.resolve(returns[0]!.value) : undefined;
}

/** `Model.addScope('defaultScope', { where })` in the file of the model, and the decorators of its class: `@Scopes(() => ({ ... }))`. */
function addedScopes(model: DeclaredModel, l: Lowering): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  const facts = l.context.facts(model.span.file);
  for (const { name, arguments: args } of facts?.classes.find((c) => c.name === (model.of?.name ?? model.name))
    ?.decorators ?? []) {
    const made = name.kind === 'import' ? madeBy(args[0], l) : undefined;
    if (name.kind !== 'import' || !made) continue;
    if (name.name === 'DefaultScope') found.set('defaultScope', made);
    if (name.name !== 'Scopes' || made.kind !== 'object') continue;
    for (const entry of made.entries) if ('set' in entry) found.set(entry.set, entry.value);
  }
  for (const chain of facts?.chains ?? []) {
    const step = chain.steps.at(-1);
    const [name, scope] = step?.arguments ?? [];
    if (step?.name !== 'addScope' || !scope) continue;
    const called = textIn(name, l.context);
    if (called !== undefined && modelNamed(chain.receiver, undefined, l.context) === model.name)
      found.set(called, scope);
  }
  return found;
}

/** A hook before reads may add whatever it likes. */
function hookOf(options: Value | undefined, l: Lowering): Predicate | undefined {
  const hooks = optionOf(options, 'hooks');
  return ['beforeFind', 'beforeCount'].some((name) => optionOf(hooks, name) !== undefined)
    ? unknownCondition('a hook of the model may add a condition', l.span)
    : undefined;
}
