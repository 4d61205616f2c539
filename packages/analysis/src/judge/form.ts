import type { CallChain, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
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
  'required',
]);

/** The form into which something of the request was brought before it is used, if it was. */
export function formOf(source: InputProvenance, program: Program): Pick<Claim, 'form'> {
  const parsed = source.parsed === undefined ? undefined : program.chain(source.parsed);
  if (parsed) return { form: namesOf(parsed.receiver, program) };
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

/** The names that a schema lets through, where it is an object of names that are all written down. */
function namesOf(schema: Value, program: Program): { readonly names?: readonly string[] } {
  const resolved = program.resolve(schema);
  const chain = resolved.kind === 'result' ? program.chain(resolved.chain) : undefined;
  if (!chain || !chain.steps.every((s) => s.arguments === undefined || keeping.has(s.name))) return {};
  const [shape] = chain.steps.find((s) => s.name === 'object' || s.name === 'strictObject')?.arguments ?? [];
  if (shape?.kind !== 'object') return {};
  const names = shape.entries.flatMap((e) => ('set' in e ? [e.set] : []));
  return names.length === shape.entries.length ? { names } : {};
}
