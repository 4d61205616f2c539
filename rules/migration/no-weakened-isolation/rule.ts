import type { Model } from '@tenant-lint/analysis';
import { defineRule, type Draft } from '@tenant-lint/engine';
import type { Loss, Table } from '@tenant-lint/model';
import { belongsToTenants } from '../../lib/schema.js';
import { tableName } from '../../lib/naming.js';
import { databaseIsolates } from '../../lib/views.js';
import { lostColumn, lostKey } from './lib/columns.js';
import { rolledBack } from './lib/down.js';
import { weakenedPolicies } from './lib/policies.js';
import { lostForce, lostRowSecurity } from './lib/row-security.js';

const messages = {
  disabled: {
    what: 'Row security of {table} is switched off here.',
    why: "From then on every role that may use {table} reaches all tenants' rows, whatever its policies say.",
    fix: 'Leave row security enabled; where a statement has to see all rows, run it as a role with BYPASSRLS.',
  },
  recreated: {
    what: '{table} is dropped here and made again without its row security.',
    why: "What earlier migrations enabled and created for {table} went with it, so every role that may use it reaches all tenants' rows.",
    fix: 'Enable row security and create the policies of {table} again where it is made again.',
  },
  unforced: {
    what: 'Row security of {table} no longer holds for its owner from here on.',
    why: "Whatever connects as the owner, or as a member of it, reads and changes all tenants' rows.",
    fix: 'Leave FORCE ROW LEVEL SECURITY on, and run what has to see all rows as a role with BYPASSRLS.',
  },
  loosened: {
    what: 'Policies of {table} let through rows here that they held back before.',
    why: 'Policy {policy} now admits {witness}, so rows of other tenants can be {done}.',
    fix: 'Put the condition on the tenant back, or add a restrictive policy that holds it.',
  },
  keyDropped: {
    what: '{table}.{column}, which says whose a row is, is dropped here.',
    why: 'Nothing tells the rows of tenants apart any more, and policies, keys and indexes on it are gone with it.',
    fix: 'Keep {column}, or add the key that takes its place in the same migration, with its policies.',
  },
  keyDerived: {
    severity: 'warning',
    what: '{table}.{column}, which says whose a row is, is dropped here.',
    why: 'The rows of {table} belong to a tenant only through {parents} now, so every condition has to go that way.',
    fix: 'Keep {column}, and a reference that carries it.',
  },
  nullable: {
    what: '{table}.{column} may be NULL from here on.',
    why: 'A row without it belongs to no tenant, a lenient condition shows it to all of them, and references and unique constraints over it do not hold for it.',
    fix: 'Leave {column} NOT NULL, and mark rows that all tenants share by a column of their own.',
  },
  retyped: {
    what: '{table}.{column} is {type} from here on, while {root} identifies tenants by {before}.',
    why: 'Comparisons need a cast that index and reference do not survive, and texts that only look alike are different tenants.',
    fix: 'Give {column} the type of {root}.',
  },
  undefaulted: {
    severity: 'warning',
    what: '{table}.{column} loses the default that filled in the current tenant.',
    why: 'Inserts that leave {column} out fail, or write rows that belong to no tenant where it may be NULL.',
    fix: 'Write {column} in every insert before the default is dropped.',
  },
  unscoped: {
    what: 'Uniqueness of {table} over {before} is replaced by one without {key}.',
    why: 'A value that one tenant uses is refused to all others, and tells them that it exists.',
    fix: 'Keep {key} in the constraint.',
  },
  untied: {
    what: 'The reference of {table} over {before} is replaced by one without {key}.',
    why: "A row can point at another tenant's row from here on: references are checked past row security.",
    fix: 'Keep {key} in the reference.',
  },
  rolledBack: {
    severity: 'info',
    what: 'Rolled back, this migration {what} and leaves {table} in place.',
    why: "The application that runs after the rollback reaches all tenants' rows of {table}.",
    fix: 'Roll {table} back together with its rows, or leave its protection in place.',
  },
} as const;

type MessageId = keyof typeof messages;

export default defineRule({
  meta: {
    id: 'no-weakened-isolation',
    group: 'migration',
    summary: 'Disallow migrations that take away what earlier ones had established to hold tenants apart',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['M01', 'M02', 'M03', 'M04', 'M06', 'M07', 'M12', 'M14'],
    messages,
  },
  subject: 'project',
  *check(model) {
    const history = model.schema.history ?? [];
    yield* lostEverywhere(model, history);
    for (const loss of history) {
      const table = loss.kind === 'view' ? undefined : model.schema.tables.get(loss.table);
      if (!table || loss.kind === 'view') continue;
      const draft = draftOf(model, table, loss);
      if (draft) yield draft;
    }
    for (const table of model.schema.tables.values()) yield* weakenedPolicies(model, table, history);
    yield* rolledBack(model);
  },
});

export type Weakened = Draft<MessageId>;

function draftOf(model: Model, table: Table, loss: Exclude<Loss, { kind: 'view' }>): Weakened | undefined {
  switch (loss.kind) {
    case 'row security':
      // A swap is a copy without protection: no-unprotected-copy.
      return loss.by === 'swapped' || !databaseIsolates(model) ? undefined : lostRowSecurity(model, table, loss);
    case 'forced row security':
      return loss.by === 'swapped' ? undefined : lostForce(model, table, loss);
    case 'column':
    case 'not null':
    case 'type':
    case 'default':
      return lostColumn(model, table, loss);
    case 'constraint':
      return lostKey(model, table, loss);
    default:
      return undefined;
  }
}

/** Where no table is protected any more, that is one decision: one finding at its last statement. */
function* lostEverywhere(model: Model, history: readonly Loss[]): Iterable<Weakened> {
  if (databaseIsolates(model)) return;
  const off = history.flatMap((loss) =>
    loss.kind === 'row security' && loss.by !== 'swapped' && belongsToTenants(model, loss.table) ? [loss] : [],
  );
  const last = off.at(-1);
  const table = last && model.schema.tables.get(last.table);
  const draft = table && lostRowSecurity(model, table, last);
  if (!draft) return;
  const others = off
    .slice(0, -1)
    .map(({ table: id, removed }) => ({ span: removed, text: `so is that of ${tableName(id)}` }));
  yield {
    ...draft,
    related: [...(draft.related ?? []), ...others],
    cause: off.map(({ table: id }) => `row security ${id}`),
  };
}
