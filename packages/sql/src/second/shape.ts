/** A node of the syntax tree as libpg-query writes it, before anybody relies on its types. */
export type Tree = Readonly<Record<string, unknown>>;

/** What this front end does not translate; the message says what. */
export class Untranslated extends Error {}

export const string = (sval: string): Tree => ({ String: { sval } });
export const strings = (...names: readonly string[]): readonly Tree[] => names.map(string);

/** Only what is set: the tree leaves out what is absent, false or empty. */
export function only(entries: Readonly<Record<string, unknown>>): Tree {
  return Object.fromEntries(
    Object.entries(entries).filter(([, v]) => v !== undefined && v !== false && !(Array.isArray(v) && v.length === 0)),
  );
}

/** Byte offsets of UTF-16 offsets; locations in the tree count bytes. */
export type Locate = (node: { readonly _location?: { readonly start: number } }) => number;

export function locator(text: string): Locate {
  // eslint-disable-next-line no-control-regex -- the range of ASCII begins with them
  const ascii = /^[\x00-\x7f]*$/.test(text);
  return (node) => {
    const start = node._location?.start ?? 0;
    return ascii ? start : Buffer.byteLength(text.slice(0, start));
  };
}
