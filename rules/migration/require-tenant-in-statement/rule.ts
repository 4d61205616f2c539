import { resolveColumns, type Model } from '@tenant-lint/analysis';
import { defineRule, type Draft } from '@tenant-lint/engine';
import type { Access, SchemaFunction, Span, Table, Target, Value } from '@tenant-lint/model';
import { keyColumns, participle, tableName } from '../../lib/naming.js';
import { untiedJoin } from '../../lib/tied.js';

const messages = {
  unbound: {
    what: 'Function {function} {verb} {table} without a condition on {key}.',
    why: 'Rows of every tenant are {done} by one call.',
    fix: 'Add {key} to the condition, from a parameter that the caller proves or from the session.',
  },
  all: {
    severity: 'info',
    what: 'This migration {verb} every row of {table}.',
    why: 'It is done to all tenants at once, and cannot be tried with one of them first.',
    fix: 'Say in a comment that all tenants are meant, or add the condition that was forgotten.',
  },
  untied: {
    what: '{method} of {table} takes rows of {other} without comparing the tenant.',
    why: 'Rows of different tenants whose other columns happen to agree are mixed.',
    fix: 'Add {condition} to the condition.',
  },
  unmarked: {
    what: 'INSERT into {table} leaves out {key}.',
    why: 'The row is refused, or belongs to no tenant where {key} may be NULL.',
    fix: 'Write {key} with every row.',
  },
  notCarried: {
    what: 'INSERT into {table} copies rows of {other}, but not their {key}.',
    why: 'Rows of other tenants are written under the tenant that {key} names.',
    fix: 'Take {key} from {other}, or hold {other} to the tenant that is written.',
  },
  literal: {
    what: 'A migration writes a row of {table} for the tenant {value}.',
    why: 'Every database that the migration runs on gets the row, whether that tenant exists there or is somebody else.',
    fix: 'Move the row to a seed for development, or write it for every tenant by a SELECT from {root}.',
  },
} as const;

type Found = Draft<keyof typeof messages>;

export default defineRule({
  meta: {
    id: 'require-tenant-in-statement',
    group: 'migration',
    summary: 'Require the tenant in what migrations, functions and query files write',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['D01', 'D02', 'D03', 'D07'],
    messages,
  },
  subject: 'project',
  *check(model) {
    const counts = new Map<string, number>();
    for (const found of [...inFiles(model), ...inFunctions(model)]) {
      const count = counts.get(found.key) ?? 0;
      counts.set(found.key, count + 1);
      yield count === 0 ? found : { ...found, key: `${found.key} ${count}` };
    }
  },
});

function* inFiles(model: Model): Iterable<Found> {
  for (const access of model.accesses) {
    const role = model.files.get(access.file)?.sql?.role;
    if (role !== 'migration' && role !== 'query') continue;
    const [target] = access.targets;
    const table = target && keyedTable(model, target);
    if (!target || !table) continue;
    const common = { span: access.span, table: table.id, key: `${access.file} ${access.method} ${table.id}` } as const;
    if (target.operation === 'update' || target.operation === 'delete') {
      yield* untied(model, access, target, common);
      const [key] = keyColumns(model.tenancyOf(table.id));
      const marks = key !== undefined && target.writes !== undefined && key in target.writes.set;
      if (role === 'migration' && target.predicate.kind === 'always' && access.targets.length === 1 && !marks)
        yield {
          ...common,
          message: 'all',
          data: { verb: target.operation === 'update' ? 'changes' : 'deletes', table: tableName(table.id) },
          confidence: 'certain',
        };
    }
    yield* inserted(model, access, common, role === 'migration');
  }
}

type Common = { readonly span: Span; readonly table: string; readonly key: string };

function keyedTable(model: Model, target: Target): Table | undefined {
  const table = model.tableOf(target);
  return table && 'rowSecurity' in table && model.tenancyOf(table.id).kind === 'keyed' ? table : undefined;
}

/** Joined tables whose rows may be another tenant's. */
function* untied(model: Model, access: Access, target: Target, common: Common): Iterable<Found> {
  const table = keyedTable(model, target);
  for (const other of access.targets) {
    if (other.role !== 'join') continue;
    const found = untiedJoin(model, access, other);
    const of = keyedTable(model, other);
    if (!found || !of || !table) continue;
    yield {
      ...common,
      message: 'untied',
      data: {
        method: access.method.toUpperCase(),
        table: tableName(table.id),
        other: tableName(of.id),
        condition: found.condition,
      },
      confidence: 'certain',
      key: `${common.key} ${of.id}`,
    };
    return;
  }
}

function* inserted(model: Model, access: Access, common: Common, inMigration: boolean): Iterable<Found> {
  for (const target of access.targets) {
    const table = keyedTable(model, target);
    const { writes } = target;
    if (!table || !writes || (target.operation !== 'create' && target.operation !== 'upsert')) continue;
    const keys = keyColumns(model.tenancyOf(table.id));
    const [key] = keys;
    if (key === undefined) continue;
    const data = { table: tableName(table.id), key };
    const given = keys.find((k) => k in writes.set);
    if (given === undefined) {
      if (writes.open || keys.some((k) => isFilledIn(table, k))) continue;
      yield { ...common, message: 'unmarked', data, confidence: 'certain' };
      continue;
    }
    const value = writes.set[given]!;
    const source = foreignSource(model, access, target, value);
    if (source) {
      yield {
        ...common,
        message: 'notCarried',
        data: { ...data, key: given, other: tableName(source.id) },
        confidence: 'certain',
      };
    } else if (inMigration) {
      const literal = literalOf(value);
      if (literal === undefined || isMadeHere(model, literal)) continue;
      const root = model.tenancy.roots[0];
      yield {
        ...common,
        message: 'literal',
        data: { ...data, value: literal, root: root === undefined ? 'the table of tenants' : tableName(root) },
        confidence: 'certain',
      };
    }
  }
}

