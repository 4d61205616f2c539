import type { Model } from '@tenant-lint/analysis';
import type { Policy, Predicate, SchemaFunction, Value } from '@tenant-lint/model';

type Node = Readonly<Record<string, unknown>>;

/** Every object of a tree that carries meaning, outermost first. Facts are plain data, so one walk serves predicates, values and queries. */
export function* nodesIn(tree: unknown): Iterable<Node> {
  if (Array.isArray(tree)) {
    for (const item of tree) yield* nodesIn(item);
    return;
  }
  if (tree === null || typeof tree !== 'object') return;
  yield tree as Node;
  for (const [key, inner] of Object.entries(tree)) if (key !== 'span') yield* nodesIn(inner);
}

/** The conditions of a policy. */
export const clausesOf = (policy: Policy): readonly Predicate[] => [policy.using, policy.check].flatMap((p) => p ?? []);

/** The comparisons in a tree, those of sub-queries included: the sides, and how they are compared. `IN` counts as equality. */
export function* comparisonsIn(
  tree: unknown,
): Iterable<{ readonly operator: string; readonly sides: readonly Value[]; readonly node: Node }> {
  for (const node of nodesIn(tree)) {
    const p = node as unknown as Predicate;
    if (p.kind === 'compare') yield { operator: p.operator, sides: [p.left, p.right], node };
    else if (p.kind === 'in') yield { operator: '=', sides: [p.left, ...p.right], node };
    else if (p.kind === 'in-query') yield { operator: '=', sides: [...p.left, ...p.query.output], node };
  }
}

/** The functions of the project that a tree calls, and those that they call. */
export function functionsIn(tree: unknown, model: Model): ReadonlySet<SchemaFunction> {
  const found = new Set<SchemaFunction>();
  const visit = (part: unknown): void => {
    for (const node of nodesIn(part)) {
      const value = node as unknown as Value;
      if (value.kind !== 'apply') continue;
      for (const f of functionsNamed(value.function, model)) {
        if (found.has(f)) continue;
        found.add(f);
        if (f.body.known) visit(f.body.value);
      }
    }
  };
  visit(tree);
  return found;
}

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
