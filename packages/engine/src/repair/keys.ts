import { primaryKey, uniqueKeys } from '@tenant-lint/analysis';
import type { Constraint, Finding, Index, Table, TableId } from '@tenant-lint/model';
import { shortName } from './columns.js';
import { isNullable, type Edge, type Project } from './project.js';
import type { Repair, RepairStep } from './step.js';

/** require-composite-reference: every reference that the finding speaks of. */
export function requireComposite(project: Project, finding: Finding): Repair {
  if (finding.message === 'crossed')
    return { reason: 'which column was meant to stand opposite which is not to be seen' };
  if (finding.message === 'oracle') return { reason: 'it takes a tenant column of its own first' };
  const steps = [...project.model.schema.tables.values()].flatMap((table) =>
    project.edges(table).flatMap((edge) => {
      if (!project.isAt(finding, edge.constraint.origin, edge.constraint.span)) return [];
      if (finding.message === 'notValidated') return validated(project, table, edge, [finding.fingerprint]);
      const [pair] = project.common(table, edge.to);
      return pair && !edge.constraint.columns.includes(pair.own)
        ? compositeReference(project, table, edge, pair, [finding.fingerprint])
        : [];
    }),
  );
  return steps.length > 0 ? { steps } : { reason: 'no migration of this project makes the reference' };
}

function validated(project: Project, table: Table, { constraint }: Edge, claims: readonly string[]): RepairStep[] {
  const history = project.historyOf(constraint.origin);
  const name = project.stored(table, constraint)?.name;
  if (history === undefined || name === undefined) return [];
  const names = project.names(history);
  return [
    {
      id: `validate ${table.id} ${name}`,
      phase: 'references',
      history,
      title: `Rows of ${shortName(table)} that were there before are checked too.`,
      up: [`ALTER TABLE ${names.table(table)} VALIDATE CONSTRAINT ${names.name(name)}`],
      down: [],
      table: table.id,
      claims,
      needs: [],
      notes: [
        `It fails while a row of ${shortName(table)} points at another tenant's: such rows have to be mended by hand.`,
      ],
    },
  ];
}

/** A reference over the tenant and its own columns in the place of one without the tenant, and what it points at. */
export function compositeReference(
  project: Project,
  table: Table,
  { constraint, to, referenced }: Edge,
  pair: { readonly own: string; readonly theirs: string },
  claims: readonly string[],
): RepairStep[] {
  const history = project.historyOf(table.origin);
  if (history === undefined) return [];
  const names = project.names(history);
  const target = compositeTarget(project, to, pair.theirs, referenced);
  const name = project.fresh([table.name.name, pair.own, ...constraint.columns], 'fkey');
  const old = project.stored(table, constraint)?.name;
  const action = actionOf(constraint, project, history, constraint.columns);
  const whole = table.partitionBy !== undefined && table.partitionBy.length > 0;
  const of = names.table(table);
  const tied = `FOREIGN KEY (${names.list([pair.own, ...constraint.columns])}) REFERENCES ${names.table(to)} (${names.list([pair.theirs, ...referenced])})${action}`;
  return [
    ...(target ? [target] : []),
    {
      id: `reference ${table.id} ${constraint.columns.join(',')} ${to.id}`,
      phase: 'references',
      history,
      title: `A row of ${shortName(table)} points at rows of ${shortName(to)} of its own tenant only.`,
      up: [
        // A partitioned table takes no NOT VALID; elsewhere old rows are checked without keeping writers out.
        `ALTER TABLE ${of} ADD CONSTRAINT ${names.name(name)} ${tied}${whole ? '' : ' NOT VALID'}`,
        ...(whole ? [] : [`ALTER TABLE ${of} VALIDATE CONSTRAINT ${names.name(name)}`]),
        ...(old === undefined ? [] : [`ALTER TABLE ${of} DROP CONSTRAINT ${names.name(old)}`]),
      ],
      down: [
        ...(old === undefined
          ? []
          : [
              `ALTER TABLE ${of} ADD CONSTRAINT ${names.name(old)} FOREIGN KEY (${names.list(constraint.columns)}) REFERENCES ${names.table(to)} (${names.list(referenced)})${actionOf(constraint, project, history)}`,
            ]),
        `ALTER TABLE ${of} DROP CONSTRAINT ${names.name(name)}`,
      ],
      table: table.id,
      claims,
      needs: target ? [target.id] : [],
      declares: [
        {
          kind: 'reference',
          table: table.id,
          columns: [pair.own, ...constraint.columns],
          to: to.id,
          references: [pair.theirs, ...referenced],
          name,
          instead: constraint.columns,
        },
      ],
      notes: [
        `It fails while a row of ${shortName(table)} points at another tenant's ${shortName(to)}: such rows have to be mended by hand.`,
      ],
    },
  ];
}

