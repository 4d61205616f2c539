import {
  propertyOf,
  valueAt,
  type CallChain,
  type Client,
  type LinkContext,
  type Step,
  type Value,
} from '@tenant-lint/model';
import { packageOf } from '../packages.js';
import { flatten } from './chain.js';

/** What is known of a client: how it connects, and the schema that it was made for. */
export interface Provenance {
  readonly kind: Client['kind'];
  readonly policies?: 'hold' | 'perhaps';
  readonly schema?: string;
}

const ofCaller: Provenance = { kind: 'plain', policies: 'hold' };
const undecided: Provenance = { kind: 'plain', policies: 'perhaps' };
const bypassing: Provenance = { kind: 'bypass' };

/** Functions that make a client, with the position of the key; without one they take it, the public one, from the environment. */
const factories: Readonly<Record<string, number | undefined>> = {
  createClient: 1,
  createServerClient: 1,
  createBrowserClient: 1,
  createServerComponentClient: undefined,
  createClientComponentClient: undefined,
  createRouteHandlerClient: undefined,
  createMiddlewareClient: undefined,
  createServerActionClient: undefined,
  createPagesServerClient: undefined,
  createPagesBrowserClient: undefined,
  createServerSupabaseClient: undefined,
  createBrowserSupabaseClient: undefined,
  createMiddlewareSupabaseClient: undefined,
  useSupabaseClient: undefined,
  serverSupabaseClient: undefined,
};

const typeWord = /\b(?:SupabaseClient|PostgrestClient)\b/;
const secretWord = /service_?-?role|secret|service_?key|sb_secret_/i;
const publicWord = /anon|publishable|public_|vite_/i;

const isModule = (module: string): boolean =>
  /^@supabase\//.test(packageOf(module)) || /^(?:#supabase\/|@nuxtjs\/supabase)/.test(module);

/** Follows a value to the call that makes the client; undefined where it is none, or is not found. */
export function clientOf(value: Value, context: LinkContext, depth = 0): Provenance | undefined {
  if (depth > 8) return undefined;
  const type = context.typeOf(value);
  if (type && typeWord.test(type.text)) return undecided;
  switch (value.kind) {
    case 'missing-able':
      return clientOf(value.of, context, depth + 1);
    case 'choice':
      return oneOf(value.of, context, depth);
    case 'apply':
      return ['??', '||', '&&', '='].includes(value.function) ? oneOf(value.to, context, depth) : undefined;
    case 'instance': {
      const imported = importOf(value.of, context);
      if (!imported || !isModule(imported.module)) break;
      if (imported.name === 'SupabaseClient') return byKey(value.arguments, 1, context);
      return imported.name === 'PostgrestClient' ? withSchema(undecided, value.arguments[1], context) : undefined;
    }
    case 'result': {
      const chain = value.path.length === 0 ? context.chain(value.chain) : undefined;
      const found = chain && ofChain(chain, context, depth);
      if (found) return found;
      break;
    }
    default:
  }
  const resolved = context.resolve(value);
  return resolved !== value && JSON.stringify(resolved) !== JSON.stringify(value)
    ? clientOf(resolved, context, depth + 1)
    : undefined;
}

/** The client that the steps before a query make: reads, a call of a factory, `.schema(name)`. */
export function clientOfSteps(
  base: Value,
  steps: readonly Step[],
  context: LinkContext,
  depth = 0,
): Provenance | undefined {
  const last = steps.at(-1);
  if (!last?.arguments)
    return clientOf(
      valueAt(
        base,
        steps.map((s) => s.name),
      ),
      context,
      depth + 1,
    );
  if (last.name === 'schema') {
    const before = clientOfSteps(base, steps.slice(0, -1), context, depth + 1);
    const [name] = last.arguments;
    const resolved = name && context.resolve(name);
    return before && resolved?.kind === 'constant' ? { ...before, schema: String(resolved.value) } : before;
  }
  if (steps.slice(0, -1).some((s) => s.arguments)) return undefined;
  const names = steps.flatMap((s) => (s.name === '' ? [] : [s.name]));
  return ofCall(valueAt(base, names), last.arguments, context, depth);
}

function ofChain(chain: CallChain, context: LinkContext, depth: number): Provenance | undefined {
  const { base, steps } = flatten(chain);
  return steps.some((s) => s.arguments) ? clientOfSteps(base, steps, context, depth) : undefined;
}

