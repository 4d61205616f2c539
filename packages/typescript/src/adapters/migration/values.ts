import {
  keyOfValue,
  mapValue,
  propertyOf,
  truthinessOf,
  valueAt,
  unknownValue,
  type CallChain,
  type FunctionFacts,
  type FunctionId,
  type LinkContext,
  type Value,
  type ValueOf,
} from '@tenant-lint/model';

/** What parameters and loop variables are where a statement runs. */
export interface Environment {
  readonly arguments: ReadonlyMap<FunctionId, readonly Value[]>;
  /** The item of the round, by the list that is gone through. */
  readonly items: ReadonlyMap<string, Value>;
}

export const emptyEnvironment: Environment = { arguments: new Map(), items: new Map() };

export const withArguments = (env: Environment, id: FunctionId, args: readonly Value[]): Environment => ({
  ...env,
  arguments: new Map(env.arguments).set(id, args),
});
export const withItem = (env: Environment, list: Value, item: Value): Environment => ({
  ...env,
  items: new Map(env.items).set(keyOfValue(list), item),
});

const maxDepth = 40;
const maxItems = 2000;

/** The object that a migration tool hands to the migration, and what it makes. */
export const marker = (name: string): Value => ({ kind: 'global', name: `@${name}`, path: [] });
export const isMarker = (value: Value, name: string): value is ValueOf<'global'> =>
  value.kind === 'global' && value.name === `@${name}`;
/** A file that the program reads; the path is the only entry. */
export const fileMarker = (path: string): Value => ({ kind: 'global', name: '@file', path: [path] });

/** Names by which the tools call PostgreSQL, and the other databases they know. */
const postgresNames = new Set([
  'pg',
  'postgres',
  'postgresql',
  'pgsql',
  'pgnative',
  'pglite',
  'cockroachdb',
  'redshift',
]);
const otherNames = new Set([
  ...['mysql', 'mysql2', 'mariadb', 'sqlite', 'sqlite3', 'better-sqlite3', 'better-sqlite', 'mssql', 'oracle'],
  ...['oracledb', 'db2', 'snowflake', 'libsql', 'turso'],
]);

/** Works out values as far as the program alone decides them; everything else stays what it is. Bounded, never throws. */
export class Values {
  readonly #context: LinkContext;

  constructor(context: LinkContext) {
    this.#context = context;
  }

  /** The value with parameters and loop variables replaced. */
  substitute(value: Value, env: Environment): Value {
    if (env.arguments.size === 0 && env.items.size === 0) return value;
    return mapValue(value, (v) => this.#item(this.#argument(v, env), env));
  }

  #argument(value: Value, env: Environment): Value {
    if (value.kind !== 'parameter') return value;
    const args = env.arguments.get(value.function);
    if (!args) return value;
    const parameter = this.#context.function(value.function)?.parameters[value.index];
    if (parameter?.rest)
      return valueAt({ kind: 'list', of: args.slice(value.index).map((v) => ({ value: v })) }, value.path);
    const given = args[value.index];
    const used =
      given === undefined || given.kind === 'undefined'
        ? (parameter?.default ?? { kind: 'undefined' as const })
        : given;
    return valueAt(used, value.path);
  }

