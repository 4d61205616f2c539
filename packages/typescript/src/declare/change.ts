/** What a declared table is to say from now on. Columns are named as the declaration names them. */
export type DeclaredChange =
  | { readonly kind: 'not null'; readonly property: string }
  | { readonly kind: 'index'; readonly properties: readonly string[]; readonly name: string }
  | {
      readonly kind: 'unique';
      readonly properties: readonly string[];
      readonly name: string;
      /** The columns of the one whose place it takes. */
      readonly instead?: readonly string[];
    }
  | {
      readonly kind: 'reference';
      readonly properties: readonly string[];
      readonly references: readonly string[];
      readonly name: string;
      readonly instead: readonly string[];
    }
  /** Refuses the deletion of what the reference over these columns points at. */
  | { readonly kind: 'restrict'; readonly properties: readonly string[] }
  /** A column that says the same as one of another table. */
  | {
      readonly kind: 'column';
      readonly property: string;
      readonly like: { readonly table: string; readonly property: string };
    };

export const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);
