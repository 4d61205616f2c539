import type { Value, ValueOf } from '@tenant-lint/model';
import { canBeNull, failure, isSymbolic, nothing, refsOf, textOf, type Symbol } from './symbols.js';

/** Types whose input refuses an empty text. */
const strict =
  /^(uuid|int|integer|int2|int4|int8|bigint|smallint|numeric|decimal|real|double|float|bool|date|time|json)/;

/** A symbol after a cast. A cast keeps what a text says; an empty text is no number and no uuid. */
export function castOf(symbol: Symbol, type: string): Symbol {
  if (symbol.is === 'text' && strict.test(type) && symbol.text.trim() === '') return failure;
  return symbol;
}

/** Functions that map different keys to different texts, so that equality survives. Case is left to an assumption nobody can check here. */
const keeping: ReadonlySet<string> = new Set([
  'lower',
  'upper',
  'trim',
  'btrim',
  'ltrim',
  'rtrim',
  'text',
  'uuid',
  'tostring',
  'string',
  'number',
  'any',
  'array',
  // Each item of the result is one of the rows that the query finds.
  'array_agg',
  'unnest',
]);

/** The symbols of a call of a built-in (or not known) function. */
export function applyFunction(
  value: ValueOf<'apply'>,
  symbols: (value: Value) => readonly Symbol[],
  key: string,
): readonly Symbol[] {
  const name = value.function.toLowerCase().replace(/^pg_catalog\./, '');
  const first = value.to[0];
  if (keeping.has(name) && first) {
    const of = symbols(first);
    if (name === 'lower' || name === 'upper')
      return of.map((s) => (s.is === 'text' && !isSymbolic(s.text) ? cased(s.text, name) : s));
    return of;
  }
  if (name === 'string_to_array' && value.to.length >= 2 && first)
    return split(symbols(first), symbols(value.to[1]!), key);
  const args = value.to.flatMap(symbols);
  if (args.some((s) => s.is === 'error')) return [failure];
  const refs = args.flatMap(refsOf);
  // Without arguments it may be anything, the tenant included; with a tenant among them, its result may say something about it.
  const reason = `what the function ${value.function} returns`;
  const says = args.some((s) =>
    s.is === 'unknown' ? s.about === true : s.is !== 'free' && s.is !== 'null' && !(s.is === 'text' && !s.tenancy),
  );
  if (says) return [{ is: 'unknown', key, refs, reason, about: true }];
  if (value.to.length === 0) return [{ is: 'unknown', key, refs, reason }];
  if (args.some((s) => s.is === 'free' && s.setting)) return [{ is: 'free', key, refs, nullable: true, setting: true }];
  return [{ is: 'unknown', key, refs, reason }];
}

const cased = (text: string, how: string): Symbol =>
  textOf(how === 'lower' ? text.toLowerCase() : text.toUpperCase(), false);

function split(texts: readonly Symbol[], separators: readonly Symbol[], key: string): readonly Symbol[] {
  return texts.flatMap((text) =>
    separators.map((separator): Symbol => {
      if (text.is === 'null') return nothing;
      if (text.is === 'text' && separator.is === 'text')
        return { is: 'texts', of: text.text === '' ? [] : text.text.split(separator.text) };
      if (text.is === 'tenant' || text.is === 'claim') return text;
      return { is: 'free', key, refs: refsOf(text), nullable: canBeNull(text) };
    }),
  );
}
