import { ts } from '../extract/typescript.js';
import { skipTrivia } from '../extract/positions.js';
import type { Filter } from './insert.js';
import { callsOf, callAt, insertion } from './nodes.js';

/** Steps behind which a further condition may stand: those that name the table or narrow it. */
const anchors =
  /^(?:from|select|selectFrom|updateTable|deleteFrom|update|delete|del|upsert|set|(?:and)?where\w*|filterWhere|join|\w+Join|eq|neq|gt|gte|lt|lte|like|ilike|is|in|contains|match|filter|query|patch|findById|deleteById|patchAndFetchById|createQueryBuilder|leftJoinAndSelect|innerJoinAndSelect)$/i;
/** Steps that say what is done. */
const operations = /^(?:del|delete|update|patch)$/;
/** Conditions that would take the further one as an alternative only. */
const alternatives = /^(?:or\w+)$/i;

/** Conditions that are steps of a chain: `.eq('organization_id', organizationId)`. */
export const stepFilter: Filter = (w, wanted) => {
  const node = callAt(w, wanted.span);
  if (!node) return undefined;
  const calls = callsOf(node);
  if (calls.some(({ name }) => alternatives.test(name) && wanted.library !== 'supabase')) return undefined;
  // There an operation may come last, and takes the conditions before it.
  const isLate = wanted.library === 'knex' || wanted.library === 'objection';
  const at =
    calls.findLast(({ name }) => anchors.test(name) && !(isLate && operations.test(name))) ??
    (isLate ? calls[0] : undefined);
  if (!at || !ts.isCallExpression(at.call)) return undefined;
  const { column, property, expression, library } = wanted;
  const table = wanted.isJoined ? tableOf(w.text, calls, wanted.alias) : '';
  if (table === undefined) return undefined;
  const step = {
    supabase: `.eq('${column}', ${expression})`,
    kysely: `.where('${table}${property}', '=', ${expression})`,
    knex: `.where('${table}${column}', ${expression})`,
    objection: `.where('${table}${property}', ${expression})`,
    typeorm: typeormStep(calls, w.text, property, expression),
  }[library];
  if (step === undefined || (library === 'supabase' && wanted.isJoined && wanted.alias !== undefined)) return undefined;
  return [insertion(w.file, at.call.end, step)];
};

/** The name that conditions put before a column where there are several tables. */
function tableOf(text: string, calls: ReturnType<typeof callsOf>, alias: string | undefined): string | undefined {
  if (alias !== undefined) return `${alias}.`;
  const from = calls.find(({ name }) => /^(?:from|selectFrom|updateTable|deleteFrom)$/.test(name))?.call;
  const named = from && ts.isCallExpression(from) ? from.arguments[0] : undefined;
  return named && ts.isStringLiteral(named) && /^\w+$/.test(named.text) ? `${named.text}.` : undefined;
}

function typeormStep(
  calls: ReturnType<typeof callsOf>,
  text: string,
  property: string,
  expression: string,
): string | undefined {
  const begun = calls.find(({ name }) => name === 'createQueryBuilder')?.call;
  const aliases = begun && ts.isCallExpression(begun) ? begun.arguments : undefined;
  const alias = aliases?.findLast((a) => ts.isStringLiteral(a));
  if (!alias) return undefined;
  const name = text.slice(skipTrivia(text, alias.pos) + 1, alias.end - 1);
  const verb = calls.some(({ name: step }) => step === 'where') ? 'andWhere' : 'where';
  const value = property === expression ? property : `${property}: ${expression}`;
  return `.${verb}('${name}.${property} = :${property}', { ${value} })`;
}
