import type { Predicate, Query, SchemaFunction, Span, Target, Tenancy, Value } from '@tenant-lint/model';
import type { ColumnFact, World } from '../src/prove/index.js';

export const span: Span = { file: 'test.sql', start: 0, end: 1 };

/** A table of the tests' world: its tenancy, and what its columns are. Columns that are not listed are plain and nullable. */
export interface TestTable {
  readonly tenancy: Tenancy;
  readonly columns?: Readonly<Record<string, ColumnFact>>;
}

export const keyed = (...keys: readonly (string | readonly [string, 'nullable'])[]): Tenancy => ({
  kind: 'keyed',
  keys: keys.map((k) => (typeof k === 'string' ? { column: k, nullable: false } : { column: k[0], nullable: true })),
  why: 'test',
});

const key = (type: string): ColumnFact => ({ role: 'key', type, notNull: true });

export const tables: Readonly<Record<string, TestTable>> = {
  organizations: {
    tenancy: { kind: 'root', key: 'id', why: 'test' },
    columns: { id: key('uuid'), slug: { role: 'plain', notNull: true } },
  },
  invoices: {
    tenancy: keyed('tenant_id'),
    columns: {
      tenant_id: key('uuid'),
      id: { role: 'reference', to: 'invoices', ties: 'certain', notNull: true },
      customer_id: { role: 'reference', to: 'customers', ties: 'assumed', notNull: true },
      status: { role: 'plain', notNull: true },
      is_public: { role: 'plain', notNull: true },
    },
  },
  customers: {
    tenancy: keyed('tenant_id'),
    columns: { tenant_id: key('uuid'), id: { role: 'reference', to: 'customers', ties: 'certain', notNull: true } },
  },
  notes: { tenancy: keyed('tenant_id'), columns: { tenant_id: key('text') } },
  templates: {
    tenancy: keyed(['tenant_id', 'nullable']),
    columns: { tenant_id: { role: 'key', type: 'uuid', notNull: false } },
  },
  items: {
    tenancy: {
      kind: 'child',
      through: [{ columns: ['invoice_id'], to: 'invoices', references: ['id'] }],
      why: 'test',
    },
    columns: {
      id: { role: 'reference', to: 'items', ties: 'certain', notNull: true },
      invoice_id: { role: 'reference', to: 'invoices', ties: 'certain', notNull: true },
    },
  },
  members: {
    tenancy: keyed('tenant_id'),
    columns: { tenant_id: key('uuid'), user_id: { role: 'user', notNull: true } },
  },
  mixed: {
    tenancy: keyed(['organization_id', 'nullable'], 'user_id'),
    columns: { organization_id: { role: 'key', type: 'uuid', notNull: false }, user_id: key('uuid') },
  },
  plans: { tenancy: { kind: 'shared', why: 'test' } },
};

/** The world of `tables`; `extra` adds to it or replaces parts. */
export function worldOf(
  extra: Partial<World> & { readonly functions?: Readonly<Record<string, Value | string>> } = {},
): World {
  const { functions, ...rest } = extra;
  const tableOf = (target: Target): TestTable | undefined =>
    target.table.known ? tables[target.table.value.name] : undefined;
  return {
    tenancy: (target) => tableOf(target)?.tenancy ?? { kind: 'unknown', why: 'not a table of the test' },
    column: (target, column) => tableOf(target)?.columns?.[column] ?? { role: 'plain' },
    ...(functions
      ? {
          function: (name: string): SchemaFunction | undefined => {
            const body = functions[name];
            return body === undefined ? undefined : functionOf(name, body);
          },
        }
      : {}),
    ...rest,
  };
}

export function functionOf(name: string, body: Value | string, securityDefiner = false): SchemaFunction {
  return {
    name: { name },
    parameters: [],
    returns: 'boolean',
    language: 'sql',
    securityDefiner,
    volatility: 'stable',
    leakproof: false,
    strict: false,
    settings: {},
    body: typeof body === 'string' ? { known: false, reason: body } : { known: true, value: body },
    queries: [],
    text: '',
    origin: { created: span, changed: [] },
  };
}

export function targetOf(table: string, ref = 'self', more: Partial<Target> = {}): Target {
  return {
    ref,
    table: { known: true, value: { by: 'sql', name: table } },
    role: 'root',
    operation: 'read',
    predicate: { kind: 'always', why: 'no condition' },
    cardinality: 'many',
    span,
    ...more,
  };
}

export const col = (column: string, target = 'self'): Value => ({ kind: 'column', target, column });
export const text = (value: string | number | boolean | null): Value => ({ kind: 'constant', value });
export const setting = (name = 'app.tenant_id', missingOk = true): Value => ({ kind: 'setting', name, missingOk });
export const tenant = (verified = true): Value => ({ kind: 'tenant', verified, source: 'session.tenantId' });
export const input = (...path: string[]): Value => ({ kind: 'input', source: 'params', path });
export const call = (name: string, ...to: Value[]): Value => ({ kind: 'apply', function: name, to });
export const compare = (left: Value, operator: string, right: Value): Predicate => ({
  kind: 'compare',
  left,
  operator,
  right,
});
export const eq = (left: Value, right: Value): Predicate => compare(left, '=', right);
export const all = (...of: Predicate[]): Predicate => ({ kind: 'and', of });
export const any = (...of: Predicate[]): Predicate => ({ kind: 'or', of });
export const no = (of: Predicate): Predicate => ({ kind: 'not', of });
export const isNull = (of: Value): Predicate => ({ kind: 'null', of });
export const missingAble = (of: Value, certain = true, how: 'undefined' | 'null' | 'empty' = 'undefined'): Value => ({
  kind: 'missing-able',
  of,
  how,
  certain,
});

export function query(targets: readonly Target[], condition: Predicate, ...output: Value[]): Query {
  return { targets, condition, output };
}
export const exists = (q: Query): Predicate => ({ kind: 'exists', query: q });
export const within = (left: Value, q: Query): Predicate => ({ kind: 'in-query', left: [left], query: q });
