import type { Span, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import { stripped } from './conditions.js';

/** A constant that can take the place of a value. `null` where it is NULL; `environment`: what a variable of the environment says. */
export interface Stopgap {
  readonly value: string | number | boolean | null;
  readonly environment: boolean;
  /** The expression that puts it in, where it shows its place. */
  readonly span?: Span;
}

export interface Stopgaps {
  readonly found: readonly Stopgap[];
  /** Whether the value may be anything but a constant. */
  readonly open: boolean;
}

const maxDepth = 12;
const anything: Stopgaps = { found: [], open: true };

/** The constants that a value is where something else is missing: `orgId ?? 'default'`, a default of a parameter, the last return of a helper. */
export function stopgapsOf(value: Value, program: Program): Stopgaps {
  return search(value, program, maxDepth, undefined);
}

function search(given: Value, program: Program, depth: number, span: Span | undefined): Stopgaps {
  const value = stripped(given);
  if (depth <= 0 || program.isModuleState(value)) return anything;
  const inner = (v: Value, at = span): Stopgaps => search(v, program, depth - 1, at);
  switch (value.kind) {
    case 'constant':
      return { found: [{ value: value.value, environment: false, ...(span ? { span } : {}) }], open: false };
    case 'undefined':
      return { found: [], open: false };
    case 'global':
      return isEnvironment(value)
        ? { found: [{ value: value.path.join('.'), environment: true, ...(span ? { span } : {}) }], open: false }
        : anything;
    case 'text':
      return value.parts.every((p) => 'text' in p)
        ? inner({ kind: 'constant', value: value.parts.map((p) => ('text' in p ? p.text : '')).join('') })
        : anything;
    case 'apply': {
      if (value.function === '??' || value.function === '||') return joined(value.to.map((v) => inner(v, value.span)));
      const [only] = value.to;
      return only && value.function.startsWith('cast:') ? inner(only) : anything;
    }
    case 'choice': {
      // What the environment decides is decided before the program runs.
      const parts = value.of.map((v) => inner(v));
      if (!value.test || !mentionsEnvironment(value.test, program, 4)) return joined(parts);
      const rest = parts.filter((p) => p.open);
      return rest.length > 0 ? joined(rest) : joined(parts);
    }
    case 'parameter': {
      const f = program.function(value.function);
      const parameter = f?.parameters[value.index];
      if (value.path.length > 0 || parameter?.default === undefined) return anything;
      return joined([inner(parameter.default, f?.span), anything]);
    }
    case 'result': {
      const returns = program.returnsOf(value.chain);
      if (returns.length === 0) return anything;
      return joined(returns.map((r) => inner(value.path.length === 0 ? r : at(r, value.path), spanIn(r) ?? span)));
    }
    case 'binding':
    case 'import':
    case 'this':
    case 'element': {
      const resolved = program.resolve(value);
      return resolved === value ? anything : inner(resolved);
    }
    default:
      return anything;
  }
}

const at = (value: Value, path: readonly string[]): Value =>
  'path' in value ? { ...value, path: [...value.path, ...path] } : { kind: 'element', of: value, path };

const spanIn = (value: Value): Span | undefined => ('span' in value ? value.span : undefined);

const joined = (parts: readonly Stopgaps[]): Stopgaps => ({
  found: parts.flatMap((p) => p.found),
  open: parts.some((p) => p.open),
});

const isEnvironment = (value: Extract<Value, { kind: 'global' }>): boolean =>
  (value.name === 'process' || value.name === 'import.meta' || value.name === 'Bun') && value.path[0] === 'env';

function mentionsEnvironment(value: Value, program: Program, depth: number): boolean {
  const own = stripped(program.resolve(stripped(value)));
  if (depth <= 0) return false;
  if (own.kind === 'global') return isEnvironment(own);
  return own.kind === 'apply' && own.to.some((v) => mentionsEnvironment(v, program, depth - 1));
}
