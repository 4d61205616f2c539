import { and, type Policy, type Predicate, type Table, type TableId } from '@tenant-lint/model';
import type { Command, PolicyLeak, PolicyWeakening } from '../model.js';
import { admitted, existingRows, newRows, policiesFor, rolesOf, type RoleView } from './compose.js';
import type { PolicyContext } from './policies.js';
import { excuseOf } from './excused.js';
import { PolicyWorld } from './policy-world.js';
import { prove } from './prove.js';
import type { Budget, Leak, ProofQuestion } from './question.js';

/** Conditions evaluated to compare two states of one table. */
const maxEvaluations = 100_000;

/**
 * Foreign rows that the policies of `table` let through and that `before` held back: policies are compared by what they admit for each role
 * and command, not by their text. `leaks` are those of the table as it is. One entry for a command and side; empty where the later ones are at least as strict.
 */
export function policyWeakenings(
  table: Table,
  before: readonly Policy[],
  context: PolicyContext,
  leaks: readonly PolicyLeak[],
): readonly PolicyWeakening[] {
  // What holds every foreign row back lets through none that something else held back.
  if (leaks.length === 0) return [];
  const kind = context.tenancy.tables.get(table.id)?.kind ?? 'unknown';
  if (kind === 'shared' || kind === 'unknown') return [];
  const earlier: Table = { ...table, policies: before };
  const found: PolicyWeakening[] = [];
  const budget: Budget = { left: maxEvaluations };
  for (const role of rolesOf({ ...table, policies: [...table.policies, ...before] }, context)) {
    const world = new PolicyWorld(context, role);
    const ask = (predicate: Predicate, command: Command, side: 'using' | 'check'): Leak | undefined => {
      const nullRows = command === 'select' ? 'shared' : 'foreign';
      const question: ProofQuestion = { target: world.self(table), predicate, world, nullRows, budget };
      const proof = prove(question);
      if (proof.kind !== 'leak') return undefined;
      return side === 'using' && excuseOf(question, command) ? undefined : proof;
    };
    for (const { command, side } of sides) {
      if (kind === 'root' && side === 'check') continue;
      if (found.some((f) => f.command === command && f.side === side)) continue;
      const open = leaks.filter(
        (leak) => leak.excuse === undefined && leak.side === side && leak.commands.includes(command),
      );
      if (open.length === 0) continue;
      const refused = not(admitted(earlier, command, role, side));
      const now = admitted(table, command, role, side);
      if (now.kind === 'never' || textOf(now) === textOf(admitted(earlier, command, role, side))) continue;
      const leak = ask(and(now, refused), command, side);
      if (!leak) continue;
      const names = new Set(open.map((l) => l.policy.name));
      const policy = culprit(
        table,
        command,
        role,
        side,
        (p, clause) => names.has(p.name) && ask(and(clause, refused), command, side) !== undefined,
      );
      if (policy) found.push(weakening(table.id, command, side, policy, leak, role));
    }
  }
  return found;
}

const sides = [
  { command: 'select', side: 'using' },
  { command: 'insert', side: 'check' },
  { command: 'update', side: 'using' },
  { command: 'update', side: 'check' },
  { command: 'delete', side: 'using' },
] as const;

/** Holds wherever the condition does not: where it is false, and where it is NULL. */
const not = (admits: Predicate): Predicate => ({ kind: 'not', of: { kind: 'is', of: admits, test: true } });

/** The permissive policy that admits the row. */
function culprit(
  table: Table,
  command: Command,
  role: RoleView,
  side: 'using' | 'check',
  opens: (policy: Policy, clause: Predicate) => boolean,
): Policy | undefined {
  const { permissive, restrictive } = policiesFor(table, command, role);
  const clauseOf = side === 'using' ? existingRows : newRows;
  const bounds = restrictive.flatMap((p) => clauseOf(p) ?? []);
  const candidates = permissive.filter((p) => clauseOf(p) !== undefined);
  return candidates.find((p) => opens(p, and(clauseOf(p)!, ...bounds)));
}

const weakening = (
  table: TableId,
  command: Command,
  side: 'using' | 'check',
  policy: Policy,
  leak: Leak,
  role: RoleView,
): PolicyWeakening => ({
  table,
  command,
  side,
  policy,
  cause: leak.cause,
  confidence: role.assumed && leak.confidence === 'certain' ? 'likely' : leak.confidence,
  witness: leak.witness,
  because: leak.because,
});

const textOf = (predicate: Predicate): string =>
  JSON.stringify(predicate, (key, inner: unknown) => (key === 'span' ? undefined : inner));
