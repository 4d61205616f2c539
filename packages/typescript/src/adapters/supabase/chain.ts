import type { CallChain, LowerContext, Path, Step, Value } from '@tenant-lint/model';

/** A chain whose receiver has no path of its own: every property read or call is a step. */
export interface Flat {
  readonly base: Value;
  readonly steps: readonly Step[];
}

/** The normal form of a chain. */
export function flatten(chain: CallChain): Flat {
  const { base, path } = split(chain.receiver);
  return { base, steps: [...path.map((name): Step => ({ name, span: chain.span })), ...chain.steps] };
}

function split(value: Value): { readonly base: Value; readonly path: Path } {
  if (value.kind === 'missing-able') return split(value.of);
  if (value.kind === 'element') {
    const inner = split(value.of);
    return { base: inner.base, path: [...inner.path, ...value.path] };
  }
  if ('path' in value && value.kind !== 'row' && value.kind !== 'input' && value.path.length > 0)
    return { base: { ...value, path: [] } as Value, path: value.path };
  return { base: value, path: [] };
}

/** Text with marks where values are put in: `\uE000<n>\uE001` stands for `holes[n]`. */
export interface MarkedText {
  readonly text: string;
  readonly holes: readonly Value[];
}

/** The text that a value is: a literal, a template, a concatenation; undefined where it is not found. */
export function markedText(value: Value, context: LowerContext, depth = 0): MarkedText | undefined {
  if (depth > 6) return undefined;
  switch (value.kind) {
    case 'constant':
      return typeof value.value === 'string' ? { text: value.value, holes: [] } : undefined;
    case 'missing-able':
      return markedText(value.of, context, depth + 1);
    case 'text':
      return joined(value.parts.map((p) => ('text' in p ? p.text : p.hole)));
    case 'apply':
      return value.function === '+' ? joined(value.to.map((v) => markedText(v, context, depth + 1) ?? v)) : undefined;
    default: {
      const resolved = context.resolve(value);
      return resolved === value || resolved.kind === value.kind ? undefined : markedText(resolved, context, depth + 1);
    }
  }

  function joined(parts: readonly (string | Value | MarkedText)[]): MarkedText {
    let text = '';
    const holes: Value[] = [];
    const put = (part: MarkedText): void => {
      text += part.text.replace(/\uE000(\d+)\uE001/g, (_, n: string) => mark(holes.length + Number(n)));
      holes.push(...part.holes);
    };
    for (const part of parts) {
      if (typeof part === 'string') text += part;
      else if ('holes' in part) put(part);
      else {
        const inner =
          part.kind === 'constant' || part.kind === 'text' ? markedText(part, context, depth + 1) : undefined;
        const known = inner ?? constantText(part, context);
        if (known) put(known);
        else {
          text += mark(holes.length);
          holes.push(part);
        }
      }
    }
    return { text, holes };
  }
}

/** A hole whose value is a literal elsewhere is part of the text. */
function constantText(value: Value, context: LowerContext): MarkedText | undefined {
  const resolved = context.resolve(value);
  return resolved.kind === 'constant' ? { text: String(resolved.value), holes: [] } : undefined;
}

const mark = (n: number): string => `\uE000${String(n)}\uE001`;

/** The value that a part of a marked text is: a hole alone is its value, text around holes becomes a text again. */
export function valueOfMarked(text: string, holes: readonly Value[], step: Step): Value {
  const alone = /^\uE000(\d+)\uE001$/.exec(text);
  const only = alone ? holes[Number(alone[1])] : undefined;
  if (only) return only;
  if (!text.includes('\uE000')) return { kind: 'constant', value: text };
  const parts = text.split(/(\uE000\d+\uE001)/).filter((p) => p !== '');
  return {
    kind: 'text',
    span: step.span,
    parts: parts.map((part) => {
      const hole = /^\uE000(\d+)\uE001$/.exec(part);
      const value = hole ? holes[Number(hole[1])] : undefined;
      return value ? { hole: value, span: step.span } : { text: part, start: step.span.start, exact: false };
    }),
  };
}
