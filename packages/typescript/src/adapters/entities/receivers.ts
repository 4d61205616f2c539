import type { CallChain, Client, Known, LowerContext, TableName, TypeName, Value } from '@tenant-lint/model';
import { classOf, importedAs, lineage, nameIn, type Found } from './classes.js';
import { linksOf, readFrom, readsOf, type Link, type Links } from './links.js';
import { option, text } from './options.js';

/** What a receiver is. `table`: the entity it is bound to. */
export interface Receiver {
  readonly is: 'source' | 'manager' | 'runner' | 'repository' | 'entity';
  readonly table?: Known<TableName>;
  readonly client: Client['kind'];
  /** What the options of the data source say of missing values in conditions, where they are seen. */
  readonly missing?: 'ignored';
}

/** What tells the calls of one library from those of others. */
export interface Library {
  isOurs(module: string): boolean;
  modelName(name: string): TableName;
  /** Its classes by their names. */
  readonly kinds: Readonly<Record<string, Receiver['is']>>;
  /** The base class whose statics are operations. */
  readonly activeRecord?: string;
  /** Methods that hand a manager to a callback. */
  readonly transactions: ReadonlySet<string>;
  /** Functions that give a client. */
  readonly made: Readonly<Record<string, Receiver['is']>>;
  /** Properties of clients that are clients. */
  readonly properties: Readonly<Record<string, Receiver['is']>>;
  /** Methods that give a client. `same`: the one they are called on; `given`: the repository that is given. */
  readonly calls: Readonly<Record<string, Receiver['is'] | 'same' | 'given'>>;
}

export interface Receivers {
  /** What a value is as a receiver; undefined where that is not known, or it is something else. */
  receiverOf(value: Value, context: LowerContext): Receiver | undefined;
  /** What stands before link `end` of a chain. */
  receiverAt(links: Links, end: number, context: LowerContext): Receiver | undefined;
  /** The table of an entity: a class, a name, or a schema object. */
  tableOfEntity(value: Value | undefined, context: LowerContext): Known<TableName>;
}

const maxDepth = 12;

const ignoresMissing = (options: Value | undefined, context: LowerContext): boolean =>
  text(option(option(options, 'invalidWhereValuesBehavior', context), 'undefined', context), context) === 'ignore';

const nameOf = (value: Value): string | undefined => ('name' in value ? value.name : undefined);