/** A call of a factory of the library, or of a function of the program that returns a client. */
function ofCall(callee: Value, args: readonly Value[], context: LinkContext, depth: number): Provenance | undefined {
  // Nuxt imports its composables by itself.
  if (callee.kind === 'global' && callee.path.length === 0 && callee.name === 'useSupabaseClient') return ofCaller;
  const imported = importOf(callee, context);
  if (imported && isModule(imported.module)) {
    if (/ServiceRole$/.test(imported.name)) return bypassing;
    if (!Object.hasOwn(factories, imported.name)) return undefined;
    const at = factories[imported.name];
    if (at !== undefined) return byKey(args, at, context);
    return args.some((a) => words(propertyOf(a, 'supabaseKey'), context, 0).some((w) => secretWord.test(w)))
      ? bypassing
      : ofCaller;
  }
  const resolved = context.resolve(callee);
  if (resolved.kind !== 'function') return undefined;
  const returns = context.function(resolved.function)?.returns ?? [];
  return oneOf(
    returns.map((r) => r.value),
    context,
    depth,
  );
}

/** One of several: as far as they agree; one that bypasses policies decides. */
function oneOf(values: readonly Value[], context: LinkContext, depth: number): Provenance | undefined {
  const found = values.flatMap((v) => clientOf(v, context, depth + 1) ?? []);
  return found.find((f) => f.kind === 'bypass') ?? found.find((f) => f.policies === 'perhaps') ?? found[0];
}

/** What the key and the options of `createClient(url, key, options)` make of a client. */
function byKey(args: readonly Value[], at: number, context: LinkContext): Provenance {
  const key = args[at];
  const options = args[at + 1];
  const own = options && (options.kind === 'object' ? options : context.resolve(options));
  const keyWords = key ? words(key, context, 0) : [];
  const secret = keyWords.some((w) => secretWord.test(w));
  const header = own && propertyOf(propertyOf(propertyOf(own, 'global'), 'headers'), 'Authorization');
  const carries =
    own !== undefined &&
    (propertyOf(own, 'accessToken').kind === 'function' ||
      (header !== undefined &&
        header.kind !== 'undefined' &&
        header.kind !== 'unknown' &&
        !words(header, context, 0).some((w) => secretWord.test(w) || (publicWord.test(w) && /key/i.test(w)))));
  const found: Provenance = carries
    ? ofCaller
    : secret
      ? bypassing
      : keyWords.some((w) => publicWord.test(w))
        ? ofCaller
        : undecided;
  return withSchema(found, own && propertyOf(own, 'db'), context);
}

function withSchema(found: Provenance, options: Value | undefined, context: LinkContext): Provenance {
  const named = options && context.resolve(propertyOf(options, 'schema'));
  return named?.kind === 'constant' && typeof named.value === 'string' && named.value !== 'public'
    ? { ...found, schema: named.value }
    : found;
}

/** The names and texts in a value, as far as they tell which key it is; a token says its role itself. */
function words(value: Value, context: LinkContext, depth: number): readonly string[] {
  if (depth > 5) return [];
  const own = ((): readonly string[] => {
    switch (value.kind) {
      case 'constant':
        return typeof value.value === 'string' ? [roleOfToken(value.value) ?? value.value] : [];
      case 'missing-able':
      case 'element':
        return [...words(value.of, context, depth + 1), ...('path' in value ? value.path : [])];
      case 'choice':
        return value.of.flatMap((v) => words(v, context, depth + 1));
      case 'apply':
        return value.to.flatMap((v) => words(v, context, depth + 1));
      case 'text':
        return value.parts.flatMap((p) => ('hole' in p ? words(p.hole, context, depth + 1) : [p.text]));
      case 'result': {
        const chain = context.chain(value.chain);
        return (chain?.steps ?? []).flatMap((s) => [
          s.name,
          ...(s.arguments ?? []).flatMap((a) => words(a, context, depth + 1)),
        ]);
      }
      case 'parameter': {
        const name = context.function(value.function)?.parameters[value.index]?.name;
        return [...(name === undefined ? [] : [name]), ...value.path];
      }
      default:
        return [...('name' in value ? [value.name] : []), ...('path' in value ? value.path : [])];
    }
  })();
  const resolved = value.kind === 'binding' || value.kind === 'import' ? context.resolve(value) : value;
  return resolved.kind === value.kind ? own : [...own, ...words(resolved, context, depth + 1)];
}

/** The role that a key of the older kind, a signed token, is issued for. */
function roleOfToken(text: string): string | undefined {
  const payload = /^eyJ[\w-]*\.(eyJ[\w-]+)\./.exec(text)?.[1];
  if (payload === undefined) return undefined;
  try {
    const role = (JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { role?: unknown }).role;
    return typeof role === 'string' ? role : undefined;
  } catch {
    return undefined;
  }
}

/** The import that a value is, with one name. */
function importOf(value: Value, context: LinkContext): { module: string; name: string } | undefined {
  for (const v of [value, context.resolve(value)]) {
    if (v.kind !== 'import') continue;
    const name = v.name === '*' || v.name === 'default' ? v.path[0] : v.path.length === 0 ? v.name : undefined;
    if (name !== undefined) return { module: v.module, name };
  }
  return undefined;
}
