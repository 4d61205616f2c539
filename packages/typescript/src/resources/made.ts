import type { CallChain, LowerContext, Value } from '@tenant-lint/model';

/** The package and export that a value goes back to, through instances and calls: `new S3Client()`, `createClient()`. */
export function madeBy(
  value: Value,
  context: LowerContext,
  depth = 0,
): { readonly module: string; readonly name: string } | undefined {
  if (depth > 6) return undefined;
  const resolved = context.resolve(value.kind === 'missing-able' ? value.of : value);
  switch (resolved.kind) {
    case 'import':
      return {
        module: resolved.module,
        name:
          resolved.name === 'default' || resolved.name === '*' ? (resolved.path[0] ?? resolved.name) : resolved.name,
      };
    case 'instance':
      return madeBy(resolved.of, context, depth + 1);
    case 'element':
      return madeBy(resolved.of, context, depth + 1);
    case 'result': {
      const chain = context.chain(resolved.chain);
      return chain && madeBy(chain.receiver, context, depth + 1);
    }
    case 'parameter':
    case 'this': {
      const type = context.typeOf(resolved);
      return type?.name ? madeBy(type.name, context, depth + 1) : undefined;
    }
    default:
      return undefined;
  }
}

/** The last step that is called, and what it is called on. */
export const lastCall = (chain: CallChain): CallChain['steps'][number] | undefined =>
  chain.steps.findLast((s) => s.arguments !== undefined);