/** What a composite reference points at, where it is not there yet. */
function compositeTarget(
  project: Project,
  table: Table,
  key: string,
  columns: readonly string[],
): RepairStep | undefined {
  const there = uniqueKeys(table).some(
    (unique) => unique.length === columns.length + 1 && [key, ...columns].every((c) => unique.includes(c)),
  );
  const history = project.historyOf(table.origin);
  if (there || history === undefined) return undefined;
  const names = project.names(history);
  const id = `key ${table.id} ${[key, ...columns].join(',')}`;
  const name = project.once(id, () => project.fresh([table.name.name, key, ...columns], 'key'));
  return {
    id,
    phase: 'keys',
    history,
    title: `References to ${shortName(table)} can carry the tenant.`,
    up: [
      `ALTER TABLE ${names.table(table)} ADD CONSTRAINT ${names.name(name)} UNIQUE (${names.list([key, ...columns])})`,
    ],
    down: [`ALTER TABLE ${names.table(table)} DROP CONSTRAINT ${names.name(name)}`],
    table: table.id,
    claims: [],
    needs: [],
    declares: [{ kind: 'unique', table: table.id, columns: [key, ...columns], name }],
    notes: [],
  };
}

/** The actions of a reference as SQL. `only`: the columns that SET NULL may change, where the reference has others too. */
function actionOf(constraint: Edge['constraint'], project: Project, history: string, only?: readonly string[]): string {
  const names = project.names(history);
  const { onDelete, onUpdate, onDeleteColumns } = constraint;
  const columns = onDeleteColumns?.length ? onDeleteColumns : only;
  const limited = (action: string): string =>
    columns && (action === 'set null' || action === 'set default') ? ` (${names.list(columns)})` : '';
  // ON UPDATE takes no list of columns: it would set the tenant to NULL as well.
  const update = only && (onUpdate === 'set null' || onUpdate === 'set default') ? undefined : onUpdate;
  return [
    onDelete && onDelete !== 'no action' ? ` ON DELETE ${onDelete.toUpperCase()}${limited(onDelete)}` : '',
    update && update !== 'no action' ? ` ON UPDATE ${update.toUpperCase()}` : '',
  ].join('');
}

/** require-tenant-reference. */
export function requireReference(project: Project, finding: Finding): Repair {
  if (finding.message === 'type')
    return { reason: 'another type means to rewrite the table and to change the code that uses it' };
  const named = [...project.model.schema.tables.values()].filter(
    (t) => t.id === finding.table || project.isAt(finding, t.origin),
  );
  const steps = named.flatMap((table) =>
    project.keys(table).flatMap(({ column, root }) => {
      if (
        root === undefined ||
        project.edges(table).some((e) => e.to.id === root && e.constraint.columns.includes(column))
      )
        return [];
      return referenceToRoot(project, table, column, root, [finding.fingerprint]);
    }),
  );
  return steps.length > 0 ? { steps } : { reason: 'what the column identifies is not known' };
}

