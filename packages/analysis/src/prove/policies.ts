import {
  and,
  type Policy,
  type Predicate,
  type Reason,
  type Schema,
  type Span,
  type Table,
  type TenancyModel,
  type Value,
} from '@tenant-lint/model';
import type { Command, PolicyLeak, PolicyUnknown } from '../model.js';
import { owedTo, rewritten, through } from './blame.js';
import { existingRows, newRows, policiesFor, rolesOf, type RoleView } from './compose.js';
import { excuseOf, isPersonal } from './excused.js';
import { isForEverybody } from './open.js';
import { identityOf } from './identity.js';
import { PolicyWorld } from './policy-world.js';
import { prove } from './prove.js';
import type { Budget, Leak, Proof, ProofQuestion } from './question.js';
import { isPredicate } from './walk.js';

/** What the policies of a table are judged against. */
export interface PolicyContext {
  readonly schema: Schema;
  readonly tenancy: TenancyModel;
  /** Roles that bypass policies or are not the application's: their policies do not count. */
  readonly otherRoles?: ReadonlySet<string>;
}

type Side = 'using' | 'check';

/** Conditions evaluated for all policies of one table. */
const maxEvaluations = 300_000;
/** And to find out which part of one is the cause. */
const maxBlame = 80_000;

/** A permissive policy that lets rows through for a command, and what the prover says about it. */
interface Judged {
  readonly policy: Policy;
  readonly command: Command;
  readonly side: Side;
  readonly proof: Proof;
  /** The prover's answer if rows that all tenants share counted as foreign. */
  readonly strict: Proof;
  readonly role: RoleView;
  /** Nobody but those whom its rows name can read the table. */
  readonly personal: boolean;
  /** What was asked. */
  readonly question: ProofQuestion;
}

/**
 * Every way in which the policies of a table let a foreign row through. Policies compose as in Postgres: for each role and command, the
 * rows that some permissive policy admits and no restrictive one refuses. Each command is judged by its own policies alone, because an
 * UPDATE or DELETE without WHERE and RETURNING does not ask the SELECT policies. One entry for a policy, side and cause; the permissive
 * policy that admits the row is the cause. Whether row security is enabled is another question.
 */
export function policyLeaks(table: Table, context: PolicyContext): readonly PolicyLeak[] {
  const judged = judge(table, context);
  const leaks: Found[] = [];
  const found = (one: Judged, leak: Leak): void => {
    const excuse = one.side === 'using' || one.personal ? excused(one) : undefined;
    const open = one.command === 'select' && isForEverybody(one.policy, table, context);
    leaks.push({ judged: one, leak, excuse: excuse ?? (open ? 'open' : undefined) });
  };
  for (const one of judged) {
    const leak = leakOf(one);
    if (leak) found(one, leak);
  }
  // Rows without a tenant may be shared for reading; not where somebody may also write them.
  const writable = leaks.some(({ judged: j }) => j.command !== 'select');
  if (writable) {
    for (const one of judged) {
      if (one.command !== 'select' || one.proof.kind === 'leak' || one.strict.kind !== 'leak') continue;
      found(one, one.strict);
    }
  }
  return merged(table, leaks);
}

interface Found {
  readonly judged: Judged;
  readonly leak: Leak;
  readonly excuse: PolicyLeak['excuse'];
}

/** Equal questions have the same excuse. */
const excused = ({ question, command }: Judged): PolicyLeak['excuse'] =>
  excuseOf({ ...question, budget: { left: maxBlame } }, command);

/** The policies that are neither found leaking nor isolating, and what that hangs on. */
export function policyUnknowns(table: Table, context: PolicyContext): readonly PolicyUnknown[] {
  const found = new Map<string, PolicyUnknown>();
  for (const { policy, command, side, proof } of judge(table, context)) {
    if (proof.kind !== 'unknown') continue;
    const key = `${policy.name}/${side}`;
    const before = found.get(key);
    const commands = before ? [...new Set([...before.commands, command])] : [command];
    found.set(key, { table: table.id, policy, commands, side, hangsOn: before?.hangsOn ?? proof.hangsOn });
  }
  return [...found.values()];
}

const leakOf = ({ command, proof, strict }: Judged): Leak | undefined => {
  const decisive = command === 'select' ? proof : strict;
  return decisive.kind === 'leak' ? decisive : undefined;
};

/** Leaks and unknowns come from the same proofs. */
const judgements = new WeakMap<Table, { readonly context: PolicyContext; readonly judged: readonly Judged[] }>();

function judge(table: Table, context: PolicyContext): readonly Judged[] {
  const known = judgements.get(table);
  if (known && sameContext(known.context, context)) return known.judged;
  const judged = judgeAnew(table, context);
  judgements.set(table, { context, judged });
  return judged;
}

