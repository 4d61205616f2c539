import { valueAt, type CallChain, type Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import { handedAlong } from '../trace/along.js';
import type { InputProvenance } from '../trace/provenance.js';
import type { Claim } from '../model.js';

/** Steps that take the schema of what a handler receives. */
const schemaSteps: ReadonlySet<string> = new Set(['input', 'schema', 'inputSchema', 'validator', 'bodySchema']);
/** Steps of a schema that leave its names as they are. */
const keeping: ReadonlySet<string> = new Set([
  'object',
  'strict',
  'strictObject',
  'refine',
  'superRefine',
  'partial',
  'optional',
  'describe',
  'meta',
  'openapi',
  'required',
]);
/** How many schemas, one made of the other, are read. */
const maxSchemas = 4;

/** The form into which something of the request was brought before it is used, if it was. */
export function formOf(source: InputProvenance, program: Program): Pick<Claim, 'form'> {
  const parsed = source.parsed === undefined ? undefined : program.chain(source.parsed);
  if (parsed) return { form: namesOf(handedAlong(receiverOf(parsed), source.through ?? [], program), program) };
  const f = source.at === undefined ? undefined : program.function(source.at);
  const kind = source.at === undefined ? undefined : program.entryOf(source.at)?.kind;
  if (!f || kind === undefined) return {};
  const handed = f.handedTo && program.chain(f.handedTo.chain);
  const schema = handed && schemaBefore(handed, f.handedTo.step, program, 3);
  if (schema) return { form: namesOf(schema, program) };
  // Frameworks that describe what they receive by a class or a schema of their own.
  if (kind === 'nest handler' || kind === 'graphql resolver' || kind === 'trpc procedure') return { form: {} };
  return {};
}

function schemaBefore(chain: CallChain, step: number, program: Program, depth: number): Value | undefined {
  const own = chain.steps.slice(0, step).findLast((s) => schemaSteps.has(s.name))?.arguments?.[0];
  if (own || depth <= 0) return own;
  const receiver = program.resolve(chain.receiver);
  const outer = receiver.kind === 'result' ? program.chain(receiver.chain) : undefined;
  return outer && schemaBefore(outer, outer.steps.length, program, depth - 1);
}

/** What a method is called on first: `schemas.body` of `schemas.body.parse(...)`. */
const receiverOf = ({ receiver, steps }: CallChain): Value => {
  const first = steps.findIndex((s) => s.arguments !== undefined);
  return valueAt(
    receiver,
    steps.slice(0, Math.max(first, 0)).map((s) => s.name),
  );
};

/** The names that a schema lets through, where it is an object of names that are all written down, or made of one that is. */
function namesOf(schema: Value, program: Program, depth = maxSchemas): { readonly names?: readonly string[] } {
  const resolved = program.resolve(schema);
  const chain = resolved.kind === 'result' && depth > 0 ? program.chain(resolved.chain) : undefined;
  if (!chain) return {};
  const called = chain.steps.filter((s) => s.arguments !== undefined);
  const isMade = called[0]?.name === 'object' || called[0]?.name === 'strictObject';
  const base = isMade ? [] : namesOf(receiverOf(chain), program, depth - 1).names;
  return called.reduce<{ readonly names?: readonly string[] }>(
    ({ names }, step) => (names ? changed(names, step, program, depth) : {}),
    base ? { names: base } : {},
  );
}

/** The names after one step of a schema. */
function changed(
  names: readonly string[],
  { name, arguments: [first] = [] }: CallChain['steps'][number],
  program: Program,
  depth: number,
): { readonly names?: readonly string[] } {
  const added = first && writtenNames(first);
  switch (name) {
    case 'object':
    case 'strictObject':
      return added ? { names: added } : {};
    case 'extend':
    case 'safeExtend':
      return added ? { names: [...names, ...added] } : {};
    case 'pick':
      return added ? { names: names.filter((n) => added.includes(n)) } : {};
    case 'omit':
      return added ? { names: names.filter((n) => !added.includes(n)) } : {};
    case 'merge': {
      const other = first && namesOf(first, program, depth - 1).names;
      return other ? { names: [...names, ...other] } : {};
    }
    default:
      return keeping.has(name) ? { names } : {};
  }
}

/** The names of an object that are all written down. */
function writtenNames(value: Value): readonly string[] | undefined {
  if (value.kind !== 'object') return undefined;
  const names = value.entries.flatMap((e) => ('set' in e ? [e.set] : []));
  return names.length === value.entries.length ? names : undefined;
}