  #item(value: Value, env: Environment): Value {
    if (env.items.size === 0 || !('path' in value)) return value;
    for (let at = value.path.lastIndexOf('*'); at >= 0; at = at === 0 ? -1 : value.path.lastIndexOf('*', at - 1)) {
      const base: Value =
        value.kind === 'element' && at === 0 ? value.of : ({ ...value, path: value.path.slice(0, at) } as Value);
      const item = env.items.get(keyOfValue(base));
      if (item) return this.#item(valueAt(item, value.path.slice(at + 1)), env);
    }
    return value;
  }

  /** What a value is. Texts and operators over constants are constants, lists have no spreads that are known. */
  evaluate(value: Value, env: Environment, depth = 0): Value {
    if (depth > maxDepth) return unknownValue('nested too deeply');
    const next = (v: Value): Value => this.evaluate(v, env, depth + 1);
    const v = this.substitute(value, env);
    switch (v.kind) {
      case 'missing-able':
        return next(v.of);
      case 'text': {
        const parts = v.parts.map((part) => ('text' in part ? part : { ...part, hole: next(part.hole) }));
        const texts = parts.map((part) => ('text' in part ? part.text : plain(part.hole)));
        return texts.every((t) => t !== undefined) ? { kind: 'constant', value: texts.join('') } : { ...v, parts };
      }
      case 'list':
        return this.#list(v, next);
      case 'apply':
        return this.#apply(v, next);
      case 'choice': {
        const test = v.test && truthinessOf(next(v.test));
        if (test !== undefined) return next((test ? v.of[0] : v.of[1]) ?? { kind: 'undefined' });
        // `x ?? 'default'` where x is surely missing.
        return v;
      }
      case 'result':
        return this.#result(v, env, depth);
      case 'element': {
        const of = next(v.of);
        const read = readPath(of, v.path);
        return read.kind === 'element' && keyOfValue(read) === keyOfValue(v) ? v : next(read);
      }
      case 'binding':
      case 'import':
      case 'this': {
        const resolved = this.#context.resolve(v);
        return resolved === v || keyOfValue(resolved) === keyOfValue(v) ? this.#through(v, next) : next(resolved);
      }
      default:
        return v;
    }
  }

  /** The base of a path whose resolution ended at a call: `const T = Object.keys(X); T[0]`. */
  #through(v: ValueOf<'binding' | 'import' | 'this'>, next: (v: Value) => Value): Value {
    for (let length = v.path.length - 1; length >= 0; length--) {
      const base: Value = { ...v, path: v.path.slice(0, length) };
      const resolved = this.#context.resolve(base);
      if (resolved === base || resolved.kind === 'unknown') continue;
      const found = next(resolved);
      if (found.kind === 'list' || found.kind === 'object') return next(readPath(found, v.path.slice(length)));
    }
    return v;
  }

  #list(v: ValueOf<'list'>, next: (v: Value) => Value): Value {
    if (!v.of.some((item) => item.spread || item.maybe)) return v;
    return {
      ...v,
      of: v.of.flatMap((item) => {
        if (item.spread) {
          const inner = next(item.value);
          return inner.kind === 'list' && inner.of.length < maxItems ? inner.of : [item];
        }
        return [item];
      }),
    };
  }

  #apply(v: ValueOf<'apply'>, next: (v: Value) => Value): Value {
    const to = v.to.map(next);
    const [left, right] = to;
    if (!left) return v;
    switch (v.function) {
      case '+': {
        const values = to.map((t) => (t.kind === 'constant' ? t.value : undefined));
        if (values.some((t) => t === undefined)) return { ...v, to };
        return values.every((t) => typeof t === 'number')
          ? { kind: 'constant', value: values.reduce((sum, t) => sum + t, 0) }
          : { kind: 'constant', value: values.map(String).join('') };
      }
      case '!': {
        const holds = truthinessOf(left);
        return holds === undefined ? { ...v, to } : { kind: 'constant', value: !holds };
      }
      case '&&':
      case '||': {
        const holds = truthinessOf(left);
        if (holds === undefined)
          return right && truthinessOf(right) === (v.function === '||') && right.kind === 'constant'
            ? right
            : { ...v, to };
        return holds === (v.function === '&&') ? (right ?? left) : left;
      }
      case '??':
        if (left.kind === 'undefined' || (left.kind === 'constant' && left.value === null)) return right ?? left;
        return left.kind === 'constant' || left.kind === 'list' || left.kind === 'object' ? left : { ...v, to };
      case '===':
      case '==':
      case '!==':
      case '!=': {
        const same = right && this.#equal(left, right);
        return same === undefined ? { ...v, to } : { kind: 'constant', value: same === v.function.startsWith('=') };
      }
      case 'await':
      case 'cast':
        return left;
      default:
        return { ...v, to };
    }
  }

  #equal(left: Value, right: Value): boolean | undefined {
    if (left.kind === 'constant' && right.kind === 'constant') return left.value === right.value;
    // Which database it is: the question is whether it is this one.
    const [name, other] = left.kind === 'constant' ? [left, right] : [right, left];
    if (name.kind !== 'constant' || typeof name.value !== 'string' || other.kind === 'constant') return undefined;
    const word = name.value.toLowerCase();
    return postgresNames.has(word) ? true : otherNames.has(word) ? false : undefined;
  }

  #result(v: ValueOf<'result'>, env: Environment, depth: number): Value {
    const chain = this.#context.chain(v.chain);
    const made = chain && this.call(chain, env, depth);
    return made ? this.evaluate(readPath(made, v.path), env, depth + 1) : v;
  }

  /** What the calls of a chain evaluate to; undefined where one of them is not known. */
  call(chain: CallChain, env: Environment, depth = 0): Value | undefined {
    let at: Value = this.evaluate(chain.receiver, env, depth + 1);
    let names: string[] = [];
    for (const step of chain.steps) {
      if (step.name !== '') names = [...names, step.name];
      if (step.arguments === undefined) continue;
      const args = (): Value[] => step.arguments!.map((a) => this.evaluate(a, env, depth + 1));
      const method = names.at(-1);
      const on = names.length > 0 ? this.evaluate(readPath(at, names.slice(0, -1)), env, depth + 1) : at;
      const result =
        this.#pure(on, method, args, env, depth) ?? this.#own(readPath(at, names), step.arguments, env, depth);
      if (!result) return undefined;
      at = result;
      names = [];
    }
    return names.length > 0 ? this.evaluate(readPath(at, names), env, depth + 1) : at;
  }

  /** A function of the program with one return. */
  #own(callee: Value, args: readonly Value[], env: Environment, depth: number): Value | undefined {
    const target = this.functionOf(callee, env);
    if (!target || target.returns.length !== 1) return undefined;
    const given = args.map((a) => this.substitute(a, env));
    return this.evaluate(target.returns[0]!.value, withArguments(env, target.id, given), depth + 1);
  }

  functionOf(value: Value, env: Environment): FunctionFacts | undefined {
    const found = this.evaluate(value, env);
    return found.kind === 'function' ? this.#context.function(found.function) : undefined;
  }

  /** Built-in functions over values that are known. */
  #pure(
    on: Value,
    method: string | undefined,
    args: () => Value[],
    env: Environment,
    depth: number,
  ): Value | undefined {
    if (on.kind === 'constant' && typeof on.value === 'string' && method !== undefined)
      return onText(on.value, method, args());
    if (on.kind === 'list' && method !== undefined) return this.#onList(on, method, args(), env, depth);
    if (on.kind === 'global' && on.name === '@file') return method === 'toString' || method === 'trim' ? on : undefined;
    if (on.kind === 'global' && on.path.length === 0) {
      const [first] = args();
      if (on.name === 'String' && method === undefined) {
        const text = first && plain(first);
        return text === undefined ? undefined : { kind: 'constant', value: text };
      }
      if (on.name === 'Object' && first?.kind === 'object') return ofObject(first, method);
      if (on.name === 'Array' && method === 'from') return first;
      if (on.name === 'Object' && (method === 'freeze' || method === 'assign')) return first;
    }
    if (on.kind === 'import') return fromNode(on, method, args());
    return undefined;
  }

  #onList(
    list: ValueOf<'list'>,
    method: string,
    args: readonly Value[],
    env: Environment,
    depth: number,
  ): Value | undefined {
    const items = list.of;
    if (items.some((item) => item.spread || item.maybe) || items.length > maxItems) return undefined;
    const each = (v: Value, i: number): Value | undefined =>
      args[0] && this.#own(args[0], [v, { kind: 'constant', value: i }], env, depth + 1);
    switch (method) {
      case 'join': {
        const texts = items.map((item) => plain(this.evaluate(item.value, env, depth + 1)));
        const by = args[0] === undefined ? ',' : plain(args[0]);
        return by === undefined || texts.some((t) => t === undefined)
          ? undefined
          : { kind: 'constant', value: texts.join(by) };
      }
      case 'map': {
        const made = items.map((item, i) => each(item.value, i));
        return made.every((m) => m !== undefined) ? { kind: 'list', of: made.map((value) => ({ value })) } : undefined;
      }
      case 'flatMap': {
        const made = items.map((item, i) => each(item.value, i));
        return made.every((m) => m?.kind === 'list')
          ? { kind: 'list', of: made.flatMap((m) => (m?.kind === 'list' ? m.of : [])) }
          : undefined;
      }
      case 'filter': {
        const kept = items.map((item, i) => {
          const holds = each(item.value, i);
          return holds && truthinessOf(holds);
        });
        return kept.every((k) => k !== undefined) ? { kind: 'list', of: items.filter((_, i) => kept[i]) } : undefined;
      }
      case 'concat':
        return args.every((a) => a.kind === 'list')
          ? { kind: 'list', of: [...items, ...args.flatMap((a) => (a.kind === 'list' ? a.of : []))] }
          : undefined;
      case 'reverse':
      case 'toReversed':
        return { kind: 'list', of: [...items].reverse() };
      case 'includes': {
        const texts = items.map((item) => plain(this.evaluate(item.value, env, depth + 1)));
        const sought = args[0] && plain(args[0]);
        return sought === undefined || texts.some((t) => t === undefined)
          ? undefined
          : { kind: 'constant', value: texts.includes(sought) };
      }
      case 'slice':
        return args.length === 0 ? list : undefined;
      case 'entries':
        return {
          kind: 'list',
          of: items.map((item, i) => ({
            value: { kind: 'list', of: [{ value: { kind: 'constant', value: i } }, { value: item.value }] },
          })),
        };
      default:
        return undefined;
    }
  }
}

