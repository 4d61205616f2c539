import type TS from 'typescript';
import type { Edit } from '@tenant-lint/model';
import { skipTrivia } from '../extract/positions.js';
import { ts } from '../extract/typescript.js';
import type { Filter, Wanted } from './insert.js';
import {
  assignment,
  bareNode,
  callsOf,
  callAt,
  insertion,
  propertyNamed,
  withProperty,
  type Written,
} from './nodes.js';

/** Where the filter of an operation is: in an argument, or in a property of it. */
interface Place {
  readonly argument: number;
  readonly property?: string;
}

const inWhere: Place = { argument: 0, property: 'where' };
const first: Place = { argument: 0 };
const second: Place = { argument: 1 };

/** Operations whose filter is not the `where` of their first argument. */
const places: Readonly<Record<string, Readonly<Record<string, Place>>>> = {
  typeorm: {
    findBy: first,
    findOneBy: first,
    findOneByOrFail: first,
    findAndCountBy: first,
    countBy: first,
    existsBy: first,
    delete: first,
    softDelete: first,
    update: first,
  },
  sequelize: { update: { argument: 1, property: 'where' } },
  // Called on an entity manager the entity comes first, see placeOf.
  'mikro-orm': {
    find: first,
    findOne: first,
    findOneOrFail: first,
    count: first,
    nativeDelete: first,
    nativeUpdate: first,
    findAndCount: first,
  },
  mongoose: Object.fromEntries(
    [
      'find',
      'findOne',
      'countDocuments',
      'exists',
      'updateOne',
      'updateMany',
      'deleteOne',
      'deleteMany',
      'findOneAndUpdate',
      'findOneAndDelete',
      'findOneAndReplace',
      'replaceOne',
    ].map((name) => [name, first]),
  ),
};
/** Of these libraries only the operations above take a filter. */
const closed = new Set(['mongoose', 'mikro-orm']);

/** Filters that are object literals: `where: { id, organizationId }`. */
export const objectFilter: Filter = (w, wanted) => {
  const node = callAt(w, wanted.span);
  const found = node && callsOf(node).findLast(({ name }) => name === wanted.method);
  if (!found || !ts.isCallExpression(found.call)) return undefined;
  const place = placeOf(wanted, found.call);
  if (!place) return undefined;
  const argument = found.call.arguments[place.argument];
  const condition = assignment(wanted.property, wanted.expression);
  if (!argument) {
    if (found.call.arguments.length !== place.argument) return undefined;
    const text = place.property === undefined ? `{ ${condition} }` : `{ ${place.property}: { ${condition} } }`;
    const previous = found.call.arguments.at(-1);
    return [insertion(w.file, previous?.end ?? found.call.end - 1, previous ? `, ${text}` : text)];
  }
  const given = bareNode(argument);
  if (place.property === undefined) return filterWith(w, given, wanted.property, condition);
  if (!ts.isObjectLiteralExpression(given)) return undefined;
  const where = propertyNamed(given, place.property);
  if (!where) {
    if (given.properties.some(ts.isSpreadAssignment)) return undefined;
    return [withProperty(w, given, `${place.property}: { ${condition} }`)];
  }
  if (ts.isShorthandPropertyAssignment(where))
    return [insertion(w.file, where.end, `: { ...${where.name.text}, ${condition} }`)];
  return filterWith(w, bareNode(where.initializer), wanted.property, condition);
};

function placeOf({ library, method }: Wanted, call: TS.CallExpression): Place | undefined {
  const known = places[library === 'mongodb' ? 'mongoose' : library]?.[method];
  if (library === 'mikro-orm' && known && call.arguments[0] && !ts.isObjectLiteralExpression(call.arguments[0]))
    return second;
  return known ?? (closed.has(library) || library === 'mongodb' ? undefined : inWhere);
}

function filterWith(w: Written, filter: TS.Expression, key: string, condition: string): readonly Edit[] | undefined {
  if (ts.isObjectLiteralExpression(filter)) {
    // What is there is not what isolates; a second one of the name would replace it.
    return propertyNamed(filter, key) ? undefined : [withProperty(w, filter, condition)];
  }
  // One of several alternatives would not hold the others.
  if (ts.isArrayLiteralExpression(filter) || ts.isFunctionLike(filter)) return undefined;
  const start = skipTrivia(w.text, filter.pos);
  const text = w.text.slice(start, filter.end);
  const isPlain = ts.isIdentifier(filter) || ts.isPropertyAccessExpression(filter);
  return [{ file: w.file, start, end: filter.end, text: `{ ...${isPlain ? text : `(${text})`}, ${condition} }` }];
}
