import {
  valueAt,
  type CallChain,
  type FileFacts,
  type FunctionId,
  type Step,
  type Typed,
  type TypeName,
  type Value,
} from '@tenant-lint/model';

/** The steps of a chain from `start` on are a chain now, and before them stand as many that were not there. */
interface Piece {
  readonly start: number;
  readonly chain: string;
  readonly added: number;
}

/**
 * The facts of a file with what a type check shows of its chains. A chain is taken apart where something typed stands in its middle, as if
 * that had been put into a variable: `registry.get('db').selectFrom(...)` is a call, and a chain on what it gives. `functionAt` finds the
 * function of the program that stands somewhere.
 */
export function withTypes(
  facts: FileFacts,
  typed: readonly Typed[],
  functionAt: (file: string, start: number, end: number) => FunctionId | undefined,
): FileFacts {
  const chains = [...facts.chains];
  const types: { value: Value; type: TypeName }[] = [];
  const moved = new Map<string, readonly Piece[]>();
  for (const answer of typed) {
    const index = Number(answer.chain.slice(answer.chain.lastIndexOf('c') + 1));
    const chain = chains[index];
    if (chain?.id !== answer.chain) continue;
    const callees = new Map<number, FunctionId[]>();
    for (const { step, file, start, end } of answer.callees) {
      const id = functionAt(file, start, end);
      if (id !== undefined) callees.set(step, [...(callees.get(step) ?? []), id]);
    }
    chains[index] = taken(chain, answer, callees);
  }
  if (types.length === 0 && chains.every((c, i) => c === facts.chains[i])) return facts;
  const functions = facts.functions.map((f) => {
    const { handedTo } = f;
    const piece = handedTo && moved.get(handedTo.chain)?.findLast((m) => m.start <= handedTo.step);
    return piece
      ? { ...f, handedTo: { ...handedTo, chain: piece.chain, step: handedTo.step - piece.start + piece.added } }
      : f;
  });
  return { ...facts, chains, functions, types: [...(facts.types ?? []), ...types] };

  function taken(
    chain: CallChain,
    { receiver }: Typed,
    callees: ReadonlyMap<number, readonly FunctionId[]>,
  ): CallChain {
    // Where a new chain begins: at what is typed, and before a known callee that another call stands in front of.
    const cuts: number[] = [];
    let behindCall = false;
    for (const [i, step] of chain.steps.entries()) {
      if (i === receiver?.before || (behindCall && callees.has(i))) {
        cuts.push(i);
        behindCall = false;
      }
      if (step.arguments) behindCall = true;
    }
    const starts = [0, ...cuts.filter((c) => c > 0)];
    const pieces: Piece[] = [];
    let value = chain.receiver;
    let made: CallChain = chain;
    for (const [n, start] of starts.entries()) {
      const end = starts[n + 1] ?? chain.steps.length;
      const isLast = n === starts.length - 1;
      if (receiver?.before === start) value = receiver.value ?? asTyped(value, receiver.type, chain);
      const own = chain.steps.slice(start, end);
      const read = receiver?.before === start ? receiver.read : undefined;
      const steps = read === undefined ? own : [{ name: read, span: own[0]!.span }, ...own];
      const call = own.findIndex((step) => step.arguments !== undefined);
      if (call < 0 && !isLast) {
        value = valueAt(value, namesOf(steps));
        continue;
      }
      const called = callees.get(start + call);
      const piece: CallChain = {
        ...chain,
        receiver: value,
        steps,
        ...(called === undefined ? {} : { callees: called }),
        ...(isLast
          ? {}
          : {
              id: `${facts.file}#c${chains.length}`,
              awaited: false,
              use: 'receiver',
              span: { ...chain.span, end: steps.at(-1)!.span.end },
            }),
      };
      if (!isLast) chains.push(piece);
      pieces.push({ start, chain: piece.id, added: steps.length - own.length });
      value = { kind: 'result', chain: piece.id, path: [] };
      made = piece;
    }
    moved.set(chain.id, pieces);
    return made;
  }

  /** The value with its type noted. One that nothing identifies is an instance of that type. */
  function asTyped(value: Value, type: TypeName, chain: CallChain): Value {
    const named: Value = identified.has(value.kind)
      ? value
      : type.name
        ? { kind: 'instance', of: type.name, arguments: [], span: chain.span, injected: true }
        : value;
    types.push({ value: named, type });
    return named;
  }
}

/** Values that are equal where they are the same thing. */
const identified: ReadonlySet<string> = new Set(['parameter', 'result', 'import', 'binding', 'global', 'this']);

const namesOf = (steps: readonly Step[]): string[] => steps.flatMap((s) => (s.name === '' ? [] : [s.name]));
