import {
  mapValue,
  propertyOf,
  sameValue,
  valueAt,
  type CallChain,
  type ChainId,
  type ClassFacts,
  type FunctionFacts,
  type FunctionId,
  type Schema,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { precedes, stripped } from '../judge/conditions.js';
import { lastOf } from '../judge/returns.js';
import { Program } from '../link/program.js';
import type { LinkedAccess } from '../model.js';
import { settingWritesThrough, type SettingWrite } from './setting-writes.js';

/** A setting under which an access runs. */
export interface SessionSetting {
  readonly name: string;
  /** In terms of the function of `at`. */
  readonly value: Value;
  readonly local: boolean;
  /** The call to which the value is handed, or in whose function it is set: there its checks have been made. */
  readonly at: ChainId;
  /** Where it is set. */
  readonly span: Span;
}

interface Place {
  readonly f: FunctionFacts;
  readonly block: number;
  readonly offset: number;
}

/** A place where an instance of a class is made. */
interface Made {
  readonly arguments: readonly Value[];
  readonly place: Place;
}

export interface Write {
  readonly access: LinkedAccess;
  readonly chain: CallChain;
  readonly write: SettingWrite;
}

interface Written {
  readonly byFunction: ReadonlyMap<FunctionId, readonly Write[]>;
  readonly byChain: ReadonlyMap<ChainId, readonly Write[]>;
}

const maxDepth = 10;
const maxCallers = 60;

/** Steps that give another connection than the one they are called on. */
const opens =
  /^(?:connect|transaction|\$transaction|begin|savepoint|reserve|createQueryRunner|startTransaction|acquire)$/;
const begins = /^\s*(?:begin|start\s+transaction)\b/i;

/**
 * Under which settings of its connection an access runs: what was set before it in the same transaction (or on the same checked-out client),
 * through wrappers, helpers, factories, batches, extensions of a client and AsyncLocalStorage.
 */
export class Sessions {
  #written: Written | undefined;
  readonly #memo = new Map<string, readonly SessionSetting[]>();
  #batches: Map<ChainId, readonly ChainId[]> | undefined;
  #instances: Map<ClassFacts, Made[]> | undefined;
  #runs: readonly { readonly chain: CallChain; readonly storage: Value }[] | undefined;

  constructor(
    private readonly program: Program,
    private readonly schema: Schema,
    private readonly accesses: () => readonly LinkedAccess[],
  ) {}

  get #byFunction(): ReadonlyMap<FunctionId, readonly Write[]> {
    return (this.#written ??= this.#findWrites()).byFunction;
  }

  get #byChain(): ReadonlyMap<ChainId, readonly Write[]> {
    return (this.#written ??= this.#findWrites()).byChain;
  }

  #findWrites(): Written {
    const [byFunction, byChain] = [new Map<FunctionId, Write[]>(), new Map<ChainId, Write[]>()];
    for (const access of this.accesses()) {
      const chain = access.chain === undefined ? undefined : this.program.chain(access.chain);
      if (!chain) continue;
      for (const write of writesOf(access, this.schema)) {
        const one = { access, chain, write };
        byFunction.set(chain.function, [...(byFunction.get(chain.function) ?? []), one]);
        byChain.set(chain.id, [...(byChain.get(chain.id) ?? []), one]);
      }
    }
    return { byFunction, byChain };
  }

  /** The settings that are in force where an access runs; of one that is set on several ways to it, one entry for each. */
  of(access: LinkedAccess): readonly SessionSetting[] {
    if (this.#byFunction.size === 0 || access.chain === undefined || this.#byChain.has(access.chain)) return [];
    const chain = this.program.chain(access.chain);
    const f = chain && this.program.function(chain.function);
    if (!chain || !f) return [];
    const batched = this.#inBatch(chain);
    if (batched.length > 0) return batched;
    // Each extension of the client hands the operation on after what it sets.
    for (const id of access.client.through ?? []) {
      const handedOn = this.program.chain(id);
      const found = handedOn ? this.#inBatch(handedOn) : [];
      if (found.length > 0) return found;
    }
    const place = { f, block: chain.block, offset: chain.span.start };
    return this.#at(access.client.transaction ?? this.#connectionOf(access, chain), place, access.method, maxDepth);
  }

  /**
   * The settings of a transaction that is open around an access which runs on something else: `db.transaction(async (tx) => db.select())`.
   */
  around(access: LinkedAccess): readonly SessionSetting[] {
    const chain = access.chain === undefined ? undefined : this.program.chain(access.chain);
    if (this.#byFunction.size === 0 || !chain || this.#byChain.has(chain.id)) return [];
    let place: Place | undefined;
    let f = this.program.function(chain.function);
    if (f) place = { f, block: chain.block, offset: chain.span.start };
    for (let i = 0; f && place && i < maxDepth; i++) {
      if (f.handedTo)
        for (const [index, parameter] of f.parameters.entries())
          for (const path of [[], ...Object.keys(parameter.type?.properties ?? {}).map((name) => [name])]) {
            const connection: Value = { kind: 'parameter', function: f.id, index, path };
            const found = this.#at(connection, place, access.method, maxDepth);
            if (found.length > 0) return found;
          }
      const handed: CallChain | undefined = f.handedTo && this.program.chain(f.handedTo.chain);
      f = handed && this.program.function(handed.function);
      place = f && handed && { f, block: handed.block, offset: handed.span.start };
    }
    return [];
  }

  /** All statements that set something. */
  writes(): readonly Write[] {
    return [...this.#byFunction.values()].flat();
  }

  /** Whether a call is one of several that are sent as one transaction. */
  isInBatch(chain: CallChain): boolean {
    return (this.#batches ??= this.#findBatches()).has(chain.id);
  }

  /** Whether an access runs on a connection. */
  isOn(access: LinkedAccess, connection: Value): boolean {
    return isSameConnection(access.client.transaction ?? access.client.receiver, connection);
  }

  /** The clients on which the program opens transactions that set something, each with one such setting. */
  bases(): readonly { readonly client: Value; readonly setting: SessionSetting }[] {
    return [...this.#byFunction.values()].flat().flatMap(({ access, chain, write }) => {
      const found = new Map<string, SessionSetting>();
      note(found, write, chain);
      const connection = stripped(access.client.transaction ?? access.client.receiver);
      const handed = connection.kind === 'parameter' ? this.program.function(connection.function)?.handedTo : undefined;
      const opened = handed
        ? this.program.chain(handed.chain)
        : connection.kind === 'result'
          ? this.program.chain(connection.chain)
          : undefined;
      const client = opened ? opened.receiver : connection;
      return [...found.values()].map((setting) => ({ client, setting }));
    });
  }

  /** What an access runs on: its receiver, or what the function at the beginning of its chain gives. */
  #connectionOf(access: LinkedAccess, chain: CallChain): Value {
    const callee = this.program.calleeOf(chain);
    if (!callee || callee.step >= chain.steps.length - 1) return access.client.receiver;
    return { kind: 'result', chain: chain.id, path: [] };
  }

  #at(given: Value, place: Place, method: string, depth: number): readonly SessionSetting[] {
    const connection = stripped(given);
    if (depth <= 0) return [];
    const here = this.#setBefore(connection, place, depth);
    if (here.length > 0) return here;
    switch (connection.kind) {
      case 'parameter':
        return this.#ofParameter(connection, method, depth);
      case 'result':
        return this.#ofResult(connection, place, method, depth);
      case 'choice':
        return every(connection.of.map((v) => this.#at(v, place, method, depth - 1)));
      case 'this': {
        const made = this.#ofField(connection, method, depth);
        if (made.length > 0) return made;
        const resolved = this.program.resolve(connection);
        return sameValue(resolved, connection) ? [] : this.#at(resolved, place, method, depth - 1);
      }
      case 'binding':
      case 'import':
      case 'element': {
        const resolved = this.program.resolve(connection);
        return sameValue(resolved, connection) ? [] : this.#at(resolved, place, method, depth - 1);
      }
      default:
        return [];
    }
  }

  /** What was set on a connection on every way to a place, within its function and the functions around it. */
  #setBefore(connection: Value, place: Place, depth: number): readonly SessionSetting[] {
    const found = new Map<string, SessionSetting>();
    const isBefore = (chain: CallChain): boolean =>
      chain.span.end <= place.offset && precedes(place.f, chain.block, place.block);
    for (const { access, chain, write } of this.#byFunction.get(place.f.id) ?? []) {
      if (!isBefore(chain) || isUnawaited(access, chain) || !this.isOn(access, connection)) continue;
      if (write.local === true ? !this.#isInTransaction(access, chain) : !this.#isCheckedOut(connection)) continue;
      note(found, write, chain);
    }
    for (const chain of this.program.chainsOf(place.f.id)) {
      if (!isBefore(chain)) continue;
      for (const set of this.#setByHelper(connection, chain, depth)) found.set(set.name, set);
    }
    if (found.size > 0) return [...found.values()];
    const handed = place.f.handedTo && this.program.chain(place.f.handedTo.chain);
    const outer = handed && handed.function !== place.f.id ? this.program.function(handed.function) : undefined;
    if (!handed || !outer || ('function' in connection && connection.function === place.f.id)) return [];
    return this.#setBefore(connection, { f: outer, block: handed.block, offset: handed.span.end }, depth - 1);
  }

  /** `await setTenant(tx, orgId)`: what a called function has set on the connection it was handed when it is through. */
  #setByHelper(connection: Value, chain: CallChain, depth: number): readonly SessionSetting[] {
    if (depth <= 1) return [];
    const args = chain.steps.flatMap((s) => s.arguments ?? []);
    if (!args.some((a) => isSameConnection(a, connection))) return [];
    const callee = this.program.calleeOf(chain);
    const target = callee && !callee.wrapped ? this.program.function(callee.function) : undefined;
    const given = callee && chain.steps[callee.step]?.arguments;
    const index = given?.findIndex((a) => isSameConnection(a, connection)) ?? -1;
    if (!target || !given || index < 0 || !this.#mayWrite(target.id)) return [];
    const end = { f: target, block: lastOf(target), offset: target.span.end };
    const inside: Value = { kind: 'parameter', function: target.id, index, path: [] };
    return this.#setBefore(inside, end, depth - 1).map((set) => handedBy(set, target.id, given, chain));
  }

  #mayWrite(id: FunctionId, depth = 3): boolean {
    if (this.#byFunction.has(id)) return true;
    return (
      depth > 0 &&
      this.program.chainsOf(id).some((chain) => {
        const callee = this.program.calleeOf(chain);
        return callee !== undefined && callee.function !== id && this.#mayWrite(callee.function, depth - 1);
      })
    );
  }

  /** Every caller hands over a connection on which something is set. */
  #ofParameter(value: Extract<Value, { kind: 'parameter' }>, method: string, depth: number): readonly SessionSetting[] {
    const key = `${value.function}/${value.index}/${value.path.join('.')}/${method.startsWith('$')}`;
    const known = this.#memo.get(key);
    if (known) return known;
    this.#memo.set(key, []);
    const found = this.#fromCallers(value, method, depth);
    this.#memo.set(key, found);
    return found;
  }

  #fromCallers(value: Extract<Value, { kind: 'parameter' }>, method: string, depth: number): readonly SessionSetting[] {
    const f = this.program.function(value.function);
    const sites = this.program.callersOf(value.function);
    if (!f || sites.length === 0 || sites.length > maxCallers) return [];
    const wrapper = f.handedTo && this.program.chain(f.handedTo.chain);
    return every(
      sites.map((site) => {
        const outer = this.program.function(site.chain.function);
        const args = site.chain.steps[site.step]?.arguments ?? [];
        const argument = args[value.index] ?? f.parameters[value.index]?.default;
        if (!outer || !argument) return [];
        const place = { f: outer, block: site.chain.block, offset: site.chain.span.start };
        return this.#at(valueAt(argument, value.path), place, method, depth - 1).map((set) => {
          // What a wrapper sets is what it was called with, together with the callback that runs under it.
          let own = set;
          for (const [i, step] of (wrapper?.steps ?? []).entries()) {
            const called = wrapper && step.arguments && this.program.calleeAt(wrapper, i);
            if (called && mentions(own.value, called)) own = handedBy(own, called, step.arguments, wrapper);
          }
          return own;
        });
      }),
    );
  }

  /** What every instance of a class was given as the connection: `new Invoices(tx)`. */
  #ofField(value: Extract<Value, { kind: 'this' }>, method: string, depth: number): readonly SessionSetting[] {
    const [name, ...rest] = value.path;
    const made = this.program.classOf({ kind: 'binding', file: value.from, name: value.class, path: [] })?.facts;
    const field = name === undefined ? undefined : made?.fields[name]?.value;
    if (!made || field?.kind !== 'parameter' || field.function !== made.construct) return [];
    this.#instances ??= this.#findInstances();
    const path = [...field.path, ...rest];
    return every(
      (this.#instances.get(made) ?? []).map(({ arguments: args, place }) => {
        const given = args[field.index];
        return given ? this.#at(valueAt(given, path), place, method, depth - 1) : [];
      }),
    );
  }

  #findInstances(): Map<ClassFacts, Made[]> {
    const found = new Map<ClassFacts, Made[]>();
    const look = (value: Value, place: Place): void => {
      mapValue(value, (inner) => {
        const made = inner.kind === 'instance' ? this.program.classOf(inner.of)?.facts : undefined;
        if (made && inner.kind === 'instance')
          found.set(made, [...(found.get(made) ?? []), { arguments: inner.arguments, place }]);
        return inner;
      });
    };
    for (const facts of this.program.files.values()) {
      for (const chain of facts.chains) {
        const f = this.program.function(chain.function);
        const place = f && { f, block: chain.block, offset: chain.span.start };
        if (place) for (const v of [chain.receiver, ...chain.steps.flatMap((s) => s.arguments ?? [])]) look(v, place);
      }
      for (const f of facts.functions)
        for (const { value, block, span } of f.returns) look(value, { f, block, offset: span.start });
    }
    return found;
  }

  #ofResult(
    value: Extract<Value, { kind: 'result' }>,
    place: Place,
    method: string,
    depth: number,
  ): readonly SessionSetting[] {
    const chain = this.program.chain(value.chain);
    const last = chain?.steps.findLast((s) => s.arguments !== undefined);
    if (!chain || !last) return [];
    if (last.name === 'getStore') return this.#ofStorage(chain, value.path, method, depth);
    const callee = this.program.calleeOf(chain);
    const made = callee && this.program.function(callee.function);
    const args = callee && chain.steps[callee.step]?.arguments;
    if (made && args) {
      const found = made.returns.map((r) =>
        this.#at(valueAt(r.value, value.path), { f: made, block: r.block, offset: r.span.end }, method, depth - 1).map(
          (set) => handedBy(set, made.id, args, chain),
        ),
      );
      return every(found);
    }
    // `manager.getRepository(Invoice)`: the same connection in another form.
    if (chain.steps.some((s) => opens.test(s.name))) return [];
    return this.#at(chain.receiver, place, method, depth - 1);
  }

  /** What every `run()` of a storage puts into it. */
  #ofStorage(read: CallChain, path: readonly string[], method: string, depth: number): readonly SessionSetting[] {
    const storage = this.program.resolve(read.receiver);
    this.#runs ??= [...this.program.files.values()].flatMap((facts) =>
      facts.chains.flatMap((chain) =>
        chain.steps.at(-1)?.name === 'run' && (chain.steps.at(-1)?.arguments?.length ?? 0) >= 2
          ? [{ chain, storage: this.program.resolve(chain.receiver) }]
          : [],
      ),
    );
    return every(
      this.#runs
        .filter((run) => sameValue(run.storage, storage))
        .map(({ chain }) => {
          const f = this.program.function(chain.function);
          const store = chain.steps.at(-1)?.arguments?.[0];
          if (!f || !store) return [];
          const place = { f, block: chain.block, offset: chain.span.start };
          return this.#at(valueAt(store, path), place, method, depth - 1);
        }),
    );
  }

  /** What the statements before a call in the same batch set: `$transaction([set, query])`. */
  #inBatch(chain: CallChain): readonly SessionSetting[] {
    this.#batches ??= this.#findBatches();
    const found = new Map<string, SessionSetting>();
    for (const earlier of this.#batches.get(chain.id) ?? [])
      for (const { chain: at, write } of this.#byChain.get(earlier) ?? []) if (write.local) note(found, write, at);
    return [...found.values()];
  }

  #findBatches(): Map<ChainId, readonly ChainId[]> {
    const batches = new Map<ChainId, readonly ChainId[]>();
    for (const facts of this.program.files.values()) {
      for (const chain of facts.chains) {
        const last = chain.steps.at(-1);
        const [list] = last?.arguments ?? [];
        if (list?.kind !== 'list' || (last?.name !== '$transaction' && last?.name !== 'batch')) continue;
        const ids = list.of.map(({ value }) => (value.kind === 'result' ? Program.originalChain(value.chain) : ''));
        ids.forEach((id, i) => {
          if (id !== '') batches.set(id, ids.slice(0, i));
        });
      }
    }
    return batches;
  }

  /** Whether a statement that sets something until the end of the transaction runs in one. */
  #isInTransaction(access: LinkedAccess, chain: CallChain): boolean {
    if (access.client.kind === 'transaction') return true;
    const connection = stripped(access.client.receiver);
    if (connection.kind === 'parameter') return true;
    if (connection.kind !== 'result') return false;
    const f = this.program.function(chain.function);
    return (
      f !== undefined &&
      this.program.chainsOf(f.id).some((other) => {
        const last = other.steps.at(-1);
        if (other.span.end > chain.span.start || !isSameConnection(other.receiver, connection)) return false;
        const [text] = last?.arguments ?? [];
        const isText = text?.kind === 'constant' && typeof text.value === 'string' && begins.test(text.value);
        return isText || /^(?:startTransaction|beginTransaction|begin)$/.test(last?.name ?? '');
      })
    );
  }

  /** Whether a connection is one that the code holds for a while, and not a pool of many. */
  #isCheckedOut(connection: Value): boolean {
    if (connection.kind !== 'result') return false;
    const name = this.program.chain(connection.chain)?.steps.at(-1)?.name ?? '';
    return /^(?:connect|reserve|createQueryRunner|acquire|getConnection)$/.test(name);
  }
}

