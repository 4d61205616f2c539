import { always, and, type Predicate, type Target, type TargetRef, type Value } from '@tenant-lint/model';

/** A target while its query is being lowered: conditions are added as the levels around it are understood. */
export interface Draft {
  readonly target: Omit<Target, 'predicate'>;
  readonly conditions: Predicate[];
  /** What the predicate says where there are no conditions. */
  vacuous: string;
}

/** One condition of an AND, with the targets of the sub-queries inside it. */
export interface Conjunct {
  readonly predicate: Predicate;
  readonly subs: readonly Draft[];
}

/** What one item of FROM yields. */
export interface Leaf {
  /** The targets behind it, those of sub-queries inside included. */
  readonly drafts: readonly Draft[];
  /** The targets whose rows it yields. */
  readonly own: readonly Draft[];
  /** What holds of every row it yields. */
  readonly exposed: readonly Conjunct[];
  /** Targets that an outer join inside may leave out of a row. */
  readonly optional: readonly TargetRef[];
}

export type JoinKind = 'inner' | 'left' | 'right' | 'full';

/** Items joined one after the other; the first has no join. */
export interface Joined {
  readonly leaf: Leaf;
  kind: JoinKind;
  readonly on: readonly Conjunct[];
}

export const draft = (target: Omit<Target, 'predicate'>, vacuous = 'no condition'): Draft => ({
  target,
  conditions: [],
  vacuous,
});

/** A draft with the conditions that it has now. */
export function targetOf(d: Draft): Target {
  const conditions = [...new Set(d.conditions)];
  return { ...d.target, predicate: conditions.length === 0 ? always(d.vacuous) : and(...conditions) };
}

/** The conditions of an AND, each with those of `subs` that stand in it. A vacuous one is none. */
export function conjunctsOf(predicate: Predicate, subs: readonly Draft[]): readonly Conjunct[] {
  if (predicate.kind === 'always') return [];
  const parts = predicate.kind === 'and' ? predicate.of : [predicate];
  if (parts.length === 1 && parts[0]) return [{ predicate: parts[0], subs }];
  const rest = new Set(subs);
  const conjuncts = parts.map((part): Conjunct => {
    const inside = subs.length === 0 ? [] : [...rest].filter((d) => mentions(part, d.target.ref));
    for (const d of inside) rest.delete(d);
    return { predicate: part, subs: inside };
  });
  const [first] = conjuncts;
  return rest.size > 0 && first ? [{ ...first, subs: [...first.subs, ...rest] }, ...conjuncts.slice(1)] : conjuncts;
}

/** Whether a sub-query with this target is anywhere in the condition. */
const mentions = (predicate: Predicate, ref: TargetRef): boolean =>
  JSON.stringify(predicate).includes(`"ref":${JSON.stringify(ref)}`);

/**
 * Hands every target of one query level the conditions that bind it. `where` holds for every row; `subs` are the targets of sub-queries
 * outside of conditions. Returns what the level yields.
 */
export function combine(
  items: readonly Joined[],
  where: readonly Conjunct[],
  subs: readonly Draft[],
  vacuous?: string,
): Leaf {
  reduceOuterJoins(items, strictRefs(where));
  bind(items, items.length - 1, where);
  const last = items.length - 1;
  const exposed = [...exposedBy(items, last), ...where];
  const holders = [...items.flatMap((i) => i.on), ...where];
  // A sub-query's rows matter only for outer rows that pass: it gets the other outer conditions, without the one it stands in.
  for (const holder of holders) {
    const others = exposed.filter((c) => c !== holder).map((c) => c.predicate);
    for (const d of holder.subs) d.conditions.push(...others);
  }
  for (const d of subs) d.conditions.push(...exposed.map((c) => c.predicate));
  if (vacuous !== undefined) for (const item of items) for (const d of item.leaf.own) d.vacuous = vacuous;
  return {
    drafts: [...items.flatMap((i) => i.leaf.drafts), ...holders.flatMap((h) => h.subs), ...subs],
    own: items.flatMap((i) => i.leaf.own),
    exposed,
    optional: optionalIn(items, last),
  };
}

const refsOf = (items: readonly Joined[], to: number): readonly TargetRef[] =>
  items.slice(0, to + 1).flatMap((i) => i.leaf.own.map((d) => d.target.ref));
