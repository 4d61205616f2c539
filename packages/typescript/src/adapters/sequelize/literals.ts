import type { CallChain, Interpolation, LowerContext, Value } from '@tenant-lint/model';

/** How deep options of a query are nested. */
const maxDepth = 8;

/**
 * What is put into the text of `literal(...)` anywhere in the arguments of a query: Sequelize writes it into the statement as it is.
 * https://sequelize.org/docs/v6/other-topics/sub-queries
 */
export function literalsIn(args: readonly Value[], context: LowerContext): readonly Interpolation[] {
  return args.flatMap((value) => inValue(value, context, maxDepth));
}

function inValue(value: Value, context: LowerContext, depth: number): readonly Interpolation[] {
  if (depth === 0) return [];
  const own = value.kind === 'binding' ? context.resolve(value) : value;
  switch (own.kind) {
    case 'object':
      return own.entries.flatMap((e) => inValue('spread' in e ? e.spread : e.value, context, depth - 1));
    case 'list':
      return own.of.flatMap((item) => inValue(item.value, context, depth - 1));
    case 'choice':
      return own.of.flatMap((one) => inValue(one, context, depth - 1));
    case 'apply':
      return own.to.flatMap((one) => inValue(one, context, depth - 1));
    case 'missing-able':
      return inValue(own.of, context, depth - 1);
    case 'result': {
      const chain = own.path.length === 0 ? context.chain(own.chain) : undefined;
      const text = chain && literalText(chain);
      if (text) return holesOf(text, chain, context);
      // `fn('lower', literal(...))`, `where(literal(...), ...)`
      const last = chain?.steps.at(-1);
      return last?.arguments?.flatMap((a) => inValue(a, context, depth - 1)) ?? [];
    }
    default:
      return [];
  }
}

/** The text of `literal(text)`, `Sequelize.literal(text)`, `sequelize.literal(text)`. */
function literalText({ receiver, steps }: CallChain): Value | undefined {
  const last = steps.at(-1);
  const imported = receiver.kind === 'import' && steps.length === 1 && last?.name === '';
  const name = imported ? (receiver.path.at(-1) ?? receiver.name) : last?.name;
  return name === 'literal' && last?.arguments?.length === 1 ? last.arguments[0] : undefined;
}

function holesOf(text: Value, { span }: CallChain, context: LowerContext): readonly Interpolation[] {
  const found = text.kind === 'binding' || text.kind === 'import' ? context.resolve(text) : text;
  if (found.kind === 'constant') return [];
  if (found.kind !== 'text') return [{ position: 'fragment', value: found, quoted: false, span, around: 'literal(?)' }];
  const around = found.parts.map((p) => ('text' in p ? p.text : '?')).join('');
  return found.parts.flatMap((part, i): readonly Interpolation[] => {
    if ('text' in part) return [];
    const before = found.parts[i - 1];
    const isQuoted = before !== undefined && 'text' in before && before.text.endsWith("'");
    return [
      {
        position: isQuoted ? 'value' : 'fragment',
        value: part.hole,
        quoted: false,
        span: part.span,
        around: around.slice(0, 80),
      },
    ];
  });
}
