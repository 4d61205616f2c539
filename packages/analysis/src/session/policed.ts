import type { Schema, SchemaFunction, Table, TableName } from '@tenant-lint/model';

/** What the policies of a table read of the session. */
export interface SessionReads {
  readonly settings: ReadonlySet<string>;
  /** They ask a platform who is calling: `auth.uid()`, which reads the claims of the request. */
  readonly platform: boolean;
}

const deepest = 8;
/** Functions that platforms define over the claims of the request. */
const platformFunctions = /^auth\.(?:uid|jwt|role|email|user_id|org_id|session)$/;

/** Which settings decide what the policies of a table let through: those they read themselves, in functions, and in tables they look up. */
export function sessionReads(
  table: Table,
  schema: Schema,
  tableOf: (name: TableName) => Table | undefined,
): SessionReads {
  const settings = new Set<string>();
  const seen = new Set<unknown>();
  let platform = false;
  const look = (node: unknown, depth: number): void => {
    if (typeof node !== 'object' || node === null || depth > 60 || seen.has(node)) return;
    seen.add(node);
    if (Array.isArray(node)) {
      for (const item of node) look(item, depth + 1);
      return;
    }
    const one = node as Readonly<Record<string, unknown>>;
    if (one['kind'] === 'setting' && typeof one['name'] === 'string') settings.add(one['name'].toLowerCase());
    if (one['kind'] === 'apply' && typeof one['function'] === 'string') {
      platform ||= platformFunctions.test(one['function']);
      for (const f of functionsNamed(schema, one['function']))
        for (const part of [f.body, f.queries]) look(part, depth + deepest);
    }
    if (typeof one['role'] === 'string' && 'table' in one) {
      const named = one['table'] as { readonly known: boolean; readonly value?: TableName };
      const other = named.known && named.value ? tableOf(named.value) : undefined;
      if (other && other.id !== table.id)
        look(
          other.policies.map((p) => [p.using, p.check]),
          depth + deepest,
        );
    }
    for (const key in one) if (key !== 'span') look(one[key], depth + 1);
  };
  look(
    table.policies.map((p) => [p.using, p.check]),
    0,
  );
  return { settings, platform };
}

const functionsNamed = (schema: Schema, name: string): readonly SchemaFunction[] =>
  schema.functions.get(name) ?? schema.functions.get(`public.${name}`) ?? [];