/** The reference of a key to the table of tenants, deleting or refusing as the others do. */
export function referenceToRoot(
  project: Project,
  table: Table,
  column: string,
  rootId: TableId,
  claims: readonly string[],
): RepairStep[] {
  const root = project.table(rootId);
  const history = project.historyOf(table.origin);
  const [key, ...more] = root ? primaryKey(root) : [];
  if (!root || history === undefined || key === undefined || more.length > 0) return [];
  const names = project.names(history);
  const name = project.fresh([table.name.name, column], 'fkey');
  const actions = [...project.model.schema.tables.values()].flatMap((t) =>
    project.edges(t).flatMap((e) => (e.to.id === rootId ? [e.constraint.onDelete ?? 'no action'] : [])),
  );
  const cascades = actions.filter((a) => a === 'cascade').length;
  const action = cascades * 2 > actions.length ? ' ON DELETE CASCADE' : '';
  const whole = table.partitionBy !== undefined && table.partitionBy.length > 0;
  const of = names.table(table);
  return [
    {
      id: `reference ${table.id} ${column} ${rootId}`,
      phase: 'references',
      history,
      title: `The tenant of a row of ${shortName(table)} is one that exists.`,
      up: [
        `ALTER TABLE ${of} ADD CONSTRAINT ${names.name(name)} FOREIGN KEY (${names.name(column)}) REFERENCES ${names.table(root)} (${names.name(key)})${action}${whole ? '' : ' NOT VALID'}`,
        ...(whole ? [] : [`ALTER TABLE ${of} VALIDATE CONSTRAINT ${names.name(name)}`]),
      ],
      down: [`ALTER TABLE ${of} DROP CONSTRAINT ${names.name(name)}`],
      table: table.id,
      claims,
      needs: [],
      notes: [`It fails while a row of ${shortName(table)} names a tenant that is gone.`],
    },
  ];
}

/** no-tenant-nulling-action: the other columns alone are set to NULL; where there are none, the deletion is refused. */
export function keepTenant(project: Project, finding: Finding): Repair {
  const table = project.table(finding.table);
  const history = table && project.historyOf(table.origin);
  if (!table || history === undefined) return { reason: 'no migration of this project makes the table' };
  const keys = project.keys(table).map((k) => k.column);
  const names = project.names(history);
  const steps = project.edges(table).flatMap(({ constraint, to, referenced }): RepairStep[] => {
    if (!project.isAt(finding, constraint.origin, constraint.span)) return [];
    const name = project.stored(table, constraint)?.name;
    if (name === undefined) return [];
    const others = constraint.columns.filter((c) => !keys.includes(c));
    const nulls = (a: string | undefined): boolean => a === 'set null' || a === 'set default';
    const onDelete = nulls(constraint.onDelete)
      ? others.length > 0
        ? ` ON DELETE ${constraint.onDelete!.toUpperCase()} (${names.list(others)})`
        : ' ON DELETE RESTRICT'
      : constraint.onDelete && constraint.onDelete !== 'no action'
        ? ` ON DELETE ${constraint.onDelete.toUpperCase()}`
        : '';
    const onUpdate =
      constraint.onUpdate && constraint.onUpdate !== 'no action' && !nulls(constraint.onUpdate)
        ? ` ON UPDATE ${constraint.onUpdate.toUpperCase()}`
        : '';
    const of = names.table(table);
    const head = `ALTER TABLE ${of} ADD CONSTRAINT ${names.name(name)} FOREIGN KEY (${names.list(constraint.columns)}) REFERENCES ${names.table(to)} (${names.list(referenced)})`;
    return [
      {
        id: `action ${table.id} ${name}`,
        phase: 'references',
        history,
        title: `Deleting a row of ${shortName(to)} leaves rows of ${shortName(table)} with their tenant.`,
        up: [`ALTER TABLE ${of} DROP CONSTRAINT ${names.name(name)}`, `${head}${onDelete}${onUpdate}`],
        down: [
          `ALTER TABLE ${of} DROP CONSTRAINT ${names.name(name)}`,
          `${head}${actionOf(constraint, project, history)}`,
        ],
        table: table.id,
        claims: [finding.fingerprint],
        needs: [],
        ...(others.length === 0
          ? { declares: [{ kind: 'restrict' as const, table: table.id, columns: constraint.columns }] }
          : {}),
        notes:
          others.length > 0
            ? ['A list of columns behind SET NULL takes Postgres 15 or later.']
            : [
                `A row of ${shortName(to)} that rows of ${shortName(table)} belong to can no longer be deleted before them; ON DELETE CASCADE would delete them along.`,
              ],
      },
    ];
  });
  return steps.length > 0 ? { steps } : { reason: 'no migration of this project makes the reference' };
}

