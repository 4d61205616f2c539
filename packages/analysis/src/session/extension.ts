import { propertyOf, type FunctionId, type Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';

/** What is handed to `$extends`: an object, or what `defineExtension` makes of one, or of a function that extends the client again. */
export function extensionOf(argument: Value, program: Program, depth = 6): Value | undefined {
  const value = program.resolve(argument);
  if (depth <= 0) return undefined;
  if (value.kind === 'object') return value;
  if (value.kind === 'function') {
    const returned = program.function(value.function)?.returns ?? [];
    return returned.length === 1 ? extensionOf(returned[0]!.value, program, depth - 1) : undefined;
  }
  if (value.kind !== 'result' || value.path.length > 0) return undefined;
  const chain = program.chain(value.chain);
  const last = chain?.steps.findLast((s) => s.arguments !== undefined);
  if (!chain || !last) return undefined;
  if (last.name === 'defineExtension' || last.name === '$extends')
    return last.arguments?.[0] && extensionOf(last.arguments[0], program, depth - 1);
  const [returned, ...others] = program.returnsOf(value.chain);
  return returned && others.length === 0 ? extensionOf(returned, program, depth - 1) : undefined;
}

/**
 * The function of an extension that an operation goes through on every model, undefined where there is none. Raw queries go only through
 * `$allOperations` of the client itself, and not through those of models.
 */
export function wrappingFunction(argument: Value, method: string, program: Program): FunctionId | undefined {
  const extension = extensionOf(argument, program);
  const query = extension && program.resolve(propertyOf(extension, 'query'));
  if (query?.kind !== 'object') return undefined;
  const models = program.resolve(propertyOf(query, '$allModels'));
  const own = method.startsWith('$') ? propertyOf(query, method) : propertyOf(models, method);
  const all = method.startsWith('$') ? undefined : propertyOf(models, '$allOperations');
  for (const candidate of [own, all, propertyOf(query, '$allOperations')]) {
    const value = candidate && program.resolve(candidate);
    if (value?.kind === 'function') return value.function;
  }
  return undefined;
}
