import type { ObjectName, Table } from '@tenant-lint/model';

/** Words that Postgres takes for a name only in quotes. https://www.postgresql.org/docs/current/sql-keywords-appendix.html */
const reserved = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column ' +
    'concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp ' +
    'current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ' +
    'ilike in initially inner intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not ' +
    'notnull null offset on only or order outer overlaps placing primary references returning right select session_user similar ' +
    'some symmetric system_user table tablesample then to trailing true union unique user using variadic verbose when where window with'
  ).split(' '),
);

/** How a history writes names. */
export interface Style {
  /** Every name in quotes, as generators write them. */
  readonly quoted: boolean;
  /** Tables of `public` with their schema. */
  readonly qualified: boolean;
}

/** Writes names of the model as SQL that means them, in the style of a history. */
export class Names {
  constructor(private readonly style: Style) {}

  name(name: string): string {
    const plain = /^[a-z_][a-z0-9_$]*$/.test(name) && !reserved.has(name);
    return plain && !this.style.quoted ? name : `"${name.replaceAll('"', '""')}"`;
  }

  list(names: readonly string[]): string {
    return names.map((n) => this.name(n)).join(', ');
  }

  object({ schema, name }: ObjectName): string {
    return schema === undefined || (schema === 'public' && !this.style.qualified)
      ? this.name(name)
      : `${this.name(schema)}.${this.name(name)}`;
  }

  table(table: Table): string {
    return this.object(table.name);
  }

  /** A role; PUBLIC and the like are words and no names. */
  role(name: string): string {
    return /^(?:public|current_user|session_user|current_role)$/i.test(name) ? name.toUpperCase() : this.name(name);
  }
}

/** A name of at most 63 bytes, as Postgres cuts them, that none of `taken` is. */
export function freshName(parts: readonly string[], ending: string, taken: ReadonlySet<string>): string {
  const whole = parts.join('_');
  for (let n = 0; ; n++) {
    const end = `_${ending}${n === 0 ? '' : String(n)}`;
    let body = whole;
    while (Buffer.byteLength(body + end) > 63) body = body.slice(0, -1);
    if (!taken.has(body + end)) return body + end;
  }
}
