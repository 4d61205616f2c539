import type { Model, PolicyLeak } from '@tenant-lint/analysis';
import type { Finding, Table } from '@tenant-lint/model';
import type { Cell, Command } from './attempt/attempt.js';
import type { Proof } from './prove.js';

/** What the static side says of a cell. */
export type Verdict = 'open' | 'leak' | 'isolated' | 'undecided';

/** A cell on which execution and the static side do not agree. */
export interface Disagreement {
  /** `missed`: execution leaks where the static side sees isolation. `refuted`: a leak that execution does not show. */
  readonly kind: 'missed' | 'refuted';
  readonly cell?: Cell;
  readonly finding?: Finding;
  readonly text: string;
}

/** What execution says of a finding. */
export interface Executed {
  readonly finding: Finding;
  readonly outcome: 'shown' | 'refuted' | 'not executed';
  readonly reason: string;
  /** The statement that leaked. */
  readonly statement?: string;
}

export interface Comparison {
  readonly disagreements: readonly Disagreement[];
  readonly executed: readonly Executed[];
  /** Leaks that nobody prevents: the application is what isolates these tables. */
  readonly open: readonly string[];
}

/** Commands that a rule of this name speaks of, and by which kinds of way. */
interface Scope {
  readonly commands: readonly Command[];
  readonly ways: readonly Cell['way']['kind'][];
}

const rows: readonly Command[] = ['read', 'insert', 'update', 'delete', 'move', 'upsert'];
const direct = ['table'] as const;

/** What a rule claims that execution can show. Rules that are not here claim something else (an index, a column, a style). */
const claims: Readonly<Record<string, Scope>> = {
  'no-leaking-policy': { commands: rows, ways: direct },
  'no-leaking-check': { commands: ['insert', 'move', 'upsert', 'update'], ways: direct },
  'no-fail-open-policy': { commands: rows, ways: direct },
  'no-shadowed-column': { commands: rows, ways: direct },
  'no-user-controlled-claim': { commands: rows, ways: direct },
  'no-dormant-policy': { commands: rows, ways: direct },
  'require-row-security': { commands: rows, ways: direct },
  'no-truncate-grant': { commands: ['truncate'], ways: ['table', 'partition'] },
  'require-composite-reference': { commands: ['reference', 'cascade'], ways: direct },
  // A table without a key has nothing that its references could carry.
  'require-tenant-column': { commands: ['reference', 'cascade'], ways: direct },
  'require-own-tenant-key': { commands: ['reference', 'cascade'], ways: direct },
  'no-tenant-nulling-action': { commands: ['cascade', 'delete'], ways: direct },
  'require-security-invoker': { commands: rows, ways: ['view'] },
  'require-check-option': { commands: ['insert', 'update'], ways: ['view'] },
  'no-tenant-materialized-view': { commands: ['read'], ways: ['view'] },
  'require-tenant-in-view': { commands: ['read'], ways: ['view'] },
  'no-definer-without-tenant': { commands: ['call'], ways: ['function'] },
  'no-public-definer': { commands: ['call'], ways: ['function'] },
  'require-row-security-on-partition': { commands: rows, ways: ['partition'] },
  'no-unprotected-copy': { commands: rows, ways: direct },
  'no-bypassing-role': { commands: rows, ways: ['table', 'partition', 'view'] },
  'no-owning-app-role': { commands: [...rows, 'truncate'], ways: direct },
};

/** The rules whose findings execution can speak of. */
export const claimedRules: readonly string[] = Object.keys(claims);

/** A refutation of these would need a world that was not tried: they speak of what can come to be, not of one row. */
const claimsOfPossibility: ReadonlySet<string> = new Set([
  'no-definer-without-tenant',
  'no-public-definer',
  'require-composite-reference',
  'require-tenant-column',
  'require-own-tenant-key',
  'no-tenant-nulling-action',
  'no-owning-app-role',
  'no-bypassing-role',
  'require-tenant-in-view',
  // Rows whose tenant is the empty text.
  'no-fail-open-policy emptyKey',
  // The rows of the other tenant neither name the caller nor are they published.
  'no-leaking-policy named',
  'no-leaking-policy published',
]);

/**
 * Holds what was executed against what the static side says. In: the proof, the model, and all findings of a run with every rule on, weak and
 * suppressed ones included. Pure.
 */
