import type { Model } from '@tenant-lint/analysis';
import type { Policy, Predicate, SchemaFunction, Value } from '@tenant-lint/model';

type Node = Readonly<Record<string, unknown>>;

/** Every object of a tree that carries meaning, outermost first. Facts are plain data, so one walk serves predicates, values and queries. */
export function* nodesIn(tree: unknown): Iterable<Node> {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const next = open.pop();
    if (next === null || typeof next !== 'object') continue;
    const inner = Array.isArray(next) ? (next as unknown[]) : partsOf(next as Node);
    if (!Array.isArray(next)) yield next as Node;
    for (let i = inner.length - 1; i >= 0; i--) open.push(inner[i]);
  }
}

function partsOf(node: Node): unknown[] {
  const parts: unknown[] = [];
  for (const key in node) if (key !== 'span') parts.push(node[key]);
  return parts;
}

/** Remembers what is asked of a tree: facts do not change, and the body of one function is asked about by every policy that calls it. */
export function remembered<K extends object, T>(answer: (tree: K) => T): (tree: K) => T {
  const known = new WeakMap<K, { readonly of: T }>();
  return (tree) => {
    let found = known.get(tree);
    if (!found) known.set(tree, (found = { of: answer(tree) }));
    return found.of;
  };
}

/** The conditions of a policy. */
export const clausesOf = (policy: Policy): readonly Predicate[] => [policy.using, policy.check].flatMap((p) => p ?? []);

interface Comparison {
  readonly operator: string;
  readonly sides: readonly Value[];
  readonly node: Node;
}

/** The comparisons in a tree, those of sub-queries included: the sides, and how they are compared. `IN` counts as equality. */
export const comparisonsIn = remembered((tree: object): readonly Comparison[] => [...comparisons(tree)]);

function* comparisons(tree: object): Iterable<Comparison> {
  for (const node of nodesIn(tree)) {
    const p = node as unknown as Predicate;
    if (p.kind === 'compare') yield { operator: p.operator, sides: [p.left, p.right], node };
    else if (p.kind === 'in') yield { operator: '=', sides: [p.left, ...p.right], node };
    else if (p.kind === 'in-query') yield { operator: '=', sides: [...p.left, ...p.query.output], node };
  }
}

/** The functions of the project that a tree calls, and those that they call. */
export function functionsIn(tree: object, model: Model): ReadonlySet<SchemaFunction> {
  const found = new Set<SchemaFunction>();
  const visit = (part: object): void => {
    for (const name of callsIn(part)) {
      for (const f of functionsNamed(name, model)) {
        if (found.has(f)) continue;
        found.add(f);
        if (f.body.known) visit(f.body.value);
      }
    }
  };
  visit(tree);
  return found;
}

const callsIn = remembered((tree: object): readonly string[] => {
  const names = new Set<string>();
  for (const node of nodesIn(tree)) {
    const value = node as unknown as Value;
    if (value.kind === 'apply') names.add(value.function);
  }
  return [...names];
});

/** The functions of the project that a call by this name may reach. */
export const functionsNamed = (name: string, model: Model): readonly SchemaFunction[] =>
  model.schema.functions.get(name) ?? model.schema.functions.get(`public.${name}`) ?? [];

/** A value without casts and without a SELECT around it. */
export function bareValue(value: Value): Value {
  if (value.kind === 'apply' && value.to[0] && value.function.startsWith('cast:')) return bareValue(value.to[0]);
  if (value.kind === 'query' && value.query.targets.length === 0 && value.query.output[0])
    return bareValue(value.query.output[0]);
  return value;
}
