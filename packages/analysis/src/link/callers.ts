import type { CallChain, FileFacts, FunctionFacts, FunctionId, Path, Value } from '@tenant-lint/model';
import { Dispatch } from './dispatch.js';

/** A call of a known function: which chain, and the step whose arguments are the function's. */
export interface CallSite {
  readonly chain: CallChain;
  readonly step: number;
  /** The callee was reached through a wrapper that is taken to keep the signature: `const load = cache(async (id) => ...)`. */
  readonly wrapped?: true;
}

export interface Callee {
  readonly function: FunctionId;
  readonly step: number;
  readonly wrapped?: true;
}

type Parameter = Extract<Value, { kind: 'parameter' }>;

/** Where a function hands a parameter on to: a place in what another one is called with. */
interface HandedOn {
  readonly function: FunctionId;
  readonly index: number;
  readonly path: Path;
}

/** How many parameters a callback may be handed on through. */
const maxHandings = 24;

export interface CallersInput {
  readonly files: Iterable<FileFacts>;
  calleeOf(chain: CallChain): Callee | undefined;
  /** The function that a given step of a chain calls. */
  calleeAt(chain: CallChain, step: number): FunctionId | undefined;
  chain(id: string): CallChain | undefined;
  resolve(value: Value): Value;
  asFunction(value: Value): FunctionId | undefined;
  bindingOf(value: Value): string | undefined;
}

/** The file of an id: `src/a.ts#f3`. */
export const fileOfId = (id: string): string => id.slice(0, id.lastIndexOf('#'));

/** Who calls which function of a program: directly, through a wrapper, or as a callback. */
export class Callers {
  readonly #direct = new Map<FunctionId, CallSite[]>();
  readonly #callbacks = new Map<FunctionId, readonly CallSite[]>();
  /** Calls of a parameter: `handler(request)`. */
  readonly #throughParameter = new Map<string, CallSite[]>();
  /** Parameters that a function hands on to another, as they are or in a literal: `run(handler)`, `run({ handler })`. */
  readonly #handedOn = new Map<string, HandedOn[]>();
  /** Functions that are handed to one of a file. */
  readonly #handedInto = new Map<string, FunctionFacts[]>();

  /**
   * `below`: the callers of the program as it was, of which the files of `input` have been read anew. What is known of the others is kept, and
   * their calls of functions in those files are looked at again.
   */
  constructor(
    private readonly input: CallersInput,
    private readonly below?: { readonly callers: Callers; readonly replaced: ReadonlySet<string> },
  ) {
    const functions: FunctionFacts[] = [];
    const open: CallChain[] = [];
    const dispatch = new Dispatch({ ...input, callersOf: (id) => this.of(id) });
    for (const facts of input.files) {
      for (const chain of facts.chains) {
        if (!this.#add(chain)) open.push(chain);
        dispatch.note(chain);
      }
      functions.push(...facts.functions);
    }
    if (below) {
      for (const chain of below.callers.#sitesInto(below.replaced)) if (!this.#add(chain)) open.push(chain);
      for (const file of below.replaced)
        functions.push(
          ...(below.callers.#handedInto.get(file) ?? []).filter((f) => !below.replaced.has(fileOfId(f.id))),
        );
    }
    for (const f of functions) this.#handed(f);
    for (const chain of open)
      for (const callee of dispatch.calleesOf(chain)) push(this.#direct, callee.function, { chain, step: callee.step });
  }

  of(id: FunctionId): readonly CallSite[] {
    const own = [...(this.#direct.get(id) ?? []), ...(this.#callbacks.get(id) ?? [])];
    const { below } = this;
    if (!below || below.replaced.has(fileOfId(id))) return own;
    const others = below.callers.of(id).filter(({ chain }) => !below.replaced.has(fileOfId(chain.id)));
    return own.length === 0 ? others : [...new Set([...others, ...own])];
  }

  /** Notes a call; false where it is not known which function it goes to. */
  #add(chain: CallChain): boolean {
    const callee = this.input.calleeOf(chain);
    if (callee) {
      push(this.#direct, callee.function, { chain, step: callee.step, ...(callee.wrapped ? { wrapped: true } : {}) });
      chain.steps[callee.step]?.arguments?.forEach((argument, index) => {
        for (const { parameter, path } of parametersIn(argument))
          push(this.#handedOn, parameterKey(parameter), { function: callee.function, index, path });
      });
    } else if (chain.callees) {
      const step = chain.steps.findIndex((s) => s.arguments !== undefined);
      for (const id of chain.callees) push(this.#direct, id, { chain, step });
    } else if (chain.receiver.kind === 'parameter') {
      const step = chain.steps.findIndex((s) => s.arguments !== undefined);
      const names = chain.steps.slice(0, step + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
      const { function: owner, index, path } = chain.receiver;
      if (step >= 0)
        push(this.#throughParameter, `${owner}/${index}/${[...path, ...names].join('.')}`, { chain, step });
    }
    return callee !== undefined || chain.callees !== undefined;
  }

  /** A callback is called by what it was handed to: `withSession(async ({ session }) => ...)`. */
  #handed(f: FunctionFacts): void {
    const handed = f.handedTo;
    const chain = handed && this.input.chain(handed.chain);
    const callee = chain && this.input.calleeAt(chain, handed.step);
    if (!handed || callee === undefined) return;
    push(this.#handedInto, fileOfId(callee), f);
    const sites: CallSite[] = [];
    const keys = new Set([`${callee}/${handed.argument}/${handed.path.join('.')}`]);
    // A set grows while it is walked.
    for (const key of keys) {
      sites.push(...this.#callsThrough(key));
      if (keys.size < maxHandings)
        for (const on of this.#handsOn(key)) keys.add(`${on.function}/${on.index}/${on.path.join('.')}`);
    }
    if (sites.length > 0) this.#callbacks.set(f.id, sites);
  }

  #callsThrough(key: string): readonly CallSite[] {
    const below = this.#belowOf(key);
    return [...(below ? below.#callsThrough(key) : []), ...(this.#throughParameter.get(key) ?? [])];
  }

  #handsOn(key: string): readonly HandedOn[] {
    const below = this.#belowOf(key);
    return [...(below ? below.#handsOn(key) : []), ...(this.#handedOn.get(key) ?? [])];
  }

  #belowOf(key: string): Callers | undefined {
    return this.below && !this.below.replaced.has(fileOfId(key)) ? this.below.callers : undefined;
  }

  /** The calls of other files that go to functions of some files. */
  #sitesInto(files: ReadonlySet<string>): readonly CallChain[] {
    const chains = new Set<CallChain>();
    for (const [id, sites] of this.#direct) {
      if (!files.has(fileOfId(id))) continue;
      for (const { chain } of sites) if (!files.has(fileOfId(chain.id))) chains.add(chain);
    }
    return [...chains];
  }
}

function push<K, T>(map: Map<K, T[]>, key: K, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}

/** The parameters (or properties of them) that an argument is, or that an object literal in its place has. */
function parametersIn(argument: Value): readonly { readonly parameter: Parameter; readonly path: Path }[] {
  if (argument.kind === 'parameter') return [{ parameter: argument, path: [] }];
  if (argument.kind !== 'object') return [];
  return argument.entries.flatMap((e) =>
    'set' in e && e.value.kind === 'parameter' ? [{ parameter: e.value, path: [e.set] }] : [],
  );
}

const parameterKey = (value: Parameter): string => `${value.function}/${value.index}/${value.path.join('.')}`;
