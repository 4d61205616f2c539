import { sameValue, type CallChain, type FunctionId, type Path, type Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import { decoders, inputSources, signatures, textDecoders, transformers, trustedSources } from '../trust/sources.js';
import type { Provenance } from './provenance.js';

/** How far the import is followed that a callee goes back to. */
const maxDepth = 16;

/** What a library guarantees about the result of a call, by the import that the callee goes back to. */
export function libraryProvenance(chain: CallChain, path: Path, program: Program): Provenance | undefined {
  const root = program.importOf(chain.receiver, maxDepth);
  if (!root) return undefined;
  const step = chain.steps.find((s) => s.arguments !== undefined);
  if (inputSources.some((s) => s.modules.test(root.module) && s.exports.includes(root.name))) {
    const argument = chain.steps.findLast((s) => s.arguments !== undefined)?.arguments?.[0];
    return {
      kind: 'input',
      what: root.name,
      via: [],
      at: chain.function,
      span: chain.span,
      ...(argument ? namedBy(argument) : {}),
    };
  }
  if (decoders.some((s) => s.modules.test(root.module) && isCalled(s, root.name, chain)))
    return { kind: 'input', what: calledName(chain), via: [], at: chain.function, span: chain.span, decoded: true };
  for (const source of trustedSources) {
    if (!source.modules.test(root.module)) continue;
    if (!isCalled(source, root.name, chain)) continue;
    if (source.except?.some((e) => e.some((name) => path.includes(name))))
      return { kind: 'input', what: `${root.name}.${path.join('.')}`, via: [] };
    return {
      kind: 'trusted',
      what: `${root.name}${step && step.name !== '' ? `.${step.name}` : ''} of ${root.module}`,
      path,
      via: [],
    };
  }
  return undefined;
}

/** Whether a function, or what it calls, computes or compares a signature. */
export function verifies(id: FunctionId, program: Program, depth: number): boolean {
  if (depth <= 0) return false;
  return program.chainsOf(id).some((chain) => {
    const root = program.importOf(chain.receiver, 4);
    const isSignature = signatures.some(
      (s) => root !== undefined && s.modules.test(root.module) && isCalled(s, root.name, chain),
    );
    const callee = isSignature ? undefined : program.calleeOf(chain);
    return isSignature || (callee !== undefined && verifies(callee.function, program, depth - 1));
  });
}

/** The text that a call decodes without a check: `atob(x)`, `Buffer.from(x, 'base64url')`. */
export function decodedText(chain: CallChain): Value | undefined {
  const { receiver, steps } = chain;
  if (receiver.kind !== 'global') return undefined;
  const step = steps.find((s) => s.arguments !== undefined);
  const called = [receiver.name, ...receiver.path, ...(step && step.name !== '' ? [step.name] : [])].join('.');
  const decoder = textDecoders.find((d) => d.called === called);
  const [text, encoding] = step?.arguments ?? [];
  if (!decoder || !text) return undefined;
  return !decoder.encodings || (encoding?.kind === 'constant' && decoder.encodings.includes(String(encoding.value)))
    ? text
    : undefined;
}

/** The bytes that a call makes text of, or the parts it puts together: `new TextDecoder().decode(bytes)`, `Buffer.concat(chunks)`. */
export function readBytes(chain: CallChain, program: Program): Value | undefined {
  const [first] = chain.steps;
  const argument = first?.arguments?.[0];
  if (first?.name === 'decode') {
    const made = program.resolve(chain.receiver);
    return made.kind === 'instance' && made.of.kind === 'global' && made.of.name === 'TextDecoder'
      ? ((argument && filledWith(argument, chain, program)) ?? argument)
      : undefined;
  }
  const { receiver } = chain;
  return receiver.kind === 'global' && receiver.name === 'Buffer' && first?.name === 'concat' ? argument : undefined;
}

/** What is copied into an array of bytes that was made by its length: `bytes.set(chunk, offset)`. */
function filledWith(bytes: Value, { function: f }: CallChain, program: Program): Value | undefined {
  if (bytes.kind !== 'instance' || bytes.of.kind !== 'global' || bytes.of.name !== 'Uint8Array') return undefined;
  const copied = program
    .chainsOf(f)
    .filter((c) => c.steps[0]?.name === 'set' && sameValue(c.receiver, bytes))
    .flatMap((c) => c.steps[0]?.arguments?.[0] ?? []);
  return copied.length > 0 ? { kind: 'list', of: copied.map((value) => ({ value })) } : undefined;
}

/** The argument that a library only brings into another form: `plainToInstance(Command, data)`. */
export function transformed(chain: CallChain, program: Program): Value | undefined {
  const root = program.importOf(chain.receiver, 4);
  const found =
    root && transformers.find((t) => t.modules.test(root.module) && isCalled(t, calledBy(chain) ?? root.name, chain));
  return found && chain.steps.findLast((s) => s.arguments !== undefined)?.arguments?.[found.argument];
}

/** Whether a chain calls what a list names: an export itself, or a method of what it stands for. */
function isCalled(
  source: { readonly exports: readonly string[]; readonly methods?: readonly string[] },
  root: string,
  chain: CallChain,
): boolean {
  if (!source.exports.includes(root)) return false;
  const { methods } = source;
  return !methods || methods.includes(root) || chain.steps.some((s) => methods.includes(s.name));
}

/** The name of the export that is called on a namespace. */
const calledBy = ({ steps }: CallChain): string | undefined =>
  steps.find((s) => s.arguments !== undefined)?.name || undefined;

/** What a chain calls, as code writes it. */
export function calledName({ receiver, steps }: CallChain): string {
  const called = steps.slice(0, steps.findIndex((s) => s.arguments !== undefined) + 1);
  return [nameOf(receiver) ?? '', ...called.map((s) => s.name)].filter((n) => n !== '').join('.');
}

/** The name under which something is read from the request. */
export const namedBy = (argument: Value): { named?: string } =>
  argument.kind === 'constant' && typeof argument.value === 'string' ? { named: argument.value } : {};

export const nameOf = (value: Value): string | undefined =>
  'name' in value && typeof value.name === 'string' ? value.name : undefined;