/** Libraries whose statements run when they are made, awaited or not. */
const eager: ReadonlySet<string> = new Set(['pg', 'mysql2', 'typeorm', 'sequelize', 'sql']);

/** A statement that nothing waits for is never sent by libraries that send it when it is awaited. */
export const isUnawaited = (access: LinkedAccess, chain: CallChain): boolean =>
  !chain.awaited && chain.use === 'discarded' && !eager.has(access.library);

/** One entry for each setting, the last one that was made; what is blank sets nothing. */
function note(found: Map<string, SessionSetting>, write: SettingWrite, chain: CallChain): void {
  const { value, name, span } = write;
  if (!value || (value.kind === 'constant' && (value.value === '' || value.value === null))) found.delete(name);
  else found.set(name, { name, value, local: write.local === true, at: chain.id, span });
}

/** What is set on all of several ways; nothing where there is a way without it. */
function every(ways: readonly (readonly SessionSetting[])[]): readonly SessionSetting[] {
  const [first, ...others] = ways;
  if (!first) return [];
  const names = first.map((s) => s.name).filter((name) => others.every((way) => way.some((s) => s.name === name)));
  return ways.flat().filter((s) => names.includes(s.name));
}

/** A setting in terms of the call that handed its value over. */
const handedBy = (
  set: SessionSetting,
  callee: FunctionId,
  args: readonly Value[],
  chain: CallChain,
): SessionSetting => {
  const value = mapValue(set.value, (inner) =>
    inner.kind === 'parameter' && inner.function === callee
      ? inner.path.reduce(propertyOf, args[inner.index] ?? ({ kind: 'undefined' } as Value))
      : inner,
  );
  return value === set.value ? set : { ...set, value, at: chain.id };
};

function mentions(value: Value, f: FunctionId): boolean {
  let found = false;
  mapValue(value, (inner) => {
    found ||= inner.kind === 'parameter' && inner.function === f;
    return inner;
  });
  return found;
}

/** Whether two values are the same connection; `runner.manager` runs on that of `runner`. */
function isSameConnection(a: Value, b: Value): boolean {
  const [left, right] = [rooted(a), rooted(b)];
  return sameValue(left, right);
}

const rooted = (value: Value): Value => {
  const own = stripped(value);
  return 'path' in own && own.path.at(-1) === 'manager' ? ({ ...own, path: own.path.slice(0, -1) } as Value) : own;
};

const written = new WeakMap<
  LinkedAccess,
  { readonly schema: Schema; readonly writes: ReturnType<typeof settingWritesThrough> }
>();

/** As settingWritesThrough, once for an access, however often the program around it is linked. */
function writesOf(access: LinkedAccess, schema: Schema): ReturnType<typeof settingWritesThrough> {
  const known = written.get(access);
  if (known?.schema === schema) return known.writes;
  const writes = settingWritesThrough(access, schema);
  written.set(access, { schema, writes });
  return writes;
}
