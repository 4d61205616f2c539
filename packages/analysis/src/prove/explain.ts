import type { Predicate, Reason, Span, Value, Witness } from '@tenant-lint/model';
import { describePredicate } from './describe.js';
import type { Engine } from './engine.js';
import { ANY, FALSE, TRUE, type Outcomes } from './logic.js';
import type { ProofQuestion } from './question.js';
import { TooLarge } from './space.js';
import { other, plain } from './symbols.js';
import { eachValue } from './walk.js';

export interface Explanation {
  /** How the condition lets the row through, in one phrase. */
  readonly why: string;
  /** What a library does about a value that is missing, where a filter was dropped. */
  readonly vanished?: string;
  readonly because: readonly Reason[];
}

/** Explains the assignment that a run ended with (or, for an isolating condition, what it rests on): by the parts that name a key. */
export function explain(predicate: Predicate, engine: Engine): Explanation {
  const because: Reason[] = [];
  const seen = new Set<string>();
  collect(predicate, engine, (p) => {
    const text = words(describePredicate(p), engine);
    const span = 'span' in p ? p.span : undefined;
    const key = `${text}${span ? `${span.file}:${span.start}` : ''}`;
    if (!seen.has(key) && because.length < 8) because.push(reason(text, span));
    seen.add(key);
  });
  const vanished = vanishedIn(predicate, engine);
  return { why: why(predicate, engine), ...(vanished === undefined ? {} : { vanished }), because };
}

const reason = (text: string, span: Span | undefined): Reason => (span ? { text, span } : { text });

/** The comparisons with a key, outermost sub-queries included as a whole. */
function collect(p: Predicate, engine: Engine, found: (p: Predicate) => void): void {
  switch (p.kind) {
    case 'and':
    case 'or':
    case 'either':
      for (const part of p.of) collect(part, engine, found);
      return;
    case 'not':
    case 'is':
      return collect(p.of, engine, found);
    case 'optional':
      collect(p.of, engine, found);
      return;
    case 'case':
      for (const [when, then] of p.of) {
        collect(when, engine, found);
        collect(then, engine, found);
      }
      return collect(p.otherwise, engine, found);
    default:
      if (namesKey(p, engine)) found(p);
  }
}

/** Whether a key occurs in a condition, its own sub-queries and the functions it calls included. */
export function namesKey(tree: Predicate | Value, engine: Engine): boolean {
  let found = false;
  eachValue(tree, (value) => {
    found ||= engine.setup.isKey(value);
  });
  return found;
}

/** Whether the condition names a key of the row in question; of a row without a key of its own, any key. */
export function mentionsKey(question: ProofQuestion, engine: Engine): boolean {
  const tenancy = question.world.tenancy(question.target);
  let found = false;
  eachValue(question.predicate, (value) => {
    found ||=
      engine.setup.isKey(value) &&
      (tenancy.kind === 'child' || (value.kind === 'column' && value.target === question.target.ref));
  });
  return found;
}

/** Why the condition is true for the row of the assignment that the engine holds. */
function why(p: Predicate, engine: Engine): string {
  if (!namesKey(p, engine)) return 'the condition does not name the tenant key';
  switch (p.kind) {
    case 'and': {
      const part = p.of.find((q) => namesKey(q, engine));
      return part ? why(part, engine) : 'the condition does not name the tenant key';
    }
    case 'or': {
      const branch = p.of.find((q) => outcomesOf(engine, q) === TRUE) ?? p.of.find((q) => outcomesOf(engine, q) & TRUE);
      if (!branch) return 'one branch of an OR does not bind the tenant';
      if (namesKey(branch, engine) && branch.kind !== 'null') return why(branch, engine);
      return `one branch of an OR does not bind the tenant: ${words(describePredicate(branch), engine)}`;
    }
    case 'not':
      return p.of.kind === 'null'
        ? 'a test for presence lets every tenant through'
        : 'the condition on the tenant is negated';
    case 'is':
      return outcomesOf(engine, p.of) & FALSE ? 'the condition on the tenant is negated' : why(p.of, engine);
    case 'compare':
      return ofCompare(p, engine);
    case 'null':
      return 'rows without a tenant count as rows of everybody';
    case 'in':
      return 'the list holds a fixed tenant, or one that the caller may choose';
    case 'in-query':
    case 'exists':
      return 'the row that the sub-query looks up is not tied to the current tenant';
    case 'case':
      return 'one branch of a CASE does not bind the tenant';
    case 'either':
      return 'one of the conditions that the program chooses from does not bind the tenant';
    case 'optional':
      return outcomesOf(engine, p.of) & TRUE ? why(p.of, engine) : p.why;
    default:
      return 'the condition does not bind the tenant';
  }
}

function ofCompare(p: Extract<Predicate, { kind: 'compare' }>, engine: Engine): string {
  const { left, operator, right } = p;
  if (operator === '<>' || operator === '!=' || operator === 'is distinct from')
    return 'the condition on the tenant is negated';
  if (operator.startsWith('not ')) return 'the condition on the tenant is negated';
  if (operator.includes('like')) return 'the tenant is compared by pattern, not by equality';
  if (/^[<>]/.test(operator)) return 'the tenant is compared by order, not by equality';
  if (engine.setup.cache.keyOfValue(left) === engine.setup.cache.keyOfValue(right))
    return 'the key is compared with itself';
  if (left.kind === 'constant' || right.kind === 'constant') {
    const key = left.kind === 'constant' ? right : left;
    return key.kind === 'column'
      ? 'the key is compared with a fixed value'
      : 'what is made of the key does not bind the tenant';
  }
  const inside = [left, right].some((v) => v.kind !== 'column' && namesKey(v, engine));
  if (inside) return 'the key takes the place of the tenant where the tenant is not set';
  const [a, b] = [left, right].map((v) => (v.kind === 'column' ? v.target : undefined));
  if (a !== undefined && b !== undefined)
    return a === b
      ? 'the key is compared with a column of the same row'
      : 'the row it is compared with may belong to any tenant';
  if (operator === 'is not distinct from') return 'rows without a tenant match a tenant that is not set';
  return 'the value that the key is compared with does not have to be the current tenant';
}