const sameContext = (a: PolicyContext, b: PolicyContext): boolean =>
  a.schema === b.schema && a.tenancy === b.tenancy && a.otherRoles === b.otherRoles;

function judgeAnew(table: Table, context: PolicyContext): readonly Judged[] {
  const kind = context.tenancy.tables.get(table.id)?.kind ?? 'unknown';
  if (kind === 'shared' || kind === 'unknown') return [];
  const result: Judged[] = [];
  const proofs = new Map<string, Proof>();
  const budget: Budget = { left: maxEvaluations };
  const roles = rolesOf(table, context);
  const signedIn = roles.some((role) => role.name === 'authenticated');
  for (const role of roles) {
    const world = new PolicyWorld(context, role);
    // Where whoever has signed in comes under a role of his own, everybody else is nobody.
    const anonymous = signedIn && role.name === 'public';
    const personal = isPersonal(table, role);
    const ask = (policy: Policy, command: Command, side: Side): void => {
      const { restrictive } = policiesFor(table, command, role);
      const clause = side === 'using' ? existingRows : newRows;
      const own = clause(policy);
      if (!own) return;
      // Equal questions (FOR ALL asks three times the same) are asked once.
      const bounds = restrictive.flatMap((p) => clause(p) ?? []);
      const asWritten: ProofQuestion = { target: world.self(table), predicate: and(own, ...bounds), world };
      const question = anonymous ? rewritten(asWritten, withoutCaller) : asWritten;
      const asked = (nullRows: 'shared' | 'foreign'): Proof => {
        const key = JSON.stringify([role.name, policy.name, bounds, own, nullRows], leaveSpans);
        let proof = proofs.get(key);
        if (!proof) {
          proof = prove({ ...question, nullRows, budget });
          proofs.set(key, proof);
        }
        return proof;
      };
      const strict = asked('foreign');
      result.push({
        policy,
        command,
        side,
        role,
        personal,
        strict,
        question: { ...question, nullRows: 'foreign' },
        // What holds back more is answered by the same search, so that what was too much for it is too much again.
        proof: strict.kind === 'isolated' || (strict.kind === 'unknown' && strict.exhausted) ? strict : asked('shared'),
      });
    };
    for (const command of ['select', 'insert', 'update', 'delete'] as const) {
      for (const policy of policiesFor(table, command, role).permissive) {
        if (command !== 'insert') ask(policy, command, 'using');
        // A new row of the table of tenants is a new tenant, not a row of another one.
        if (kind !== 'root' && (command === 'insert' || command === 'update')) ask(policy, command, 'check');
      }
    }
  }
  return result;
}

const withoutCaller = (node: Predicate | Value): Value | undefined =>
  !isPredicate(node) && identityOf(node) === 'caller' ? { kind: 'constant', value: null } : undefined;

const leaveSpans = (key: string, value: unknown): unknown => (key === 'span' ? undefined : value);

function merged(table: Table, leaks: readonly Found[]): readonly PolicyLeak[] {
  const found = new Map<string, PolicyLeak>();
  for (const { judged, leak, excuse } of leaks) {
    const { policy, side, command, role } = judged;
    const key = `${policy.name}/${side}/${leak.cause}/${String(excuse)}`;
    const before = found.get(key);
    if (before) {
      found.set(key, { ...before, commands: [...new Set([...before.commands, command])] });
      continue;
    }
    const span = spanOf(policy, side);
    const because: Reason[] = [{ text: leak.why, ...(span ? { span } : {}) }, ...leak.because];
    for (const assumption of [...leak.assumptions, ...(role.assumed ? [`the application runs as ${role.name}`] : [])])
      because.push({ text: `as far as ${assumption}` });
    found.set(key, {
      table: table.id,
      policy,
      commands: [command],
      side,
      cause: leak.cause,
      confidence: role.assumed && leak.confidence === 'certain' ? 'likely' : leak.confidence,
      witness: leak.witness,
      because,
      ...(excuse ? { excuse } : {}),
      ...blame(judged.question, side === 'using' || judged.personal),
    });
  }
  return [...found.values()];
}

/** The cause of a leak; where rows that name the caller would be excused, the cause of what gets through besides. */
function blame(asked: ProofQuestion, excusable: boolean): Pick<PolicyLeak, 'owedTo' | 'through'> {
  const question = { ...asked, named: excusable, budget: { left: maxBlame } };
  const part = owedTo(question);
  const by = through(question);
  return { ...(part === undefined ? {} : { owedTo: part }), ...(by ? { through: by } : {}) };
}

const spanOf = (policy: Policy, side: Side): Span | undefined =>
  side === 'check' ? (policy.checkSpan ?? policy.usingSpan) : policy.usingSpan;
