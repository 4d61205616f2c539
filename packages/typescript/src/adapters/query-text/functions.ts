import type { FunctionId, Value } from '@tenant-lint/model';
import type { Build } from './build.js';

/** A property of a value that is not evaluated any further. */
export const withName = (value: Value, name: string): Value =>
  'path' in value ? { ...value, path: [...value.path, name] } : { kind: 'element', of: value, path: [name] };

/** The function that a value is, also one that a call of the program returns: `$call(withTenant(id))`. */
export function functionOf(given: Value, build: Build): FunctionId | undefined {
  const value = build.resolved(given);
  if (value.kind === 'function') return value.function;
  if (value.kind !== 'result' || value.path.length > 0) return undefined;
  const chain = build.context.chain(value.chain);
  const step = chain?.steps.at(-1);
  if (!chain || !step?.arguments || chain.steps.length > 2) return undefined;
  const read = chain.steps.reduce<Value>((v, s) => (s.name === '' ? v : withName(v, s.name)), chain.receiver);
  const maker = build.resolved(read);
  const f = maker.kind === 'function' ? build.context.function(maker.function) : undefined;
  const [returned] = f?.returns ?? [];
  if (!f || f.returns.length !== 1 || returned?.value.kind !== 'function') return undefined;
  build.called(f.id, step.arguments);
  return returned.value.function;
}