/** What a part of the condition comes out as under the assignment; anything, where that takes too long to tell. */
function outcomesOf(engine: Engine, p: Predicate): Outcomes {
  try {
    return engine.evaluateAgain(p);
  } catch (error) {
    if (error instanceof TooLarge) return ANY;
    throw error;
  }
}

function vanishedIn(p: Predicate, engine: Engine): string | undefined {
  switch (p.kind) {
    case 'and':
    case 'or':
    case 'either':
      for (const part of p.of) {
        const found = vanishedIn(part, engine);
        if (found !== undefined) return found;
      }
      return undefined;
    case 'not':
    case 'is':
      return vanishedIn(p.of, engine);
    case 'optional':
      return namesKey(p.of, engine) ? p.why : vanishedIn(p.of, engine);
    default:
      return undefined;
  }
}

/** 't0.status' becomes 'invoices.status'. */
function words(text: string, engine: Engine): string {
  return plain(
    text.replace(/([\w~]+)\.(\w+)/g, (whole, ref: string, column: string) => {
      const target = engine.setup.targets.get(ref);
      return target ? `${engine.targetName(target)}.${column}` : whole;
    }),
  );
}

/** The assignment that a run ended with, in words and item by item. */
export function witnessOf(engine: Engine, question: ProofQuestion): Witness {
  const { target } = question;
  const name = engine.targetName(target);
  const assignment: Record<string, string> = {};
  const circumstances: string[] = [];
  const chosen = new Map(engine.space.chosen);
  const row = chosen.get(`row|${target.ref}`) ?? other;
  if (!chosen.has(`row|${target.ref}`)) chosen.set(`row|${target.ref}`, other);
  for (const [key, value] of chosen) {
    const [kind, ...rest] = key.split('|');
    const about = rest.join('|');
    switch (kind) {
      case 'row':
        Object.assign(assignment, rowAssignment(engine, about, value as string | null));
        break;
      case 'setting': {
        assignment[about] = value === null ? 'NULL' : plain(String(value));
        if (value === null) circumstances.push(`${about} is not set`);
        else if (value === '') circumstances.push(`${about} is empty`);
        break;
      }
      case 'unset':
        if (value !== true) break;
        assignment[engine.nameOf(about)] = 'NULL';
        circumstances.push(`${engine.nameOf(about)} is not there`);
        break;
      case 'missing': {
        const what = engine.nameOf(rest.slice(1).join('|'));
        if (value !== true) break;
        assignment[what] = 'missing';
        circumstances.push(`${what} is missing`);
        break;
      }
      case 'place':
        assignment[`'${about}' is ordered after`] = plain(String(value)) || 'nothing';
        break;
      case 'is':
        assignment[engine.nameOf(about)] = value === null ? 'something else' : plain(String(value));
        break;
      case 'claim':
      case 'foreign':
        assignment[engine.nameOf(about)] = plain(String(value));
        break;
      default:
        if (typeof value === 'boolean') assignment[factOf(kind ?? '', rest, engine)] = String(value);
        else if (kind === 'value') assignment[engine.nameOf(about)] = plain(String(value));
    }
  }
  if (engine.mode.tenant !== plain(engine.mode.tenant)) assignment['the current tenant'] ??= plain(engine.mode.tenant);
  else circumstances.push(`the current tenant is called '${engine.mode.tenant}'`);
  const what =
    row === null
      ? `a row of ${name} without a tenant`
      : row === ''
        ? `a row of ${name} with an empty tenant`
        : `a row of ${name} that belongs to another tenant`;
  return { text: circumstances.length > 0 ? `${what}, when ${circumstances.join(' and ')}` : what, assignment };
}

function rowAssignment(engine: Engine, ref: string, record: string | null): Record<string, string> {
  const target = engine.setup.targets.get(ref);
  if (!target) return {};
  const tenancy = engine.setup.world.tenancy(target);
  const name = engine.targetName(target);
  const [owner, lacking] = record === null ? [null] : record.split('|');
  const shown = owner === null || owner === undefined ? 'NULL' : plain(owner);
  if (tenancy.kind === 'root') return { [`${name}.${tenancy.key}`]: shown };
  if (tenancy.kind !== 'keyed') return { [`owner of ${name}`]: shown };
  return Object.fromEntries(
    tenancy.keys.map((key) => [`${name}.${key.column}`, key.column === lacking ? 'NULL' : shown]),
  );
}

function factOf(kind: string, rest: readonly string[], engine: Engine): string {
  const names = rest.map((part) => engine.nameOf(part));
  switch (kind) {
    case 'null':
      return `${names.join()} is null`;
    case 'exists':
      return `a row is found by ${names.join()}`;
    case 'test':
    case 'true':
      return names.join();
    case 'absent':
      return `no row of ${names.join()}`;
    default:
      return names.length === 2 ? `${names[0]} ${kind} ${names[1]}` : `${kind} ${names.join(' ')}`;
  }
}