export function compare(proof: Proof, model: Model, findings: readonly Finding[]): Comparison {
  const open = new Set<string>();
  const disagreements: Disagreement[] = [];
  for (const cell of proof.cells) {
    if (cell.outcome !== 'leaked') continue;
    const verdict = isAsWritten(cell, proof, model) ? verdictOf(cell, model, findings) : 'undecided';
    if (verdict === 'open') open.add(cell.table);
    else if (verdict === 'isolated')
      disagreements.push({
        kind: 'missed',
        cell,
        text: `execution reaches a row of another tenant where no finding says so`,
      });
  }
  const executed = findings.flatMap((finding): Executed[] => {
    const one = executedOf(finding, proof, model);
    return one ? [one] : [];
  });
  for (const one of executed)
    if (one.outcome === 'refuted') disagreements.push({ kind: 'refuted', finding: one.finding, text: one.reason });
  return { disagreements, executed, open: [...open].sort() };
}

/** What the static side says of a cell that was executed: `open` where the application isolates, not the database. */
export function verdictOf(cell: Cell, model: Model, findings: readonly Finding[]): Verdict {
  const table = model.schema.tables.get(cell.table);
  if (!table) return 'undecided';
  if (!model.databaseIsolates(table)) return 'open';
  if (findings.some((f) => explains(f, cell))) return 'leak';
  if (cell.grantedByPlatform) return 'undecided';
  if (cell.way.kind === 'table' && rows.includes(cell.command)) {
    const leaks = model.policyLeaks(table);
    if (leaks.some((l) => covers(l, cell))) return 'leak';
    return isUndecided(table, cell, model) ? 'undecided' : 'isolated';
  }
  return 'isolated';
}

const covers = (leak: PolicyLeak, cell: Cell): boolean => {
  const { command } = cell;
  if (command === 'read') return leak.side === 'using' && leak.commands.includes('select');
  if (command === 'delete') return leak.side === 'using' && leak.commands.includes('delete');
  if (command === 'insert') return leak.side === 'check' && leak.commands.includes('insert');
  if (command === 'move') return leak.side === 'check' && leak.commands.includes('update');
  if (command === 'update') return leak.side === 'using' && leak.commands.includes('update');
  return leak.commands.includes('update') || leak.commands.includes('insert');
};

/** Whether row security and all policies of a table are there as the migrations write them: none of these statements failed. */
function isAsWritten({ table: id }: Cell, { applied }: Proof, model: Model): boolean {
  const table = model.schema.tables.get(id);
  const failed = applied.exceptions.filter((e) => e.kind === 'failed');
  if (!table || failed.length === 0) return true;
  const origins = [
    ...table.policies.map((p) => p.origin),
    ...(table.rowSecurity.origin ? [table.rowSecurity.origin] : []),
  ];
  const places = origins.flatMap((o) => [o.created, ...o.changed]);
  return !failed.some((e) => places.some((at) => at.file === e.file && e.start <= at.start && at.start < e.end));
}

const asStatement = { read: 'select', insert: 'insert', delete: 'delete', move: 'update', update: 'update' } as const;

/** Conditions that the model could not read, or that the prover could not decide. */
const isUndecided = (table: Table, { command }: Cell, model: Model): boolean =>
  model
    .policyUnknowns(table)
    .some(({ commands }) => !(command in asStatement) || commands.some((c) => c === asStatement[command as 'read'])) ||
  model.unchecked.some(
    (u) =>
      u.span !== undefined &&
      table.policies.some((p) => p.origin.created.file === u.span?.file && p.origin.created.start === u.span.start),
  );

/** Whether a finding speaks of what a cell did. */
function explains(finding: Finding, cell: Cell): boolean {
  const scope = claims[finding.rule];
  if (!scope?.commands.includes(cell.command) || !scope.ways.includes(cell.way.kind)) return false;
  return speaksOf(finding, cell);
}

