import { idOf, sqlName, type Catalog, type CatalogColumn, type CatalogFunction } from '../catalog.js';
import type { Classes } from '../fill/classes.js';
import type { RowMaker } from '../fill/fill.js';
import { valueOf } from '../fill/values.js';
import { literal } from '../session/session.js';
import type { Planned, Way } from './attempt.js';
import { changed, holdsMarker, markersOf, note, type Owned } from './owned.js';
import type { As } from './tables.js';

/** How a function is named in the matrix. */
export const functionName = (f: CatalogFunction): string => `${idOf(f)}(${f.parameters.map((p) => p.type).join(', ')})`;

/**
 * Calls a function with what identifies B wherever a parameter asks for it: it leaks where what it returns holds data of B beyond what it was
 * given, or where rows of B are others afterwards.
 */
export function planFunction(
  f: CatalogFunction,
  catalog: Catalog,
  classes: Classes,
  maker: RowMaker,
  owned: readonly Owned[],
  as: As,
): readonly Planned[] {
  const mentioned = owned.filter((t) =>
    new RegExp(String.raw`\b${t.relation.name.replaceAll(/\W/g, String.raw`\$&`)}\b`, 'i').test(f.source),
  );
  const [first = owned[0]] = mentioned;
  if (!first) return [];
  const way: Way = { kind: 'function', name: functionName(f) };
  const cell = { table: idOf(first.relation), way, command: 'call' as const, role: as.role, context: as.context.name };
  const args = f.parameters.map((p) => argumentFor(p, catalog, classes, maker));
  const given = new Set(args);
  const markers = markersOf(owned).filter(
    (m) => ![...given].some((g) => g !== null && (g.includes(m) || m.includes(g))),
  );
  const call = `${sqlName(f)}(${args.map((a, i) => `${literal(a)}::${f.parameters[i]?.type ?? 'text'}`).join(', ')})`;
  const statement =
    f.kind === 'procedure'
      ? `call ${call}`
      : `select 1 from (select ${call}::text as result) x where ${holdsMarker('result', markers)}`;
  return [
    {
      ...cell,
      attempts: [
        {
          ...cell,
          context: as.context,
          prepare: [note(owned)],
          statement,
          rowsLeak: f.kind === 'function',
          probe: changed(owned),
        },
      ],
    },
  ];
}

const counting = /^(?:limit|max|count|size|per_?page|page_?size|n)$/i;

/** A column of the database named like the parameter says what it means; else its type decides. */
function argumentFor(
  parameter: { readonly name: string; readonly type: string },
  catalog: Catalog,
  classes: Classes,
  maker: RowMaker,
): string | null {
  const plain = parameter.name.replace(/^_+|_+$/g, '').replace(/^(?:p|in|v|arg|param|lookup|target|check|the)_/i, '');
  if (counting.test(plain)) return '10';
  if (/^offset$|^page$/i.test(plain)) return '0';
  if (/bool/.test(parameter.type)) return 'true';
  const named = catalog.relations
    .flatMap((relation) => relation.columns.map((column) => ({ relation, column })))
    .filter(({ column }) => column.name === plain || column.name === parameter.name);
  const owner =
    named.find(({ relation, column }) => classes.tenants.has(classes.of(relation, column.number))) ?? named[0];
  if (owner) {
    const isUser = classes.of(owner.relation, owner.column.number) === classes.user;
    // The attacker names himself as the user and B as everything else.
    return maker.value(owner.relation, owner.column, isUser ? 'A' : 'B');
  }
  const tenant = [...classes.tenants]
    .sort()
    .map((id) => classes.members(id)[0])
    .find((m) => m?.column.base === parameter.type);
  if (tenant) return maker.value(tenant.relation, tenant.column, 'B');
  const made: CatalogColumn = {
    number: 0,
    name: plain === '' ? 'value' : plain,
    type: parameter.type,
    base: parameter.type,
    kind: parameter.type.endsWith('[]') ? 'array' : 'base',
    labels: [],
    notNull: false,
    hasDefault: false,
    identity: false,
    generated: false,
    domainChecks: [],
  };
  const simple =
    /^(?:uuid|text|character|integer|bigint|smallint|numeric|json|date|timestamp|citext|real|double)/.test(
      parameter.type,
    ) || made.kind === 'array';
  return simple ? valueOf(made, 'B', 1) : null;
}
