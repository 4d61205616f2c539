import {
  propertyOf,
  type CallChain,
  type Client,
  type LowerContext,
  type Lowered,
  type Span,
  type Step,
  type TextPart,
  type Value,
} from '@tenant-lint/model';
import { traceSteps, type ClientKinds } from '../client-trace.js';
import { accessesOf } from '../finish.js';
import { expandMarked, marked } from '../markers.js';
import { packageOf } from '../packages.js';
import { itemOf, replacePlaceholders } from '../placeholders.js';
import { lowerSqlText } from '../sql-text.js';

const isModule = (module: string): boolean => /^(?:better-sqlite3|bun:sqlite|node:sqlite|sqlite)$/.test(module);

const kinds: ClientKinds<Client['kind']> = {
  typed: ({ text, name }) =>
    /^D1Database(?:Session)?$/.test(text) || (name?.kind === 'import' && isModule(packageOf(name.module)))
      ? 'plain'
      : undefined,
  constructed: (module) => (isModule(module) ? 'plain' : undefined),
  called: (module, name) => (module === 'better-sqlite3' && name === 'default' ? 'plain' : undefined),
};

/** Steps that run a prepared statement. */
const runs = new Set(['get', 'all', 'run', 'iterate', 'first', 'values', 'raw']);
/** Steps between: how rows come back, and values that are bound before. */
const settings = new Set(['pluck', 'expand', 'raw', 'safeIntegers', 'bind']);

/** Lowers `db.prepare(sql).all(values)`, in one chain or through a variable, and `db.exec(sql)`. See Adapter. Never throws. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const whole = through(chain, context);
  const at = whole.steps.findIndex(
    (s) => s.arguments && (s.name === 'prepare' || s.name === 'query' || s.name === 'exec'),
  );
  const step = whole.steps[at];
  const [text] = step?.arguments ?? [];
  if (!step || !text) return 'not mine';
  const kind = traceSteps(whole.base, whole.steps.slice(0, at), kinds, context);
  if (!kind) return 'not mine';
  const client: Client = { receiver: whole.base, kind };
  const rest = whole.steps.slice(at + 1);
  const run = rest.findLast((s) => s.arguments && runs.has(s.name));
  if (!run && step.name !== 'exec') return 'no access';
  // The step that runs the statement is not this chain's own where it stands in an earlier one.
  if (run && !chain.steps.includes(run)) return 'no access';
  const bound = rest.findLast((s) => s.name === 'bind' && s.arguments);
  const args = bound?.arguments ?? run?.arguments ?? [];
  const parts = formatted(text, args, step.span, context);
  if (!parts) return { unknown: 'the SQL text was not found', span: step.span };
  const lowered = lowerSqlText({ kind: 'text', parts, span: step.span }, undefined, {
    file: chain.span.file,
    library: 'better-sqlite3',
    id: chain.id,
    span: chain.span,
    context,
    expand: expandMarked,
  });
  const unchecked = lowered.unchecked.map((u) => ({
    ...u,
    reason: u.reason.startsWith('syntax') ? 'a statement that only SQLite understands' : u.reason,
  }));
  // A statement that was prepared elsewhere is judged where it runs, with the values it gets there.
  const accesses = chain.steps.includes(step)
    ? lowered.accesses
    : lowered.accesses.map((a) => ({ ...a, span: chain.span }));
  return accessesOf({ accesses, unchecked }, chain, run?.name ?? step.name, client);
}

/** The steps of a chain with those of the statement that its receiver prepared. */
function through(chain: CallChain, context: LowerContext): { base: Value; steps: readonly Step[] } {
  const first = chain.steps[0];
  if (!first?.arguments || !(runs.has(first.name) || settings.has(first.name)))
    return { base: chain.receiver, steps: chain.steps };
  for (const v of [chain.receiver, context.resolve(chain.receiver)]) {
    const before = v.kind === 'result' && v.path.length === 0 ? context.chain(v.chain) : undefined;
    if (before?.steps.some((s) => s.name === 'prepare' || s.name === 'query'))
      return { base: before.receiver, steps: [...before.steps, ...chain.steps] };
  }
  return { base: chain.receiver, steps: chain.steps };
}

/** Quoted text and names, and the placeholders outside of them. */
const tokens = /'(?:[^']|'')*'|"[^"]*"|`([^`]*)`|\?(\d+)?|[:@$]([A-Za-z_]\w*)/g;

function formatted(
  statement: Value,
  args: readonly Value[],
  place: Span,
  context: LowerContext,
): readonly TextPart[] | undefined {
  const lists = args.map((a) => (a.kind === 'list' || a.kind === 'object' ? a : context.resolve(a)));
  const named = lists.findLast((a) => a.kind === 'object');
  const flat: Value = {
    kind: 'list',
    of: lists.flatMap((a, i) => (a.kind === 'list' ? a.of : a.kind === 'object' ? [] : [{ value: args[i]! }])),
  };
  let next = 0;
  return replacePlaceholders(
    statement,
    tokens,
    ({ text, groups, span }) => {
      const [name, index, key] = groups;
      if (name !== undefined) return [{ text: `"${name}"`, start: span.start, exact: true }];
      if (key !== undefined)
        return [
          marked(named ? propertyOf(named, key) : { kind: 'unknown', reason: `the value of ${text}` }, 'bind', span),
        ];
      if (!text.startsWith('?')) return undefined;
      const value = itemOf(flat, index === undefined ? next++ : Number(index) - 1);
      return [marked(value ?? { kind: 'unknown', reason: 'the value of a parameter' }, 'bind', span)];
    },
    place,
    context,
  );
}