/** Whether something else than the statement fills a column in: a default, a trigger. */
function isFilledIn(table: Table, column: string): boolean {
  const found = table.columns.get(column);
  if (!found) return !table.complete;
  return (
    found.default !== undefined ||
    found.generated === true ||
    table.triggers.some((t) => t.enabled && t.timing === 'before' && t.events.includes('insert'))
  );
}

/** A table of tenants whose rows an INSERT ... SELECT writes under a tenant that is not theirs. */
function foreignSource(model: Model, access: Access, into: Target, value: Value): Table | undefined {
  const own = bare(value);
  if (own.kind === 'query' || own.kind === 'unknown') return undefined;
  for (const target of access.targets) {
    if (target === into || target.operation !== 'read' || target.role === 'union-arm') continue;
    const table = keyedTable(model, target);
    // A sub-query in a condition gives no values.
    if (!table || !(target.columns === undefined || target.columns.length > 0)) continue;
    if (own.kind === 'column') {
      if (own.target === undefined || own.target === target.ref) return undefined;
      continue;
    }
    const keys = keyColumns(model.tenancyOf(table.id));
    const text = JSON.stringify(target.predicate, withoutSpans);
    if (keys.some((k) => text.includes(`"column":${JSON.stringify(k)}`))) continue;
    return table;
  }
  return undefined;
}

const withoutSpans = (key: string, inner: unknown): unknown => (key === 'span' ? undefined : inner);

const bare = (value: Value): Value =>
  value.kind === 'apply' && value.function.startsWith('cast:') && value.to[0] ? bare(value.to[0]) : value;

/** The tenant that a row names outright. */
function literalOf(value: Value): string | undefined {
  const inner = bare(value);
  if (inner.kind === 'choice') {
    const all = inner.of.map(literalOf);
    return all.every((v) => v !== undefined) ? all[0] : undefined;
  }
  return inner.kind === 'constant' && (typeof inner.value === 'string' || typeof inner.value === 'number')
    ? String(inner.value)
    : undefined;
}

/** Whether a migration makes that tenant: the operator's own, which exists everywhere. */
function isMadeHere(model: Model, literal: string): boolean {
  return model.accesses.some(
    (access) =>
      model.files.get(access.file)?.sql?.role === 'migration' &&
      access.targets.some(
        (t) =>
          t.operation === 'create' &&
          model.tenancy.roots.includes(model.tableOf(t)?.id ?? '') &&
          Object.values(t.writes?.set ?? {}).some((v) => JSON.stringify(v).includes(JSON.stringify(literal))),
      ),
  );
}

function* inFunctions(model: Model): Iterable<Found> {
  for (const overloads of model.schema.functions.values())
    for (const f of overloads) {
      // One with the rights of its owner is a matter of no-definer-without-tenant.
      if (f.securityDefiner) continue;
      const trigger = triggerTable(model, f);
      const name = f.name.name;
      for (const leak of model.functionAccess(f, trigger).leaks) {
        const { operation, predicate, role } = leak.target;
        const table = model.schema.tables.get(leak.table);
        if (!table || leak.cause !== 'unbound' || role !== 'root' || table.rowSecurity.enabled) continue;
        if (operation !== 'update' && operation !== 'delete') continue;
        const common = { span: leak.access.span, table: table.id, key: `${name} ${leak.access.method} ${table.id}` };
        const joined = [...untied(model, leak.access, leak.target, common)];
        if (joined.length > 0) {
          yield* joined;
          continue;
        }
        // Where a row is chosen by a parameter, the caller may have looked whose it is.
        const chosen = predicate.kind !== 'always' && JSON.stringify(predicate).includes('"kind":"placeholder"');
        yield {
          ...common,
          message: 'unbound',
          data: {
            function: name,
            verb: operation === 'update' ? 'changes' : 'deletes from',
            table: tableName(table.id),
            key: keyColumns(model.tenancyOf(table.id)).join(' or ') || 'the tenant',
            done: participle(operation),
          },
          confidence: chosen ? 'possible' : leak.confidence,
        };
      }
      for (const written of f.queries) {
        const access = bound(model, written);
        const table = access.targets[0] && keyedTable(model, access.targets[0]);
        if (!table || table.rowSecurity.enabled) continue;
        const common = { span: access.span, table: table.id, key: `${name} ${access.method} ${table.id}` };
        yield* inserted(model, access, common, false);
      }
    }
}

/** The table whose trigger calls a function. */
function triggerTable(model: Model, f: SchemaFunction): Table | undefined {
  for (const table of model.schema.tables.values())
    if (
      table.triggers.some(
        (t) => t.function.name === f.name.name && (t.function.schema ?? f.name.schema) === f.name.schema,
      )
    )
      return table;
  return undefined;
}

/** With its names tied to the columns of tables, or to the parameters that remain. */
const bound = (model: Model, access: Access): Access =>
  resolveColumns(access, (target) => {
    const table = model.tableOf(target);
    return table && 'complete' in table && table.complete ? new Set(table.columns.keys()) : undefined;
  });