/** require-tenant-in-unique. */
export function requireInUnique(project: Project, finding: Finding): Repair {
  const table = project.table(finding.table);
  const history = table && project.historyOf(table.origin);
  if (!table || history === undefined) return { reason: 'no migration of this project makes the table' };
  const key = project.keys(table).find((k) => !isNullable(table, k.column)) ?? project.keys(table)[0];
  if (key === undefined) return { reason: 'the table has no tenant' };
  const constraint = table.constraints.find(
    (c) =>
      (c.kind === 'primary key' || c.kind === 'unique' || c.kind === 'exclude') &&
      project.isAt(finding, c.origin, c.span) &&
      tells(finding, c),
  );
  if (constraint?.kind === 'primary key')
    return { reason: 'a primary key is what other tables and the code know rows by' };
  if (constraint?.kind === 'exclude')
    return { reason: 'an exclusion constraint is written anew by hand, with the extension btree_gist' };
  if (constraint?.kind === 'unique') return scopedConstraint(project, finding, table, history, key.column, constraint);
  const index = table.indexes.find((i) => i.unique && project.isAt(finding, i.origin, i.span) && tells(finding, i));
  return index
    ? scopedIndex(project, finding, table, history, key.column, index)
    : { reason: 'the constraint is not known by name' };
}

/** One statement may define several; the finding names the columns of its own. */
const tells = (finding: Finding, of: Constraint | Index): boolean => {
  const columns = 'keys' in of ? of.keys.flatMap((k) => k.column ?? []) : 'columns' in of ? of.columns : [];
  return columns.length === 0 || finding.text.what.includes(` over ${columns.join(', ')} does`);
};

function scopedConstraint(
  project: Project,
  finding: Finding,
  table: Table,
  history: string,
  key: string,
  constraint: Extract<Constraint, { kind: 'unique' }>,
): Repair {
  const used = usedBy(project, table, constraint.columns);
  if (used !== undefined) return { reason: used };
  const names = project.names(history);
  const of = names.table(table);
  const name = project.fresh([table.name.name, key, ...constraint.columns], 'key');
  const nulls = constraint.nullsNotDistinct ? ' NULLS NOT DISTINCT' : '';
  const stored = project.stored(table, constraint);
  const old = stored?.name;
  if (stored === undefined || old === undefined) return { reason: 'no migration of this project makes the constraint' };
  // What a generator calls a unique constraint is a unique index in its own migrations.
  const isIndex = 'keys' in stored;
  return {
    steps: [
      {
        id: `unique ${table.id} ${constraint.columns.join(',')}`,
        phase: 'keys',
        history,
        title: `${constraint.columns.join(', ')} of ${shortName(table)} is unique within a tenant.`,
        up: isIndex
          ? [
              `CREATE UNIQUE INDEX ${names.name(name)} ON ${of} (${names.list([key, ...constraint.columns])})${nulls}`,
              `DROP INDEX ${indexName(names, table, old)}`,
            ]
          : [
              `ALTER TABLE ${of} ADD CONSTRAINT ${names.name(name)} UNIQUE${nulls} (${names.list([key, ...constraint.columns])})`,
              `ALTER TABLE ${of} DROP CONSTRAINT ${names.name(old)}`,
            ],
        down: isIndex
          ? [
              `CREATE UNIQUE INDEX ${names.name(old)} ON ${of} (${names.list(constraint.columns)})${nulls}`,
              `DROP INDEX ${indexName(names, table, name)}`,
            ]
          : [
              `ALTER TABLE ${of} ADD CONSTRAINT ${names.name(old)} UNIQUE${nulls} (${names.list(constraint.columns)})`,
              `ALTER TABLE ${of} DROP CONSTRAINT ${names.name(name)}`,
            ],
        table: table.id,
        claims: [finding.fingerprint],
        needs: [],
        declares: [
          {
            kind: 'unique',
            table: table.id,
            columns: [key, ...constraint.columns],
            name,
            instead: constraint.columns,
          },
        ],
        notes: [
          `Code that finds one row by ${constraint.columns.join(', ')} alone has to say the tenant from then on.`,
        ],
      },
    ],
  };
}

