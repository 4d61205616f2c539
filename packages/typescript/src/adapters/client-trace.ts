import { valueAt, type CallChain, type LinkContext, type Step, type TypeName, type Value } from '@tenant-lint/model';
import { packageOf } from './packages.js';

/** How a library's clients come to be; each question is answered with what the client is, or undefined where it is none. */
export interface ClientKinds<T> {
  /** By a declared type. */
  readonly typed?: (type: TypeName) => T | undefined;
  /** A value that a package exports, ready made. */
  readonly exported?: (module: string, name: string) => T | undefined;
  /** `new Name(...)` of a package. */
  readonly constructed?: (module: string, name: string, args: readonly Value[]) => T | undefined;
  /** A call of a package's function. */
  readonly called?: (module: string, name: string, args: readonly Value[]) => T | undefined;
  /** A method (or a property) of a client that gives a client again; '' where the client itself is called. */
  readonly member?: (client: T, name: string) => T | undefined;
  /** What a method of a client hands to a callback. */
  readonly handed?: (client: T, name: string) => T | undefined;
}

const maxDepth = 8;

/** Follows a value through bindings, imports, helpers, branches and callbacks to the client of a library that it is. */
export function traceClient<T>(value: Value, kinds: ClientKinds<T>, context: LinkContext, depth = 0): T | undefined {
  if (depth > maxDepth) return undefined;
  const type = context.typeOf(value);
  const byType = type && kinds.typed?.(type);
  if (byType !== undefined) return byType;
  const again = (v: Value): T | undefined => traceClient(v, kinds, context, depth + 1);
  switch (value.kind) {
    case 'missing-able':
      return again(value.of);
    case 'choice':
      return firstOf(value.of, again);
    case 'apply':
      return ['??', '||', '&&', '??=', '='].includes(value.function) ? firstOf(value.to, again) : undefined;
    case 'instance': {
      const imported = importedName(value.of, context);
      const made = imported && kinds.constructed?.(imported.module, imported.name, value.arguments);
      if (made !== undefined) return made;
      break;
    }
    case 'import': {
      const imported = importedName(value, context);
      const found = imported && kinds.exported?.(imported.module, imported.name);
      if (found !== undefined) return found;
      break;
    }
    case 'parameter': {
      const handed = value.path.length === 0 ? context.function(value.function)?.handedTo : undefined;
      const chain = handed && value.index === 0 ? context.chain(handed.chain) : undefined;
      const step = chain && handed ? chain.steps[handed.step] : undefined;
      if (chain && handed && step) {
        const outer = traceSteps(chain.receiver, chain.steps.slice(0, handed.step), kinds, context, depth + 1);
        const found = outer === undefined ? undefined : kinds.handed?.(outer, step.name);
        if (found !== undefined) return found;
      }
      // What a wrapper of the program calls its callback with.
      const supplied = handed ? firstOf(context.supplied?.(value) ?? [], again) : undefined;
      if (supplied !== undefined) return supplied;
      break;
    }
    case 'result': {
      const chain = value.path.length === 0 ? context.chain(value.chain) : undefined;
      const found = chain && ofChain(chain, kinds, context, depth);
      if (found !== undefined) return found;
      break;
    }
    default:
  }
  if ('path' in value && value.path.length > 0) {
    const owner = { ...value, path: value.path.slice(0, -1) } as Value;
    const outer = kinds.member && traceClient(owner, kinds, context, depth + 1);
    const found = outer === undefined ? undefined : kinds.member?.(outer, value.path.at(-1)!);
    if (found !== undefined) return found;
  }
  const resolved = context.resolve(value);
  return resolved !== value && JSON.stringify(resolved) !== JSON.stringify(value) ? again(resolved) : undefined;
}

/** The client that property reads and calls on a value give. */
export function traceSteps<T>(
  base: Value,
  steps: readonly Step[],
  kinds: ClientKinds<T>,
  context: LinkContext,
  depth = 0,
): T | undefined {
  if (depth > maxDepth) return undefined;
  const last = steps.at(-1);
  if (!last) return traceClient(base, kinds, context, depth + 1);
  const before = steps.slice(0, -1);
  if (kinds.member && (last.name !== '' || last.arguments)) {
    const outer = traceSteps(base, before, kinds, context, depth + 1);
    const found = outer === undefined ? undefined : kinds.member(outer, last.name);
    if (found !== undefined) return found;
  }
  if (before.some((s) => s.arguments)) return undefined;
  const read = valueAt(
    base,
    steps.flatMap((s) => (s.name === '' ? [] : [s.name])),
  );
  if (!last.arguments) return traceClient(read, kinds, context, depth + 1);
  const imported = importedName(read, context);
  const made = imported && kinds.called?.(imported.module, imported.name, last.arguments);
  if (made !== undefined) return made;
  const callee = context.resolve(read);
  if (callee.kind !== 'function') return undefined;
  const returns = context.function(callee.function)?.returns ?? [];
  return firstOf(
    returns.map((r) => r.value),
    (v) => traceClient(v, kinds, context, depth + 1),
  );
}

const ofChain = <T>(chain: CallChain, kinds: ClientKinds<T>, context: LinkContext, depth: number): T | undefined =>
  chain.steps.some((s) => s.arguments) ? traceSteps(chain.receiver, chain.steps, kinds, context, depth + 1) : undefined;

const firstOf = <T>(values: readonly Value[], ask: (value: Value) => T | undefined): T | undefined =>
  values.map(ask).find((found) => found !== undefined);

/** The package and the exported name that a value is imported by; a default export is called by its package. */
export function importedName(value: Value, context: LinkContext): { module: string; name: string } | undefined {
  for (const v of [value, context.resolve(value)]) {
    if (v.kind !== 'import') continue;
    const names = v.name === '*' || v.name === 'default' ? v.path : [v.name, ...v.path];
    if (names.length <= 1) return { module: packageOf(v.module), name: names[0] ?? 'default' };
  }
  return undefined;
}