const ownRefs = (item: Joined): readonly TargetRef[] => item.leaf.own.map((d) => d.target.ref);

/**
 * Turns outer joins into inner ones where a condition above cannot hold for a row that the join filled with NULLs, as Postgres does
 * (reduce_outer_joins in prepjointree.c).
 */
function reduceOuterJoins(items: readonly Joined[], above: ReadonlySet<TargetRef>): void {
  let strict = above;
  for (let k = items.length - 1; k > 0; k--) {
    const item = items[k]!;
    const reaches = (refs: readonly TargetRef[]): boolean => refs.some((r) => strict.has(r));
    const left = (item.kind === 'right' || item.kind === 'full') && reaches(refsOf(items, k - 1));
    const right = (item.kind === 'left' || item.kind === 'full') && reaches(ownRefs(item));
    if (item.kind === 'full') item.kind = left && right ? 'inner' : left ? 'left' : right ? 'right' : 'full';
    else if (left || right) item.kind = 'inner';
    if (item.kind === 'inner' || item.kind === 'right') strict = new Set([...strict, ...strictRefs(item.on)]);
    else if (item.kind === 'full') strict = new Set();
  }
}

/** What surely holds of every row of the first `to` joins. */
function exposedBy(items: readonly Joined[], to: number): readonly Conjunct[] {
  const item = items[to];
  if (!item) return [];
  if (to === 0) return item.leaf.exposed;
  if (item.kind === 'inner') return [...exposedBy(items, to - 1), ...item.leaf.exposed, ...item.on];
  if (item.kind === 'left') return exposedBy(items, to - 1);
  return item.kind === 'right' ? item.leaf.exposed : [];
}

/** Gives each item the conditions its rows must satisfy to reach the result: ON of an outer join binds only the optional side. */
function bind(items: readonly Joined[], to: number, above: readonly Conjunct[]): void {
  const item = items[to];
  if (!item) return;
  const give = (conjuncts: readonly Conjunct[]): void => {
    for (const d of item.leaf.drafts) d.conditions.push(...conjuncts.map((c) => c.predicate));
  };
  if (to === 0) return give(above);
  const { kind, on, leaf } = item;
  const rightBound = kind === 'inner' || kind === 'left' ? [...on, ...exposedBy(items, to - 1)] : [];
  const leftBound = kind === 'inner' || kind === 'right' ? [...on, ...leaf.exposed] : [];
  give([...rightBound, ...above]);
  bind(items, to - 1, [...leftBound, ...above]);
}

function optionalIn(items: readonly Joined[], to: number): readonly TargetRef[] {
  const item = items[to];
  if (!item) return [];
  if (to === 0) return item.leaf.optional;
  const left = item.kind === 'right' || item.kind === 'full' ? refsOf(items, to - 1) : optionalIn(items, to - 1);
  const right = item.kind === 'left' || item.kind === 'full' ? ownRefs(item) : item.leaf.optional;
  return [...left, ...right];
}

/** The targets that cannot be all NULL where these conditions hold. */
function strictRefs(conjuncts: readonly Conjunct[]): ReadonlySet<TargetRef> {
  const found = new Set<TargetRef>();
  for (const { predicate } of conjuncts) noteStrict(predicate, found);
  return found;
}

function noteStrict(p: Predicate, found: Set<TargetRef>): void {
  switch (p.kind) {
    case 'and':
      for (const inner of p.of) noteStrict(inner, found);
      return;
    case 'compare':
      if (p.operator.includes('distinct')) return;
      noteColumn(p.left, found);
      noteColumn(p.right, found);
      return;
    case 'in':
    case 'in-query':
      for (const value of p.kind === 'in' ? [p.left] : p.left) noteColumn(value, found);
      return;
    case 'value':
      noteColumn(p.of, found);
      return;
    case 'not':
      // NOT of unknown is unknown, so what is strict inside stays so; but NOT (a AND b) may hold by either alone.
      if (p.of.kind === 'null') noteColumn(p.of.of, found);
      else if (p.of.kind === 'compare' || p.of.kind === 'in' || p.of.kind === 'value') noteStrict(p.of, found);
      return;
    default:
  }
}

function noteColumn(value: Value, found: Set<TargetRef>): void {
  if (value.kind === 'column' && value.target !== undefined) found.add(value.target);
}
