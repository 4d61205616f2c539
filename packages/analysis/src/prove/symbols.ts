import type { TableId, TargetRef } from '@tenant-lint/model';

/**
 * Tenants of the small world are texts that no program writes: a private-use character marks them, so that they never equal a constant by
 * accident, while prefix, concatenation and LIKE work on them as on any text. `other` is greater than `own`, `lower` less, `longer` has
 * `own` as a prefix.
 */
export const mark = '\uE000';
export const own = `${mark}A`;
export const other = `${mark}B`;
export const longer = `${mark}AB`;
export const lower = `${mark}0`;

/** A text for people: the marks removed. */
export const plain = (text: string): string => text.replaceAll(mark, '');
export const isSymbolic = (text: string): boolean => text.includes(mark);

/** What an expression evaluates to in the small world, as far as it matters. */
export type Symbol =
  /** `tenancy`: it comes from a key or from the tenant setting, not from a constant. */
  | { readonly is: 'text'; readonly text: string; readonly tenancy: boolean }
  | { readonly is: 'texts'; readonly of: readonly string[] }
  | { readonly is: 'null' }
  | { readonly is: 'error' }
  /** The current tenant, or an identifier that only its rows carry. */
  | { readonly is: 'tenant'; readonly key: string }
  | { readonly is: 'claim'; readonly key: string }
  | { readonly is: 'foreign'; readonly key: string }
  | { readonly is: 'caller'; readonly key: string }
  | { readonly is: 'role'; readonly key: string }
  /** Says nothing about tenancy. `row`: it is a column of that target. `setting`: the session may set it. */
  | {
      readonly is: 'free';
      readonly key: string;
      readonly refs: readonly TargetRef[];
      readonly nullable: boolean;
      readonly row?: TargetRef;
      readonly setting?: true;
    }
  /** Identifies a row of `to` with the owner of `row`. */
  | {
      readonly is: 'reference';
      readonly key: string;
      readonly refs: readonly TargetRef[];
      readonly nullable: boolean;
      readonly row: TargetRef;
      readonly to: TableId;
      readonly assumed: boolean;
    }
  /** Names the user of a membership row. */
  | {
      readonly is: 'user';
      readonly key: string;
      readonly refs: readonly TargetRef[];
      readonly nullable: boolean;
      readonly row: TargetRef;
    }
  /** Not known. Against something free it is as good as free, unless it was made from a key and so may say something `about` the tenant. */
  | {
      readonly is: 'unknown';
      readonly key: string;
      readonly refs: readonly TargetRef[];
      readonly reason: string;
      readonly about?: true;
    };

export const nothing: Symbol = { is: 'null' };
export const failure: Symbol = { is: 'error' };
export const textOf = (text: string, tenancy: boolean): Symbol => ({ is: 'text', text, tenancy });

/** Equal for symbols that are the same thing. */
export function keyOf(symbol: Symbol): string {
  switch (symbol.is) {
    case 'text':
      return `'${symbol.text}'`;
    case 'texts':
      return JSON.stringify(symbol.of);
    case 'null':
    case 'error':
      return symbol.is;
    default:
      return symbol.key;
  }
}

export const refsOf = (symbol: Symbol): readonly TargetRef[] => ('refs' in symbol ? symbol.refs : []);
export const canBeNull = (symbol: Symbol): boolean => 'nullable' in symbol && symbol.nullable;

/** LIKE on concrete text: `%` any text, `_` one character, `\` escapes. */
export function like(text: string, pattern: string, ignoreCase: boolean): boolean {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '%') source += '[^]*';
    else if (c === '_') source += '[^]';
    else if (c === '\\' && i + 1 < pattern.length) source += escape(pattern[++i]!);
    else source += escape(c);
  }
  return new RegExp(`^${source}$`, ignoreCase ? 'iu' : 'u').test(text);
}

const escape = (c: string): string => c.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
