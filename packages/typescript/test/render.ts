import type { CallChain, Entry, FileFacts, Value } from '@tenant-lint/model';
import { extractTypescript } from '@tenant-lint/typescript';

const id = (of: string): string => of.slice(of.lastIndexOf('#'));
const dotted = (base: string, path: readonly string[]): string => [base, ...path].join('.');

/** A value on one line: `?x` may be missing, `~x` is set on some paths only, `$0` is the first parameter. */
export function render(value: Value | undefined): string {
  if (!value) return 'nothing';
  switch (value.kind) {
    case 'constant':
      return JSON.stringify(value.value);
    case 'undefined':
      return 'undefined';
    case 'parameter':
      return dotted(`$${value.index}`, value.path);
    case 'result':
      return dotted(id(value.chain), value.path);
    case 'import':
      return dotted(`${value.module}:${value.name}`, value.path);
    case 'binding':
      return dotted(`@${value.name}`, value.path);
    case 'global':
      return dotted(value.name, value.path);
    case 'this':
      return dotted(`this<${value.class}>`, value.path);
    case 'function':
      return id(value.function);
    case 'instance':
      return `new ${render(value.of)}(${value.arguments.map(render).join(', ')})`;
    case 'missing-able':
      return `?${render(value.of)}`;
    case 'object':
      return `{${value.entries.map(entry).join(', ')}}`;
    case 'list':
      return `[${value.of.map((i) => (i.maybe ? '~' : '') + (i.spread ? '...' : '') + render(i.value)).join(', ')}]`;
    case 'element':
      return dotted(`(${render(value.of)})`, value.path);
    case 'apply':
      return value.to.length === 1
        ? `${value.function}(${render(value.to[0])})`
        : `(${value.to.map(render).join(` ${value.function} `)})`;
    case 'choice':
      return `<${value.test ? `${render(value.test)}: ` : ''}${value.of.map(render).join(' | ')}>`;
    case 'text':
      return `\`${value.parts.map((part) => ('hole' in part ? `\${${render(part.hole)}}` : part.text)).join('')}\``;
    case 'unknown':
      return `unknown(${value.reason})`;
    default:
      return value.kind;
  }
}

function entry(of: Entry): string {
  const sure = of.maybe ? '~' : '';
  if ('spread' in of) return `${sure}...${render(of.spread)}`;
  if ('computed' in of) return `${sure}[${render(of.computed)}]: ${render(of.value)}`;
  return `${sure}${of.set}: ${render(of.value)}`;
}

export const renderChain = (chain: CallChain): string =>
  [
    render(chain.receiver),
    ...chain.steps.map((step) => {
      const mark = step.optional ? '?.' : step.name === '' ? '' : '.';
      const call =
        step.arguments &&
        (step.template ? step.arguments.map(render).join('') : `(${step.arguments.map(render).join(', ')})`);
      return `${mark}${step.name}${call ?? ''}`;
    }),
  ].join('');

/** The facts of a text, and short ways to look at them. */
export function factsOf(text: string, file = 'src/file.ts') {
  const facts: FileFacts = extractTypescript(text, { file });
  return {
    facts,
    chains: facts.chains.map(renderChain),
    /** The arguments of the last step of the chain that ends in a call of `name`. */
    argument(name: string, at = 0): string {
      const step = facts.chains.flatMap((chain) => chain.steps).find((s) => s.name === name && s.arguments);
      if (!step) throw new Error(`no call of ${name}`);
      return render(step.arguments?.[at]);
    },
    /** What holds where the chain that calls `name` runs, outermost first. */
    holds(name: string): string[] {
      const chain = facts.chains.find((c) => c.steps.some((s) => s.name === name && s.arguments));
      const owner = facts.functions.find((f) => f.id === chain?.function);
      if (!chain || !owner) throw new Error(`no call of ${name}`);
      const conditions: string[] = [];
      for (let at: number | undefined = chain.block; at !== undefined; at = owner.blocks[at]?.parent) {
        const holds = owner.blocks[at]?.holds;
        if (holds) conditions.unshift(render(holds));
      }
      return conditions;
    },
    function(name: string) {
      const found = facts.functions.find((f) => f.name === name);
      if (!found) throw new Error(`no function ${name}`);
      return found;
    },
  };
}
