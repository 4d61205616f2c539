import type { FileFacts, FunctionFacts, LinkContext, Value } from '@tenant-lint/model';

/** The functions of a migration file that a tool calls. */
export interface Entry {
  readonly up: FunctionFacts | undefined;
  readonly down: FunctionFacts | undefined;
  /** The class whose methods they are. */
  readonly class?: FileFacts['classes'][number];
}

/** `up` and `down` of a file: exported functions, properties of an exported object, or methods of a class. */
export function* entriesOf(facts: FileFacts, context: LinkContext): Iterable<Entry> {
  const named = (name: string): FunctionFacts | undefined => {
    for (const e of facts.exports)
      if (e.name === name && 'local' in e) return functionOf(facts.bindings[e.local], context);
    const whole = facts.exports.find((e) => e.name === 'default' && 'local' in e);
    const value = whole && 'local' in whole ? facts.bindings[whole.local] : undefined;
    const object = value && (value.kind === 'object' ? value : context.resolve(value));
    const entry = object?.kind === 'object' ? object.entries.findLast((e) => 'set' in e && e.set === name) : undefined;
    return entry && 'set' in entry ? functionOf(entry.value, context) : undefined;
  };
  const up = named('up');
  const down = named('down');
  if (up ?? down) yield { up, down };
  for (const one of facts.classes) {
    const method = (name: string): FunctionFacts | undefined => {
      const id = one.methods[name];
      return id === undefined ? functionOf(one.fields[name]?.value, context) : context.function(id);
    };
    const [upMethod, downMethod] = [method('up'), method('down')];
    if (upMethod ?? downMethod) yield { up: upMethod, down: downMethod, class: one };
  }
}

function functionOf(value: Value | undefined, context: LinkContext): FunctionFacts | undefined {
  const found = value === undefined || value.kind === 'function' ? value : context.resolve(value);
  return found?.kind === 'function' ? context.function(found.function) : undefined;
}

/** Whether the file imports a package, or a part of one. */
export const importsFrom = (facts: FileFacts, ...packages: readonly string[]): boolean =>
  facts.imports.some(({ module }) => packages.some((p) => module === p || module.startsWith(`${p}/`)));

/** The text of the first parameter's type. */
export const typeOfTool = (entry: Entry): string => (entry.up ?? entry.down)?.parameters[0]?.type?.text ?? '';
export const nameOfTool = (entry: Entry): string => (entry.up ?? entry.down)?.parameters[0]?.name ?? '';

/** The names of the steps that follow the tool in the file: `schema.createTable`, `addColumn`. */
export function stepsOnTool(facts: FileFacts, entry: Entry): ReadonlySet<string> {
  const ids = new Set([entry.up?.id, entry.down?.id].filter((id) => id !== undefined));
  const found = new Set<string>();
  for (const { receiver, steps } of facts.chains) {
    if (receiver.kind !== 'parameter' || receiver.index !== 0 || !ids.has(receiver.function)) continue;
    const path = [...receiver.path, ...steps.map((s) => s.name)];
    path.forEach((name, i) => {
      found.add(name);
      if (i > 0) found.add(`${path[i - 1]!}.${name}`);
    });
  }
  return found;
}