/** Follows a path; a list behind `*` and a property of what is opaque stay as they are. */
function readPath(value: Value, path: readonly string[]): Value {
  return path.reduce<Value>((v, name) => {
    if (v.kind === 'import' && v.name === '*' && v.path.length === 0 && name !== '*') return { ...v, name };
    if (v.kind === 'list' && name === 'length' && !v.of.some((i) => i.spread || i.maybe))
      return { kind: 'constant', value: v.of.length };
    return propertyOf(v, name);
  }, value);
}

/** The text of a constant. */
export const plain = (value: Value): string | undefined =>
  value.kind === 'constant' ? String(value.value) : undefined;

function onText(text: string, method: string, args: readonly Value[]): Value | undefined {
  const [first, second] = args.map((a) => (a.kind === 'constant' ? a.value : undefined));
  const made = (value: string): Value => ({ kind: 'constant', value });
  switch (method) {
    case 'toLowerCase':
      return made(text.toLowerCase());
    case 'toUpperCase':
      return made(text.toUpperCase());
    case 'trim':
    case 'trimStart':
    case 'trimEnd':
    case 'toString':
      return made(text);
    case 'concat':
      return args.every((a) => a.kind === 'constant') ? made(text + args.map((a) => plain(a)).join('')) : undefined;
    case 'replace':
      return typeof first === 'string' && typeof second === 'string'
        ? made(text.replace(first, () => second))
        : undefined;
    case 'replaceAll':
      return typeof first === 'string' && typeof second === 'string'
        ? made(text.replaceAll(first, () => second))
        : undefined;
    case 'split':
      return typeof first === 'string'
        ? { kind: 'list', of: text.split(first).map((value) => ({ value: { kind: 'constant', value } })) }
        : undefined;
    case 'slice':
    case 'substring':
      return typeof first === 'number' && (second === undefined || typeof second === 'number')
        ? made(text.slice(first, second))
        : undefined;
    case 'startsWith':
      return typeof first === 'string' ? { kind: 'constant', value: text.startsWith(first) } : undefined;
    default:
      return undefined;
  }
}

