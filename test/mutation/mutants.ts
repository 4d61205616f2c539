import ts from 'typescript';
import type { Condition } from './corpus.js';
import { parse, placeOf, type Place } from './place.js';

/** One change that breaks the isolation which a condition gives. */
export interface Mutant {
  readonly condition: Condition;
  readonly kind: 'delete' | 'negate' | 'or' | 'swap' | 'widen' | 'undefined';
  readonly files: Readonly<Record<string, string>>;
  /** The text that was changed, and what it became; for the report of survivors. */
  readonly change: string;
}

interface Edit {
  readonly kind: Mutant['kind'];
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Every mutant of a condition that its library and its form allow. */
export function mutantsOf(condition: Condition): Mutant[] {
  const { file } = condition.at;
  const text = condition.project.files[file]!;
  const source = parse(file, text);
  return editsAt(placeOf(source, condition.at), condition, text).map(({ kind, start, end, text: by }) => ({
    condition,
    kind,
    files: { ...condition.project.files, [file]: imported(text.slice(0, start) + by + text.slice(end), condition) },
    change: `${text.slice(start, end)} => ${by}`.replace(/\s+/g, ' '),
  }));
}

function editsAt(place: Place, condition: Condition, text: string): Edit[] {
  switch (place.kind) {
    case 'property':
      return ofProperty(place.node, place.object, condition);
    case 'step':
      return ofStep(place.call, place.name, place.dot, condition);
    case 'call':
      return ofCall(place.call, place.name, condition);
    case 'sql':
      return ofSql(text.slice(place.start, place.end)).map((e) => ({ ...e, start: place.start, end: place.end }));
    case 'other':
      return [];
  }
}

/** The dialects of conditions as objects. */
interface ObjectDialect {
  not(value: string): string;
  or(object: string): string;
  /** A comparison that many other tenants satisfy too. */
  wide(value: string): string;
  /** The methods in which the library drops a condition whose value is undefined. */
  readonly drops?: RegExp;
}

const mongo = { not: (v: string) => `{ $ne: ${v} }`, wide: (v: string) => `{ $gte: ${v} }` };
const objectDialects: Readonly<Record<string, ObjectDialect>> = {
  prisma: {
    not: (v) => `{ not: ${v} }`,
    or: (o) => `{ OR: [${o}, { id: { not: '' } }] }`,
    wide: (v) => `{ gte: ${v} }`,
    drops: /./,
  },
  mongoose: { ...mongo, or: (o) => `{ $or: [${o}, { _id: { $ne: null } }] }` },
  'mikro-orm': { ...mongo, or: (o) => `{ $or: [${o}, { id: { $ne: null } }] }` },
  typeorm: {
    not: (v) => `Not(${v})`,
    or: (o) => `[${o}, { id: Not(IsNull()) }]`,
    wide: (v) => `MoreThanOrEqual(${v})`,
    // What update and delete are given goes to a builder, which sends NULL.
    drops: /^(?:find|count|exist)/,
  },
  sequelize: {
    not: (v) => `{ [Op.ne]: ${v} }`,
    or: (o) => `{ [Op.or]: [${o}, { id: { [Op.not]: null } }] }`,
    wide: (v) => `{ [Op.gte]: ${v} }`,
  },
};

/** The same for what mutants of a library name. */
const imports: Readonly<Record<string, { readonly names: readonly string[]; readonly from: string }>> = {
  typeorm: { names: ['Not', 'IsNull', 'MoreThanOrEqual'], from: 'typeorm' },
  sequelize: { names: ['Op'], from: 'sequelize' },
  drizzle: { names: ['ne', 'or', 'gte', 'isNotNull'], from: 'drizzle-orm' },
};

function imported(text: string, { library }: Condition): string {
  const needed = imports[library];
  if (!needed) return text;
  const had = new RegExp(`import \\{([^}]*)\\} from ['"]${needed.from}['"]`).exec(text)?.[1]?.split(',') ?? [];
  const names = needed.names.filter((n) => !had.some((h) => h.trim() === n) && new RegExp(`\\b${n}\\b`).test(text));
  return names.length > 0 ? `${text}\nimport { ${names.join(', ')} } from '${needed.from}';\n` : text;
}

function ofProperty(
  node: ts.PropertyAssignment | ts.ShorthandPropertyAssignment,
  object: ts.ObjectLiteralExpression,
  condition: Condition,
): Edit[] {
  const at = { start: node.getStart(), end: node.end };
  const key = node.name.getText();
  const value = ts.isPropertyAssignment(node) ? node.initializer.getText() : key;
  const dialect = objectDialects[condition.library];
  const rest = object.properties.filter((p) => p !== node).map((p) => p.getText());
  const whole = { start: object.getStart(), end: object.end };
  const edits: Edit[] = [{ kind: 'delete', ...whole, text: rest.length > 0 ? `{ ${rest.join(', ')} }` : '{}' }];
  if (!dialect) return edits;
  const isPlain = !value.startsWith('{');
  if (isPlain) {
    edits.push({ kind: 'negate', ...at, text: `${key}: ${dialect.not(value)}` });
    edits.push({ kind: 'widen', ...at, text: `${key}: ${dialect.wide(value)}` });
    if (dialect.drops?.test(condition.method)) edits.push({ kind: 'undefined', ...at, text: `${key}: undefined` });
  }
  edits.push({ kind: 'or', ...whole, text: dialect.or(object.getText()) });
  return edits;
}

function ofStep(call: ts.CallExpression, name: string, dot: number, { library }: Condition): Edit[] {
  const whole = { start: dot, end: call.end };
  const args = call.arguments.map((a) => a.getText());
  const [first = ''] = args;
  const edits: Edit[] = [{ kind: 'delete', ...whole, text: '' }];
  switch (library) {
    case 'knex':
    case 'objection':
      if (name !== 'where' && name !== 'andWhere') return edits;
      edits.push({ kind: 'negate', ...whole, text: `.whereNot(${args.join(', ')})` });
      edits.push({ kind: 'or', ...whole, text: `.${name}(${args.join(', ')}).orWhere('id', 'is not', null)` });
      if (args.length === 2) edits.push({ kind: 'widen', ...whole, text: `.${name}(${first}, '>=', ${args[1]})` });
      return edits;
    case 'kysely':
      if (args.length !== 3) return edits;
      edits.push({ kind: 'negate', ...whole, text: `.${name}(${first}, '!=', ${args[2]})` });
      edits.push({ kind: 'widen', ...whole, text: `.${name}(${first}, '>=', ${args[2]})` });
      edits.push({
        kind: 'or',
        ...whole,
        text: `.${name}((eb) => eb.or([eb(${args.join(', ')}), eb('id', 'is not', null)]))`,
      });
      return edits;
    case 'supabase':
      if (name !== 'eq') return edits;
      edits.push({ kind: 'negate', ...whole, text: `.neq(${args.join(', ')})` });
      edits.push({ kind: 'widen', ...whole, text: `.gte(${args.join(', ')})` });
      edits.push({ kind: 'or', ...whole, text: `.or(\`${first.slice(1, -1)}.eq.\${${args[1]}},id.not.is.null\`)` });
      return edits;
    default:
      return edits;
  }
}

function ofCall(call: ts.CallExpression, name: string, { library }: Condition): Edit[] {
  const whole = { start: call.getStart(), end: call.end };
  const args = call.arguments.map((a) => a.getText());
  if (library === 'drizzle' && name === 'eq') {
    const column = args[0] ?? '';
    return [
      { kind: 'delete', ...whole, text: 'undefined' },
      { kind: 'negate', ...whole, text: `ne(${args.join(', ')})` },
      { kind: 'widen', ...whole, text: `gte(${args.join(', ')})` },
      { kind: 'or', ...whole, text: `or(${call.getText()}, isNotNull(${column}))` },
      { kind: 'swap', ...whole, text: `eq(${column}, ${column})` },
    ];
  }
  if (library === 'kysely' && args.length === 3) {
    return [
      { kind: 'negate', ...whole, text: `${name}(${args[0]}, '!=', ${args[2]})` },
      { kind: 'widen', ...whole, text: `${name}(${args[0]}, '>=', ${args[2]})` },
    ];
  }
  return [];
}

/** Changes of one comparison in SQL text. */
function ofSql(comparison: string): { readonly kind: Mutant['kind']; readonly text: string }[] {
  const parts = /^([\w".]+)\s*=\s*(.+)$/s.exec(comparison);
  if (!parts) return [{ kind: 'delete', text: 'true' }];
  const [, left = '', right = ''] = parts;
  return [
    { kind: 'delete', text: /[$:?]/.test(right) && !right.includes('${') ? `(${right} IS NOT NULL)` : 'true' },
    { kind: 'negate', text: `${left} <> ${right}` },
    { kind: 'widen', text: `${left} >= ${right}` },
    { kind: 'or', text: `(${left} = ${right} OR ${left} IS NOT NULL)` },
    { kind: 'swap', text: `${left} = ${left}` },
  ];
}
