import { and, type Target, type Value } from '@tenant-lint/model';
import { readList } from '../prisma/list.js';
import { describe, modelNamed, spanOf, type Rows } from '../prisma/lowering.js';
import { readObject } from '../prisma/object.js';
import { joinOf, linkNamed, type Link } from '../prisma/relation.js';
import { settled } from '../prisma/shape.js';
import { filterCondition } from './filter.js';
import { nameIn } from './models.js';
import { modelName } from './declare.js';
import { projected } from './projection.js';
import type { Mongo } from './shapes.js';

interface Populated {
  readonly path: string;
  readonly match?: Value;
  readonly model?: Value;
  readonly select?: Value;
  readonly populate?: Value;
  readonly value: Value;
}

/** What `populate(...)` loads: documents of other collections that references lead to. */
export function populated(args: readonly Value[], rows: Rows, l: Mongo): Target[] {
  const [first, select, model, match] = args;
  if (!first) return [];
  const more = {
    ...(select ? { select } : {}),
    ...(model && settled(model, l).kind !== 'undefined' ? { model } : {}),
    ...(match ? { match } : {}),
  };
  return pathsOf(first, l).flatMap((one) => target({ ...more, ...one }, rows, l));
}

function pathsOf(value: Value, l: Mongo): readonly Populated[] {
  const resolved = value.kind === 'constant' ? value : l.context.resolve(value);
  if (resolved.kind === 'constant') {
    const text = typeof resolved.value === 'string' ? resolved.value : '';
    return text
      .split(/\s+/)
      .filter((path) => path !== '')
      .map((path) => ({ path, value }));
  }
  const list = readList(value, l);
  if (list) return list.flatMap((i) => (i.spread ? unseen(i.value, l) : pathsOf(i.value, l)));
  const object = readObject(value, l);
  const path = object?.properties.get('path')?.value;
  const name = path && nameIn(path, l.context);
  if (!object || name === undefined) return unseen(value, l);
  const part = (key: 'match' | 'model' | 'select' | 'populate'): Partial<Populated> => {
    const given = object.properties.get(key)?.value;
    return given ? { [key]: given } : {};
  };
  const shared = { ...part('match'), ...part('model'), ...part('select'), ...part('populate'), value };
  return name.split(/\s+/).map((one) => ({ path: one, ...shared }));
}

function unseen(value: Value, l: Mongo): readonly Populated[] {
  l.unchecked.push({ reason: `what is populated is ${describe(value)}`, span: spanOf(value, l.span) });
  return [];
}

function target(of: Populated, from: Rows, l: Mongo): Target[] {
  return l.deeper<Target[]>(
    () => [],
    () => {
      const link = linkTo(of, from, l);
      if (!link) return [];
      const rows: Rows = { ...link.to, ref: l.target() };
      const columns = of.select && projected(of.select, l);
      const loaded: Target = {
        ref: rows.ref,
        table: { known: true, value: rows.name },
        role: 'include',
        operation: 'read',
        predicate: and(joinOf(link, from, rows), filterCondition(of.match, rows, l)),
        cardinality: link.many ? 'many' : 'one',
        ...(columns ? { columns } : {}),
        span: spanOf(of.value, l.span),
      };
      return [loaded, ...(of.populate ? populated([of.populate], rows, l) : [])];
    },
  );
}

/** The relation of a path; where the call names the model, the reference need not be in the schema. */
function linkTo(of: Populated, from: Rows, l: Mongo): Link | undefined {
  const link = linkNamed(from, of.path, l);
  if (link || !of.model) return link;
  const name = nameIn(of.model, l.context);
  if (name === undefined) return undefined;
  const to = modelNamed(modelName(name), l);
  return { name: of.path, to, many: false, pairs: [[of.path, '_id']], owned: true, by: of.path };
}
