import type { Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';

/** A value of the environment, or one made with it: read directly, or out of what validated it as a whole. */
export function isEnvironment(value: Value, program: Program, depth = 7): boolean {
  if (depth <= 0) return false;
  const again = (v: Value): boolean => isEnvironment(v, program, depth - 1);
  switch (value.kind) {
    case 'global':
      return value.name === 'process' && value.path[0] === 'env';
    case 'text':
      return value.parts.some((p) => 'hole' in p && again(p.hole));
    case 'missing-able':
    case 'element':
      return again(value.of);
    case 'apply':
      return value.to.some(again);
    case 'object':
      return value.entries.some((e) => again('spread' in e ? e.spread : e.value));
    case 'binding':
    case 'import': {
      const resolved = program.resolve(value);
      return resolved !== value && again(resolved);
    }
    case 'result': {
      const chain = program.chain(value.chain);
      if (!chain) return false;
      return chain.steps.some((s) => s.arguments?.some(again)) || program.returnsOf(chain.id).some(again);
    }
    default:
      return false;
  }
}