/** Finds the clients of a library by types, provenance, and the names of repositories. */
export function receivers(lib: Library): Receivers {
  return { receiverOf, receiverAt, tableOfEntity };

  /** The table of an entity: a class, a name, or an `EntitySchema`. */
  function tableOfEntity(value: Value | undefined, context: LowerContext): Known<TableName> {
    if (!value) return { known: false, reason: 'no entity is given' };
    const name = text(value, context);
    if (name !== undefined) {
      const named = lib.modelName(name);
      if (context.table(named)) return { known: true, value: named };
      const [schema, table] = name.includes('.') ? name.split('.') : [undefined, name];
      return { known: true, value: { by: 'sql', ...(schema === undefined ? {} : { schema }), name: table ?? name } };
    }
    return context.tableOf(value);
  }

  /** What a value is as a receiver of the library's calls; undefined where that is not known, or it is something else. */
  function receiverOf(value: Value, context: LowerContext, depth = 0): Receiver | undefined {
    if (depth > maxDepth) return undefined;
    const again = (v: Value): Receiver | undefined => receiverOf(v, context, depth + 1);
    const type = typeOf(value, context);
    const typed = type && byType(type, value, context);
    if (typed) return typed;
    switch (value.kind) {
      case 'missing-able':
        return again(value.of);
      case 'choice':
        return value.of.map(again).find((r) => r !== undefined);
      case 'apply':
        return ['??', '||', '&&'].includes(value.function)
          ? value.to.map(again).find((r) => r !== undefined)
          : undefined;
      case 'instance':
        return byClass(value.of, [], value, context, value.arguments);
      case 'parameter': {
        if (value.path.length > 0) break;
        const handed = context.function(value.function)?.handedTo;
        const chain = handed && context.chain(handed.chain);
        if (!chain || !lib.transactions.has(chain.steps[handed.step]?.name ?? '')) break;
        const on = receiverAt(linksOf(chain), linksOf(chain).links.length - chain.steps.length + handed.step, context);
        return on && (on.is === 'source' || on.is === 'manager') ? { is: 'manager', client: 'transaction' } : undefined;
      }
      case 'result': {
        const chain = context.chain(value.chain);
        const through = chain && depth <= maxDepth / 2 ? resultOf(chain, value.path, context, depth) : undefined;
        if (through) return through;
        break;
      }
      case 'this': {
        if (value.path.length > 0) {
          const inherited = fieldOf(value, context);
          if (inherited) return again(inherited);
          break;
        }
        const found = context.facts(value.from)?.classes.find((c) => c.name === value.class);
        return found && byLineage({ facts: found, file: value.from }, context);
      }
      case 'binding':
      case 'import': {
        const found = value.path.length === 0 ? classOf(value, context) : undefined;
        if (found) return staticOf(found, value, context);
        break;
      }
      default:
    }
    const resolved = context.resolve(value);
    return resolved === value ? undefined : again(resolved);
  }

  /** The declared type, that of inherited fields included. */
  function typeOf(value: Value, context: LowerContext): TypeName | undefined {
    return context.typeOf(value) ?? fieldTypeOf(value, context)?.type;
  }

  /** The declared type of a field, and the class of the lineage that declares it. */
  function fieldTypeOf(
    value: Value,
    context: LowerContext,
  ): { readonly type: TypeName; readonly of: readonly Found[]; readonly at: number } | undefined {
    if (value.kind !== 'this' || value.path.length !== 1) return undefined;
    const found = context.facts(value.from)?.classes.find((c) => c.name === value.class);
    if (!found) return undefined;
    const { of } = lineage({ facts: found, file: value.from }, context);
    const at = of.findIndex(({ facts }) => facts.fields[value.path[0]!]?.type !== undefined);
    const type = of[at]?.facts.fields[value.path[0]!]?.type;
    return type && { type, of, at };
  }

  /**
   * What a type parameter of a base class is for the class of an object: `Repository<T>` in `Base<T>` is one of `Invoice` where the class
   * extends `Base<Invoice>`.
   */
  function typeArgument(name: string, value: Value, context: LowerContext): { text: string; file: string } | undefined {
    const declared = fieldTypeOf(value, context);
    let text = name;
    for (let at = declared?.at ?? 0; declared && at > 0; at--) {
      const index = declared.of[at]!.facts.typeParameters?.indexOf(text) ?? -1;
      const below = declared.of[at - 1]!;
      const given = index < 0 ? undefined : below.facts.extendsTypes?.[index];
      if (given === undefined) return undefined;
      if (!below.facts.typeParameters?.includes(given)) return { text: given, file: below.file };
      text = given;
    }
    return undefined;
  }

  /** What is assigned to a field that a base class declares. */
  function fieldOf(value: Extract<Value, { kind: 'this' }>, context: LowerContext): Value | undefined {
    const [name, ...rest] = value.path;
    const found = context.facts(value.from)?.classes.find((c) => c.name === value.class);
    if (!found || name === undefined || rest.length > 0) return undefined;
    for (const { facts } of lineage({ facts: found, file: value.from }, context).of) {
      const field = facts.fields[name];
      if (field?.value) return field.value;
    }
    return undefined;
  }

  /** `Repository<Invoice>`, `DataSource`, or a class that extends one of them. */
  function byType(type: TypeName, of: Value, context: LowerContext): Receiver | undefined {
    if (!type.name) return undefined;
    const argument = /^[\w.]+<\s*(?:typeof\s+)?([\w.]+)\s*[,>]/.exec(type.text)?.[1];
    const found = byClass(type.name, argument === undefined ? [] : [argument], of, context, []);
    if (found?.is !== 'repository' || found.table?.known || argument === undefined) return found;
    const given = typeArgument(argument, of, context);
    return given ? { ...found, table: entityNamed(given.text, given.file, context) } : found;
  }

  /** An instance of the library's class `name`, or of a class that extends it. */
  function byClass(
    name: Value,
    types: readonly string[],
    of: Value,
    context: LowerContext,
    args: readonly Value[],
  ): Receiver | undefined {
    const from = importedAs(name, context);
    const is = from && lib.isOurs(from.module) ? lib.kinds[from.name] : undefined;
    if (is) {
      const file = 'from' in name ? name.from : 'file' in name ? name.file : undefined;
      const [entity] = types;
      const table: Known<TableName> =
        is === 'repository' && entity !== undefined && file !== undefined
          ? entityNamed(entity, file, context)
          : is === 'repository'
            ? tableOfEntity(args[0], context)
            : { known: false, reason: 'no entity' };
      return {
        is,
        client: of.kind === 'parameter' && is === 'manager' ? 'unknown' : 'plain',
        ...(is === 'repository' ? { table } : {}),
        ...(is === 'source' && ignoresMissing(args[0], context) ? { missing: 'ignored' as const } : {}),
      };
    }
    const found = classOf(name, context);
    return found && byLineage(found, context, types);
  }

  function entityNamed(text: string, file: string, context: LowerContext): Known<TableName> {
    const value = nameIn(file, text.split('.').at(-1)!);
    const known = context.tableOf(value);
    if (known.known) return known;
    const model = lib.modelName(text);
    return context.table(model) ? { known: true, value: model } : known;
  }

  /** A class that extends a repository of the library, at whatever distance: its entity is the first type argument that is one. */
  function byLineage(found: Found, context: LowerContext, types: readonly string[] = []): Receiver | undefined {
    const { of, beyond } = lineage(found, context);
    const from = beyond && importedAs(beyond, context);
    const is = from && lib.isOurs(from.module) ? lib.kinds[from.name] : undefined;
    if (!is) return undefined;
    if (is !== 'repository') return { is, client: 'plain' };
    const given = of.flatMap((f) => (f.facts.extendsTypes ?? []).map((t) => entityNamed(t, f.file, context)));
    const own = types.map((t) => entityNamed(t, found.file, context));
    const table = [...own, ...given].find((t) => t.known);
    return {
      is,
      client: 'plain',
      table: table ?? { known: false, reason: 'the entity of the repository was not found' },
    };
  }

  /** A class that extends BaseEntity: its statics are operations. */
  function staticOf(found: Found, value: Value, context: LowerContext): Receiver | undefined {
    const { beyond } = lineage(found, context);
    const from = beyond && importedAs(beyond, context);
    if (!from || !lib.isOurs(from.module) || from.name !== lib.activeRecord) return undefined;
    return { is: 'entity', client: 'plain', table: context.tableOf(value) };
  }

  /** What (a property of) the result of a chain is. */
  function resultOf(
    chain: CallChain,
    path: readonly string[],
    context: LowerContext,
    depth: number,
  ): Receiver | undefined {
    const own = linksOf(chain);
    const links: Links = { root: own.root, links: [...own.links, ...path.map((name) => ({ name }))] };
    return receiverAt(links, links.links.length, context, depth + 1);
  }

  /** What stands before link `end` of a chain. */
  function receiverAt(links: Links, end: number, context: LowerContext, depth = 0): Receiver | undefined {
    const reads = Math.min(readsOf(links), end);
    for (let count = reads; count >= 0; count--) {
      const start = receiverOf(readFrom(links, count), context, depth);
      const found = start && walk(start, links.links.slice(count, end), context);
      if (found) return found;
    }
    const first = links.links[reads];
    const made = first && reads < end ? madeBy(links, reads, context) : undefined;
    const found = made && walk(made, links.links.slice(reads + 1, end), context);
    if (found) return found;
    return end === reads ? byName(links, end, context) : undefined;
  }

  /** A function of the library that gives a client: `getRepository(Invoice)`, `getManager()`, `createConnection(...)`. */
  function madeBy(links: Links, at: number, context: LowerContext): Receiver | undefined {
    const link = links.links[at]!;
    const from = importedAs(readFrom(links, at), context);
    const name = from && lib.isOurs(from.module) ? (link.name === '' ? from.name : link.name) : undefined;
    const args = link.step?.arguments ?? [];
    const is = name === undefined ? undefined : lib.made[name];
    if (!is) return undefined;
    return is === 'repository' ? repositoryFor(args[0], 'plain', context) : { is, client: 'plain' };
  }

  /** A repository for an entity, or the custom repository of that class. */
  function repositoryFor(value: Value | undefined, client: Client['kind'], context: LowerContext): Receiver {
    const table = tableOfEntity(value, context);
    if (table.known || !value) return { is: 'repository', table, client };
    const found = classOf(value, context);
    const custom = found && byLineage(found, context);
    return custom ? { ...custom, client } : { is: 'repository', table, client };
  }

  /** What the links make of a receiver; undefined where one of them gives something else. */
  function walk(start: Receiver, links: readonly Link[], context: LowerContext): Receiver | undefined {
    let at: Receiver | undefined = start;
    for (const link of links) {
      at = step(at, link, context);
      if (!at) return undefined;
    }
    return at;
  }

  function step(on: Receiver, { name, step: made }: Link, context: LowerContext): Receiver | undefined {
    const args = made?.arguments;
    const keep = on.missing ? { missing: on.missing } : {};
    if (!args) {
      const is = lib.properties[name];
      return is && is !== on.is ? { is, client: is === 'source' ? 'plain' : on.client, ...keep } : undefined;
    }
    const is = lib.calls[name];
    if (!is) return undefined;
    if (is === 'same') return on;
    if (is === 'given') {
      const repository = args[0] && receiverOf(args[0], context, 1);
      return repository?.is === 'repository' ? { ...repository, client: on.client, ...keep } : undefined;
    }
    if (is !== 'repository') return { is, client: on.client === 'transaction' ? on.client : 'plain', ...keep };
    if (on.is === 'entity' || args.length === 0) return on.table ? { ...on, is } : undefined;
    return { ...repositoryFor(args[0], on.client, context), ...keep };
  }

  /** `invoiceRepository`, whose type nothing shows: the repository of the only entity of that name. */
  function byName(links: Links, end: number, context: LowerContext): Receiver | undefined {
    const last = links.links[end - 1]?.name ?? nameOf(links.root);
    const entity = last === undefined ? undefined : /^_?(\w+?)(?:Repo|Repository)$/.exec(last)?.[1];
    if (entity === undefined) return undefined;
    const value = readFrom(links, end);
    // A type that was declared and is none of the library's says that it is something else.
    if (typeOf(value, context)?.name || ['instance', 'object', 'function'].includes(context.resolve(value).kind))
      return undefined;
    const model = lib.modelName(entity.charAt(0).toUpperCase() + entity.slice(1));
    return context.table(model)
      ? { is: 'repository', client: 'unknown', table: { known: true, value: model } }
      : undefined;
  }
}
