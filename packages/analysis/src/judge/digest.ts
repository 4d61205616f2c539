import type { CallChain, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import { componentsOf } from './components.js';
import { stripped } from './conditions.js';
import { isSecret } from './confidence.js';

const digests = /^(?:sha(?:1|224|256|384|512)(?:Hex)?|sha3_\d+|blake\w+|createHash|createHmac|hmac)$/i;
const keyed = /^(?:createHmac|hmac)$/i;

/** The names of the functions that a chain calls; of one that is imported, its own. */
function calledIn(chain: CallChain, program: Program): readonly string[] {
  const root = program.importOf(chain.receiver, 4);
  return chain.steps.flatMap((s) => (s.arguments ? [s.name === '' ? (root?.name ?? '') : s.name] : []));
}

/** Whether a value is a digest, or one in another form: `encodeHex(sha256(bytes))`, `createHash('sha256').update(token).digest('hex')`. */
export function isDigest(value: Value, program: Program, depth: number): boolean {
  const own = stripped(value);
  const chain = own.kind === 'result' && own.path.length === 0 && depth > 0 ? program.chain(own.chain) : undefined;
  if (!chain) return false;
  if (calledIn(chain, program).some((name) => digests.test(name))) return true;
  const returned = program.returnsOf(chain.id);
  if (returned.length > 0) return returned.every((v) => isDigest(v, program, depth - 1));
  return (
    isDigest(chain.receiver, program, depth - 1) ||
    (chain.steps.length === 1 && chain.steps[0]!.arguments?.some((a) => isDigest(a, program, depth - 1)) === true)
  );
}

/** Whether a value is a digest that only who knows a secret can make: by a key, or with a secret among what is digested. */
export function isKeyedDigest(value: Value, program: Program): boolean {
  if (!isDigest(value, program, 4)) return false;
  const own = stripped(value);
  const chain = own.kind === 'result' ? program.chain(own.chain) : undefined;
  const callee = chain && program.calleeOf(chain);
  const made = !chain ? [] : callee ? program.chainsOf(callee.function) : [chain];
  return made.some(
    (c) =>
      calledIn(c, program).some((name) => keyed.test(name)) ||
      c.steps.some((s) => s.arguments?.some((a) => holdsSecret(a, 4))),
  );
}

/** Whether something is put into a value that its name calls a secret of the program. */
function holdsSecret(value: Value, depth: number): boolean {
  const own = stripped(value);
  const name = 'path' in own ? own.path.at(-1) : undefined;
  if (own.kind !== 'parameter' && name !== undefined && isSecret(name)) return true;
  const parts = own.kind === 'text' ? own.parts.flatMap((p) => ('hole' in p ? [p.hole] : [])) : componentsOf(own);
  return depth > 0 && parts.some((v) => holdsSecret(v, depth - 1));
}