const indexName = (names: ReturnType<Project['names']>, table: Table, name: string): string =>
  names.object({ ...(table.name.schema === undefined ? {} : { schema: table.name.schema }), name });

/** An index over expressions or some rows is made again from its own statement, with the key in front. */
function scopedIndex(
  project: Project,
  finding: Finding,
  table: Table,
  history: string,
  key: string,
  index: Index,
): Repair {
  const columns = index.keys.flatMap((k) => k.column ?? []);
  if (columns.length === index.keys.length && !index.predicate) {
    const used = usedBy(project, table, columns);
    if (used !== undefined) return { reason: used };
  }
  const statement = [index.origin.created, ...index.origin.changed]
    .map((span) => project.text(span) ?? '')
    .find((text) => /^\s*create\s+unique\s+index\b/i.test(text));
  const parts =
    statement === undefined
      ? null
      : /^\s*create\s+unique\s+index\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?(?:"(?:[^"]|"")*"|[\w$]+)\s+on\s+([^(]*?)\(([\s\S]*)$/i.exec(
          statement,
        );
  if (!parts || index.name === undefined)
    return { reason: 'the statement that makes the index is not one that can be repeated' };
  const names = project.names(history);
  const name = project.fresh([table.name.name, key, ...(columns.length > 0 ? columns : ['unique'])], 'idx');
  return {
    steps: [
      {
        id: `unique ${table.id} ${index.name}`,
        phase: 'keys',
        history,
        title: `${index.name} of ${shortName(table)} holds within a tenant.`,
        up: [
          `CREATE UNIQUE INDEX ${names.name(name)} ON ${(parts[1] ?? '').trim()} (${names.name(key)}, ${(parts[2] ?? '').trim().replace(/;\s*$/, '')}`,
          `DROP INDEX ${indexName(names, table, index.name)}`,
        ],
        down: [(statement ?? '').trim(), `DROP INDEX ${indexName(names, table, name)}`],
        table: table.id,
        claims: [finding.fingerprint],
        needs: [],
        notes: [],
      },
    ],
  };
}

/** What stops working with a unique constraint: references to its columns, and upserts that name them. */
function usedBy(project: Project, table: Table, columns: readonly string[]): string | undefined {
  const same = (other: readonly string[]): boolean =>
    other.length === columns.length && columns.every((c) => other.includes(c));
  for (const other of project.model.schema.tables.values())
    for (const edge of project.edges(other))
      if (edge.to.id === table.id && same(edge.referenced)) return `${shortName(other)} refers to these columns`;
  for (const access of project.model.accesses)
    for (const target of access.targets)
      if (target.conflict && same(target.conflict) && project.model.tableOf(target)?.id === table.id)
        return `${access.file} inserts ON CONFLICT (${columns.join(', ')}), which would fail without it; change that first`;
  return undefined;
}
