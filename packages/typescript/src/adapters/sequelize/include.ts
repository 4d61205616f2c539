import { and, type Predicate, type Target, type Value } from '@tenant-lint/model';
import { readList } from '../prisma/list.js';
import { columnNamed, describe, modelNamed, spanOf, type Lowering, type Rows } from '../prisma/lowering.js';
import { readObject } from '../prisma/object.js';
import { joinOf, linkNamed, type Link } from '../prisma/relation.js';
import { settled } from '../prisma/shape.js';
import { queryOver } from '../prisma/where.js';
import { textIn } from './models.js';
import { modelOf } from './receiver.js';
import { whereCondition, type Joined } from './where.js';

/** What is loaded with the rows, and what that asks of them: an include with a condition leaves out rows that have none. */
export interface Included {
  readonly targets: readonly Target[];
  readonly required: readonly Predicate[];
  /** Rows of associations by their path, for `$customer.name$`. */
  readonly joined: Joined;
}

/** Reads `include: [...]` of an operation over `rows`. */
export function included(value: Value | undefined, rows: Rows, l: Lowering): Included {
  return l.deeper<Included>(
    () => ({ targets: [], required: [], joined: new Map() }),
    () => {
      const found = { targets: [] as Target[], required: [] as Predicate[], joined: new Map<string, Rows>() };
      if (value === undefined || settled(value, l).kind === 'undefined') return found;
      const list = readList(value, l) ?? [{ value }];
      for (const item of list) {
        if ('spread' in item && item.spread) unseen(item.value, l);
        else one(item.value, rows, l, found);
      }
      return found;
    },
  );
}

const unseen = (value: Value, l: Lowering): void => {
  l.unchecked.push({ reason: `what is included is ${describe(value)}`, span: spanOf(value, l.span) });
};

function one(
  value: Value,
  rows: Rows,
  l: Lowering,
  found: { targets: Target[]; required: Predicate[]; joined: Map<string, Rows> },
): void {
  const v = settled(value, l);
  const object = v.kind === 'object' && v.entries.some((e) => 'set' in e) ? readObject(v, l) : undefined;
  const part = (name: string): Value | undefined => object?.properties.get(name)?.value;
  const as = textIn(part('as'), l.context) ?? textIn(part('association'), l.context) ?? textIn(value, l.context);
  const model = part('model') ?? (object || as !== undefined ? undefined : value);
  const link = linkOf(as, model, rows, l);
  if (!link) return unseen(value, l);
  const to: Rows = { ...link.to, ref: l.target() };
  const inner = included(part('include'), to, l);
  const where = part('where');
  const own = and(whereCondition(where, to, l, inner.joined), ...inner.required);
  const condition = and(joinOf(link, rows, to), own);
  const columns = attributesOf(part('attributes'), to, l);
  const target: Target = {
    ref: to.ref,
    table: { known: true, value: to.name },
    role: 'include',
    operation: 'read',
    predicate: condition,
    cardinality: link.many ? 'many' : 'one',
    ...(columns ? { columns } : {}),
    span: spanOf(value, l.span),
  };
  found.targets.push(target, ...inner.targets);
  found.joined.set(link.name, to);
  for (const [path, of] of inner.joined) found.joined.set(`${link.name}.${path}`, of);
  const required = part('required') && settled(part('required')!, l);
  const isRequired = required?.kind === 'constant' ? required.value === true : where !== undefined && !required;
  if (!isRequired) return;
  const span = spanOf(value, l.span);
  const again: Rows = { ...link.to, ref: l.target() };
  const deeper = included(part('include'), again, l);
  const exists = and(joinOf(link, rows, again), whereCondition(where, again, l, deeper.joined), ...deeper.required);
  found.required.push({ kind: 'exists', query: queryOver(again, exists, span), span });
}

/** The association of an include: by its alias, or the only one that leads to the model. */
function linkOf(as: string | undefined, model: Value | undefined, rows: Rows, l: Lowering): Link | undefined {
  if (as !== undefined) {
    const named = linkNamed(rows, as, l);
    if (named) return named;
  }
  const ref = model && modelOf(model, [], l.context);
  const table = ref && l.context.table(ref.name);
  if (!ref || !table) return undefined;
  const leading = rows.table?.relations.filter((r) => r.to === table.id) ?? [];
  const relation = leading.find((r) => r.name === as) ?? (leading.length === 1 ? leading[0] : undefined);
  if (relation) return linkNamed(rows, relation.name, l);
  // The other side may know how they are tied.
  const back = table.relations.filter((r) => r.to === rows.table?.id && r.columns.length > 0);
  const inverse = back.length === 1 ? back[0] : undefined;
  const to = modelNamed(ref.name, l);
  if (!inverse)
    return { name: as ?? table.name.name, to, many: true, pairs: [], owned: false, by: as ?? table.name.name };
  const pairs = inverse.columns.map((c, i) => [inverse.references[i] ?? 'id', c] as const);
  return {
    name: as ?? inverse.name,
    to,
    many: inverse.cardinality === 'one',
    pairs,
    owned: false,
    by: as ?? inverse.name,
  };
}

/** The columns that `attributes` names; undefined: all, or not known. */
export function attributesOf(value: Value | undefined, rows: Rows, l: Lowering): readonly string[] | undefined {
  const list = value && settled(value, l).kind === 'list' ? readList(value, l) : undefined;
  if (!list) return undefined;
  const names: string[] = [];
  for (const { value: item, spread } of list) {
    const name = spread ? undefined : textIn(item, l.context);
    if (name === undefined) return undefined;
    names.push(columnNamed(rows, name));
  }
  return names;
}