function speaksOf(finding: Finding, cell: Cell): boolean {
  const named = [finding.table, finding.subject, finding.text.what].filter((t) => t !== undefined).join(' ');
  if (cell.way.kind === 'table')
    return finding.table === cell.table || (finding.table === undefined && mentions(named, cell.table));
  const name = cell.way.name.replace(/\(.*$/, '');
  return mentions(named, name) || finding.table === name;
}

/** Whether a text names an object, with or without its schema. */
function mentions(text: string, id: string): boolean {
  const name = id.slice(id.indexOf('.') + 1);
  return new RegExp(String.raw`(?:^|[^\w])${name.replaceAll(/\W/g, String.raw`\$&`)}(?:$|[^\w])`).test(text);
}

function executedOf(finding: Finding, proof: Proof, model: Model): Executed | undefined {
  const scope = claims[finding.rule];
  if (!scope) return undefined;
  const roles = rolesBound(finding, model);
  const bound = (c: Cell): boolean => roles.length === 0 || roles.includes(c.role);
  const cells = proof.cells.filter(
    (c) => scope.commands.includes(c.command) && scope.ways.includes(c.way.kind) && speaksOf(finding, c) && bound(c),
  );
  const leaked = cells.find((c) => c.outcome === 'leaked');
  if (leaked?.attempt)
    return {
      finding,
      outcome: 'shown',
      reason: `${leaked.reason} (${leaked.role}${leaked.context === '' ? '' : `, ${leaked.context}`})`,
      statement: leaked.attempt.statement,
    };
  const blocked = cells.filter((c) => c.outcome === 'blocked');
  const open = cells.filter((c) => c.outcome !== 'blocked');
  if (blocked.length === 0)
    return { finding, outcome: 'not executed', reason: open[0]?.reason ?? 'nothing that was tried shows it' };
  const isPossibility = [finding.rule, `${finding.rule} ${finding.message}`].some((c) => claimsOfPossibility.has(c));
  if (finding.confidence === 'possible' || finding.severity === 'info' || isPossibility)
    return { finding, outcome: 'not executed', reason: 'it speaks of rows or uses that were not tried' };
  const asked = notMadeUp(finding, model);
  if (asked !== undefined) return { finding, outcome: 'not executed', reason: `${asked}, and none was made up` };
  return {
    finding,
    outcome: 'refuted',
    reason: `${blocked.length} tries of ${[...new Set(blocked.map((c) => c.command))].join(', ')} reach no row of another tenant`,
  };
}

/**
 * What the leaks that a finding speaks of ask for besides whose a row is, where no row and no caller like that was made up: a role by its name, a row
 * that names the caller. Undefined: some leak asks for nothing of the kind.
 */
function notMadeUp({ table: id, rule, span }: Finding, model: Model): string | undefined {
  const table = id === undefined || !/^no-(?:leaking|fail-open)-/.test(rule) ? undefined : model.schema.tables.get(id);
  if (!table) return undefined;
  const leaks = model.policyLeaks(table);
  const own = leaks.filter(({ policy }) =>
    [policy.origin.created, ...policy.origin.changed, policy.usingSpan, policy.checkSpan].some(
      (at) => at !== undefined && at.file === span?.file && at.start === span.start,
    ),
  );
  const asks = (own.length > 0 ? own : leaks).map((leak) => askedFor(leak, table));
  return asks.every((ask) => ask !== undefined) ? asks[0] : undefined;
}

function askedFor({ witness }: PolicyLeak, { name: { name } }: Table): string | undefined {
  for (const [what, value] of Object.entries(witness.assignment)) {
    const [, of, column, caller] = /^(\w+)\.(\w+)( = auth\.(?:uid|email)\(\))?$/.exec(what) ?? [];
    if (of === undefined || column === undefined) continue;
    if (caller !== undefined) {
      if (of === name && value === 'true') return `it takes a row of the other tenant whose ${column} is the caller`;
    } else if (of === name) {
      if (value === 'NULL') return `it takes a row whose ${column} is NULL`;
    } else if (!/^(?:A|B|AB|0|true|false|null)?$/i.test(value))
      return `it takes a caller whose ${of}.${column} is '${value}'`;
  }
  return undefined;
}

/** The roles that the policy of a finding is for; empty where it is for all, or the finding is about no policy. */
function rolesBound({ table, span }: Finding, model: Model): readonly string[] {
  const policies = (table === undefined ? undefined : model.schema.tables.get(table))?.policies ?? [];
  const policy = policies.find(
    ({ origin: { created } }) => created.file === span?.file && created.start === span.start,
  );
  return policy?.roles.filter((r) => r !== 'public') ?? [];
}
