import {
  propertyOf,
  type Client,
  type Known,
  type LowerContext,
  type Step,
  type TableName,
  type Value,
} from '@tenant-lint/model';
import { splitPath } from '../query-text/calls.js';
import { callOf, chainOf, functionCall } from './names.js';
import { withPath } from './scope.js';

/** What the receiver of a query turned out to be. */
export interface Receiver {
  readonly client: Client;
  /** Surely the library's. */
  readonly certain: boolean;
  /** The schema object that the client was made with. */
  readonly schema?: Value;
}

const typeWord =
  /\b(?:\w*(?:Node|Neon|Postgres|PostgresJs|Pg|MySql2?|LibSQL|BetterSQLite3|D1|Vercel|Bun|Bunsql|SQLite|Xata|AwsDataApi|Pglite)\w*Database|(?:Pg|MySql|SQLite)\w*Transaction|DrizzleD1Database|\w*Drizzle\w*)\b/;

/** Where a query's receiver comes from: `drizzle(...)`, a transaction callback, an annotation, a function that gives one of these. */
export function receiverOf(base: Value, steps: readonly Step[], context: LowerContext): Receiver {
  const receiver = valueOf(base, steps, context);
  const found = traced(receiver, context, 0);
  return { ...found, client: { receiver, kind: found.kind } };
}

/** What property reads and calls give; a call is read through where the function is known and has one return. */
function valueOf(base: Value, steps: readonly Step[], context: LowerContext): Value {
  let value = base;
  for (const step of steps) {
    if (step.name !== '') value = propertyOf(value, step.name);
    if (!step.arguments) continue;
    const callee = context.resolve(value);
    const returns = callee.kind === 'function' ? context.function(callee.function)?.returns : undefined;
    const returned = returns?.length === 1 ? returns[0]?.value : undefined;
    value = returned ?? { kind: 'unknown', reason: `what ${step.name === '' ? 'the call' : step.name} gives` };
  }
  return value;
}

function traced(
  value: Value,
  context: LowerContext,
  depth: number,
): { kind: Client['kind']; certain: boolean; schema?: Value } {
  if (depth > 6) return { kind: 'unknown', certain: false };
  if (value.kind === 'missing-able') return traced(value.of, context, depth + 1);
  if (value.kind === 'choice') {
    const all = value.of.map((v) => traced(v, context, depth + 1));
    return all.find((a) => a.certain) ?? { kind: 'unknown', certain: false };
  }
  if (value.kind === 'apply' && ['??', '||'].includes(value.function))
    return traced({ kind: 'choice', of: value.to }, context, depth + 1);
  if (value.kind === 'parameter') {
    const f = context.function(value.function);
    const handed = value.path.length === 0 && f?.handedTo;
    if (handed) {
      const chain = context.chain(handed.chain);
      if (chain?.steps[handed.step]?.name === 'transaction') {
        const call = callOf(chain);
        const at = call.steps.findIndex((s) => s.name === 'transaction');
        const outer = traced(
          withPath(
            call.base,
            call.steps.slice(0, at).map((s) => s.name),
          ),
          context,
          depth + 1,
        );
        return { kind: 'transaction', certain: outer.certain, ...(outer.schema ? { schema: outer.schema } : {}) };
      }
    }
  }
  const type = context.typeOf(value)?.text;
  if (type !== undefined && typeWord.test(type))
    return { kind: /Transaction/.test(type) ? 'transaction' : 'plain', certain: true };
  const chain = chainOf(value, context);
  const f = chain && functionCall(callOf(chain), context);
  if (f?.name === 'drizzle') return { kind: 'plain', certain: true, ...schemaOf(f.arguments) };
  if (f?.name === 'withReplicas' && f.arguments[0]) return traced(f.arguments[0], context, depth + 1);
  if (chain && !f) {
    // `drizzle` of a package that re-exports it, or a client that a method returns: `db.$withAuth(...)`.
    const { base } = splitPath(chain.receiver);
    if (base.kind === 'import' && base.name === 'drizzle')
      return { kind: 'plain', certain: true, ...schemaOf(chain.steps.at(-1)?.arguments ?? []) };
  }
  return { kind: 'unknown', certain: false };
}

/** `drizzle(client, { schema })`, `drizzle({ client, schema })`. */
function schemaOf(args: readonly Value[]): { schema?: Value } {
  for (const argument of args) {
    if (argument.kind !== 'object') continue;
    for (const entry of argument.entries) if ('set' in entry && entry.set === 'schema') return { schema: entry.value };
  }
  return {};
}

/** The table that `db.query.<name>` means: by the client's schema object, else by the only binding of that name. */
export function tableByKey(name: string, receiver: Receiver, context: LowerContext): Known<TableName> {
  const bySchema = receiver.schema ? inSchema(name, receiver.schema, context, 0) : undefined;
  if (bySchema?.known) return bySchema;
  const bound = context.tablesBound?.(name) ?? [];
  const [only] = bound;
  if (only && bound.length === 1) return { known: true, value: only };
  return {
    known: false,
    reason: bound.length > 1 ? `several tables are declared as ${name}` : `no table is declared as ${name}`,
  };
}

function inSchema(name: string, schema: Value, context: LowerContext, depth: number): Known<TableName> | undefined {
  if (depth > 6) return undefined;
  const resolved = schema.kind === 'object' ? schema : context.resolve(schema);
  if (resolved.kind === 'object') {
    for (let i = resolved.entries.length - 1; i >= 0; i--) {
      const entry = resolved.entries[i]!;
      if ('set' in entry && entry.set === name) return context.tableOf(entry.value);
      const inner = 'spread' in entry ? inSchema(name, entry.spread, context, depth + 1) : undefined;
      if (inner?.known) return inner;
    }
    return undefined;
  }
  return context.tableOf(withPath(resolved, [name]));
}
