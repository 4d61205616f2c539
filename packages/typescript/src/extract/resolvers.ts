import type { EntryPoint, FunctionFacts, Value } from '@tenant-lint/model';
import type { Extraction } from './state.js';

type Roles = EntryPoint['roles'];
type Bindings = Readonly<Record<string, Value>>;
type Mark = (value: Value, roles: (made: FunctionFacts | undefined) => Roles) => void;

/** The types by which a request enters a GraphQL schema: their fields have no parent row. */
const rootTypes = new Set(['Query', 'Mutation', 'Subscription']);
/** Deeper than this, and wider, no map of resolvers is written. */
const maxDepth = 3;

/**
 * Marks the resolvers of GraphQL schemas. They are found by the shape of the map that servers are handed, `{ Query: { board: (parent, args,
 * context) => ... }, Board: { ... } }`, wherever the map is put together, and by the configuration of a field, `{ type, args, resolve }`.
 */
export function markResolvers(x: Extraction, bindings: Bindings, mark: Mark): void {
  for (const [name, value] of Object.entries(bindings)) {
    if (rootTypes.has(name)) markFields(value, bindings, mark);
    markMap(value, bindings, mark);
  }
  for (const chain of x.chains)
    for (const step of chain.steps)
      for (const argument of step.arguments ?? []) {
        markMap(argument, bindings, mark);
        if (argument.kind === 'object') {
          const maps = argument.entries.flatMap((e) => ('set' in e && e.set === 'resolvers' ? [e.value] : []));
          for (const map of maps) markMap(map, bindings, mark);
        }
        markConfigured(argument, step.name, mark, maxDepth);
      }
}

/** `{ Query: { ... }, Board: { ... } }`, and a list of such maps. */
function markMap(value: Value, bindings: Bindings, mark: Mark, depth = maxDepth): void {
  const own = held(value, bindings);
  if (depth === 0) return;
  if (own.kind === 'list') for (const item of own.of) markMap(item.value, bindings, mark, depth - 1);
  if (own.kind !== 'object' || !own.entries.some((e) => 'set' in e && rootTypes.has(e.set))) return;
  for (const entry of own.entries) if ('set' in entry) markFields(entry.value, bindings, mark);
}

/** The fields of one type: functions, or objects with the function under `resolve` or `subscribe`. */
function markFields(value: Value, bindings: Bindings, mark: Mark, depth = maxDepth): void {
  const own = held(value, bindings);
  if (own.kind !== 'object' || depth === 0) return;
  for (const entry of own.entries) {
    if ('spread' in entry) markFields(entry.spread, bindings, mark, depth - 1);
    else if ('set' in entry) {
      const field = held(entry.value, bindings);
      const nested = field.kind === 'object' ? field.entries : [];
      const functions = nested.flatMap((e) =>
        'set' in e && (e.set === 'resolve' || e.set === 'subscribe') ? [e.value] : [],
      );
      for (const f of functions.length > 0 ? functions : [entry.value]) mark(f, () => resolverRoles(0));
    }
  }
}

/** `t.field({ type, args, resolve })`, `new GraphQLObjectType({ fields: { board: { type, resolve } } })`. */
function markConfigured(value: Value, step: string, mark: Mark, depth: number): void {
  if (value.kind !== 'object' || depth === 0) return;
  const named = (name: string): Value | undefined =>
    value.entries.flatMap((e) => ('set' in e && e.set === name ? [e.value] : []))[0];
  const resolve = named('resolve');
  if (resolve && (named('type') ?? named('args'))) {
    // Fields of Pothos' plugin for Prisma are handed the selection first.
    mark(resolve, () => resolverRoles(step.startsWith('prisma') ? 1 : 0));
    return;
  }
  for (const entry of value.entries) if ('set' in entry) markConfigured(entry.value, step, mark, depth - 1);
}

/** `(parent, args, context, info)`, with `before` parameters in front. */
const resolverRoles = (before: number): Roles => [
  { index: before, path: [], role: 'context' },
  { index: before + 1, path: [], role: 'input' },
  { index: before + 2, path: [], role: 'context' },
];

/** What a name of the module holds. */
function held(value: Value, bindings: Bindings): Value {
  const found = value.kind === 'binding' && value.path.length === 0 ? bindings[value.name] : undefined;
  return found ?? value;
}
