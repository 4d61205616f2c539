import { valueAt, type FunctionFacts, type FunctionId, type Path, type Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { Provenance } from './provenance.js';

/**
 * What a parameter decorator of the program takes from what the client sends: `createParamDecorator((data, context) => ...)`. What it takes
 * from elsewhere of the request, guards have put there; so has one whose body is not in the program.
 */
export function decorated(
  f: FunctionFacts,
  value: Extract<Value, { kind: 'parameter' }>,
  program: Program,
  trace: (value: Value) => readonly Provenance[],
): readonly Provenance[] {
  return (f.parameters[value.index]?.decorators ?? []).flatMap((decorator): readonly Provenance[] => {
    const made = program.resolve(decorator.name);
    const chain = made.kind === 'result' ? program.chain(made.chain) : undefined;
    const root = chain && program.importOf(chain.receiver, 4);
    if (root?.module !== '@nestjs/common' || root.name !== 'createParamDecorator') return [];
    const [reader] = chain?.steps.find((s) => s.arguments !== undefined)?.arguments ?? [];
    const read = reader && program.resolve(reader);
    const returns = read?.kind === 'function' ? (program.function(read.function)?.returns ?? []) : [];
    const all = returns.flatMap((r) =>
      waysOf(r.value).flatMap((one): readonly Provenance[] => {
        const way = valueAt(one, value.path);
        const path = read?.kind === 'function' ? pathFrom(way, read.function, program, 6) : undefined;
        if (!path) return trace(way).map((p) => (p.kind === 'input' ? { ...p, at: f.id } : p));
        const part = path.findIndex((name) => sentParts.has(name));
        if (part < 0) return [{ kind: 'trusted', what: path.join('.'), path: value.path, via: [], at: f.id }];
        return [{ kind: 'input', what: path.slice(part).join('.'), via: [], at: f.id }];
      }),
    );
    // Where a guard puts the same there, the client is not asked.
    const isPut = all.some((p) => p.kind === 'trusted');
    const sent = all.flatMap((p): readonly Provenance[] =>
      p.kind === 'input' ? [isPut ? { ...p, assumed: 'no guard has put it there' } : p] : [],
    );
    return sent.length > 0 ? [...sent, ...all.filter((p) => p.kind === 'trusted')] : [];
  });
}

/** The names that are read, one after the other, from the context that a parameter decorator is handed. */
function pathFrom(value: Value, reader: FunctionId, program: Program, depth: number): Path | undefined {
  const own = program.resolve(value);
  if (own.kind === 'missing-able' || own.kind === 'element') return pathFrom(own.of, reader, program, depth - 1);
  if (own.kind === 'parameter') return own.function === reader && own.index === 1 ? own.path : undefined;
  const chain = own.kind === 'result' && depth > 0 ? program.chain(own.chain) : undefined;
  const before = chain && pathFrom(chain.receiver, reader, program, depth - 1);
  if (!before || own.kind !== 'result') return undefined;
  const called = chain.steps.flatMap((s) => [s.name, ...(s.arguments ?? []).flatMap(textOf)]);
  return [...before, ...called.filter((name) => name !== ''), ...own.path];
}

/** What of a request the client sends; anything else on it was put there. */
const sentParts: ReadonlySet<string> = new Set([
  'body',
  'query',
  'params',
  'headers',
  'cookies',
  'rawBody',
  'hostname',
  'ip',
  'url',
  'get',
  'header',
]);

const textOf = (value: Value): readonly string[] =>
  value.kind === 'constant' && typeof value.value === 'string' ? [value.value] : [];

/** The values that one can be. */
function waysOf(value: Value): readonly Value[] {
  if (value.kind === 'choice') return value.of.flatMap(waysOf);
  if (value.kind === 'missing-able') return waysOf(value.of);
  return value.kind === 'apply' && (value.function === '??' || value.function === '||')
    ? value.to.flatMap(waysOf)
    : [value];
}