function ofObject(object: ValueOf<'object'>, method: string | undefined): Value | undefined {
  const entries = object.entries.flatMap((e) => ('set' in e && !e.maybe ? [e] : []));
  if (entries.length !== object.entries.length) return undefined;
  const key = (name: string): Value => ({ kind: 'constant', value: name });
  switch (method) {
    case 'keys':
      return { kind: 'list', of: entries.map((e) => ({ value: key(e.set) })) };
    case 'values':
      return { kind: 'list', of: entries.map((e) => ({ value: e.value })) };
    case 'entries':
      return {
        kind: 'list',
        of: entries.map((e) => ({ value: { kind: 'list', of: [{ value: key(e.set) }, { value: e.value }] } })),
      };
    default:
      return undefined;
  }
}

/** `path.join(__dirname, 'x.sql')` and `fs.readFileSync(...)`, as far as they name a file beside the migration. */
function fromNode(on: ValueOf<'import'>, method: string | undefined, args: readonly Value[]): Value | undefined {
  const module = on.module.replace(/^node:/, '');
  const name = method ?? on.name;
  if (module === 'path' && (name === 'join' || name === 'resolve')) {
    const parts = args.map(pathOf);
    return parts.every((p) => p !== undefined) ? { kind: 'constant', value: parts.join('/') } : undefined;
  }
  const reads = name === 'readFileSync' || name === 'readFile';
  if ((module === 'fs' || module === 'fs/promises' || module === 'fs-extra') && reads) {
    const path = args[0] && pathOf(args[0]);
    return path === undefined ? undefined : fileMarker(path);
  }
  return undefined;
}

const pathOf = (value: Value): string | undefined =>
  value.kind === 'global' && value.name === '__dirname' && value.path.length === 0
    ? '.'
    : value.kind === 'constant' && typeof value.value === 'string'
      ? value.value
      : undefined;
