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
    const verdict = verdictOf(cell, model, findings);
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
    return isUndecided(table, model) ? 'undecided' : 'isolated';
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

/** Row security that is off, or on with conditions that the model could not read. */
const isUndecided = (table: Table, model: Model): boolean =>
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
  return {
    finding,
    outcome: 'refuted',
    reason: `${blocked.length} tries of ${[...new Set(blocked.map((c) => c.command))].join(', ')} reach no row of another tenant`,
  };
}

/** The roles that the policy of a finding is for; empty where it is for all, or the finding is about no policy. */
function rolesBound({ table, span }: Finding, model: Model): readonly string[] {
  const policies = (table === undefined ? undefined : model.schema.tables.get(table))?.policies ?? [];
  const policy = policies.find(
    ({ origin: { created } }) => created.file === span?.file && created.start === span.start,
  );
  return policy?.roles.filter((r) => r !== 'public') ?? [];
}
