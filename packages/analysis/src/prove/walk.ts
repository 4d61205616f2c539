import {
  mapAccess,
  mapPredicate,
  mapQuery,
  mapTarget,
  mapValue,
  type Access,
  type Predicate,
  type Query,
  type Target,
  type TargetRef,
  type Value,
} from '@tenant-lint/model';

type Tree = Predicate | Query | Value | Access | Target;

/** Calls `visit` for every object of the tree that carries meaning; plain recursion over data. */
export function eachNode(node: unknown, visit: (node: Readonly<Record<string, unknown>>) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) eachNode(item, visit);
    return;
  }
  if (node === null || typeof node !== 'object') return;
  const record = node as Record<string, unknown>;
  visit(record);
  for (const key in record) {
    const inner = record[key];
    if (typeof inner === 'object' && key !== 'span') eachNode(inner, visit);
  }
}

/** All targets within a tree: of sub-queries at any depth, and its own if it is an access. */
export function targetsIn(tree: Tree): readonly Target[] {
  const found: Target[] = [];
  eachNode(tree, (node) => {
    if (typeof node['ref'] === 'string' && 'role' in node && 'predicate' in node) found.push(node as unknown as Target);
  });
  return found;
}

/** The targets whose columns (or implicit references) occur in a tree; those of its own sub-queries included. */
export function refsIn(tree: Tree): ReadonlySet<TargetRef> {
  const found = new Set<TargetRef>();
  eachNode(tree, (node) => {
    if (node['kind'] === 'column' && typeof node['target'] === 'string') found.add(node['target']);
    if (node['kind'] === 'related') {
      found.add(node['target'] as string);
      found.add(node['to'] as string);
    }
  });
  return found;
}

/** Visits every value of a tree. */
export function eachValue(tree: Tree, visit: (value: Value) => void): void {
  const see = (value: Value): Value => {
    visit(value);
    return value;
  };
  if ('library' in tree) mapAccess(tree, see);
  else if ('ref' in tree) mapTarget(tree, see);
  else if (!('kind' in tree)) mapQuery(tree, see);
  else if (isPredicate(tree)) mapPredicate(tree, see);
  else mapValue(tree, see);
}

const predicateKinds: ReadonlySet<string> = new Set<Predicate['kind']>([
  'and',
  'or',
  'not',
  'compare',
  'null',
  'in',
  'in-query',
  'exists',
  'related',
  'case',
  'value',
  'is',
  'optional',
  'either',
  'always',
  'never',
]);

/** Tells predicates from values. `unknown` is a kind of both, has the same shape in both, and counts as a value. */
export const isPredicate = (tree: Predicate | Value): tree is Predicate => predicateKinds.has(tree.kind);

/** Whether some compare of the tree is by an order, and not by equality. */
export function hasOrder(tree: Tree): boolean {
  let found = false;
  eachNode(tree, (node) => {
    if (node['kind'] === 'compare' && /^[<>]=?$/.test(String(node['operator']))) found = true;
  });
  return found;
}

/** Renames target references, in columns and in the targets of sub-queries alike. */
export function renameTargets<T extends Predicate | Query | Value>(tree: T, rename: (ref: TargetRef) => TargetRef): T {
  return renamed(tree, rename) as T;
}

function renamed(node: unknown, rename: (ref: TargetRef) => TargetRef): unknown {
  if (Array.isArray(node)) return node.map((item) => renamed(item, rename));
  if (node === null || typeof node !== 'object') return node;
  const record = node as Record<string, unknown>;
  const copy: Record<string, unknown> = {};
  for (const key in record) copy[key] = key === 'span' ? record[key] : renamed(record[key], rename);
  if (record['kind'] === 'column' && typeof record['target'] === 'string') copy['target'] = rename(record['target']);
  if (record['kind'] === 'related') {
    copy['target'] = rename(record['target'] as string);
    copy['to'] = rename(record['to'] as string);
  }
  if (typeof record['ref'] === 'string' && 'role' in record) copy['ref'] = rename(record['ref']);
  return copy;
}

/**
 * Gives the targets of every sub-query names of their own. The statements of a function are lowered one by one, and each begins to count anew:
 * two of them beside each other in one body would be taken for the same row.
 */
export function separated(body: Value): Value {
  const used = new Set<TargetRef>();
  return separatedNode(body, new Map(), (ref) => {
    let name = ref;
    for (let n = 2; used.has(name); n++) name = `${ref}'${n}`;
    used.add(name);
    return name;
  }) as Value;
}

function separatedNode(
  node: unknown,
  names: ReadonlyMap<TargetRef, TargetRef>,
  fresh: (ref: TargetRef) => TargetRef,
): unknown {
  if (Array.isArray(node)) return node.map((item) => separatedNode(item, names, fresh));
  if (node === null || typeof node !== 'object') return node;
  const record = node as Record<string, unknown>;
  let scope = names;
  if (Array.isArray(record['targets']) && 'output' in record) {
    const own = (record['targets'] as readonly Target[]).map((t) => [t.ref, fresh(t.ref)] as const);
    scope = new Map([...names, ...own]);
  }
  const named = (ref: unknown): unknown => (typeof ref === 'string' ? (scope.get(ref) ?? ref) : ref);
  const copy: Record<string, unknown> = {};
  for (const key in record) {
    if (key === 'span') copy[key] = record[key];
    else if (key === 'candidates')
      copy[key] = (record[key] as readonly (readonly TargetRef[])[]).map((c) => c.map(named));
    else copy[key] = separatedNode(record[key], scope, fresh);
  }
  if (record['kind'] === 'column') copy['target'] = named(record['target']);
  if (record['kind'] === 'column' && copy['target'] === undefined) delete copy['target'];
  if (record['kind'] === 'related') Object.assign(copy, { target: named(record['target']), to: named(record['to']) });
  if (typeof record['ref'] === 'string' && 'role' in record) copy['ref'] = named(record['ref']);
  return copy;
}

/** Puts the arguments of a call in the place of a function body's placeholders ('1', '2' ...). */
export function substitute(body: Value, args: readonly Value[]): Value {
  return mapValue(body, (value) =>
    value.kind === 'placeholder' && /^\d+$/.test(value.name) ? (args[Number(value.name) - 1] ?? value) : value,
  );
}

/** Visits the sides of every comparison of a tree, those of its sub-queries included. */
export function eachComparison(tree: Predicate | Value, visit: (sides: readonly Value[]) => void): void {
  eachNode(tree, (node) => {
    const p = node as unknown as Predicate;
    if (p.kind === 'compare') visit([p.left, p.right]);
    else if (p.kind === 'in') visit([p.left, ...p.right]);
    else if (p.kind === 'in-query') visit([...p.left, ...p.query.output]);
  });
}

const sizes = new WeakMap<object, number>();

/** How many conditions, values and targets a tree has. Trees do not change, so that each is counted once. */
export function sizeOf(node: unknown): number {
  if (node === null || typeof node !== 'object') return 0;
  let size = sizes.get(node);
  if (size === undefined) sizes.set(node, (size = counted(node)));
  return size;
}

function counted(node: object): number {
  if (Array.isArray(node)) return node.reduce<number>((sum, item) => sum + sizeOf(item), 0);
  let size = 'kind' in node ? 1 : 0;
  const record = node as Record<string, unknown>;
  for (const key in record) if (key !== 'span') size += sizeOf(record[key]);
  return size;
}
