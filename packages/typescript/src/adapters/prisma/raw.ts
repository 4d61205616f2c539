import type { Access, CallChain, Client, LowerContext, Lowered, Step, TextPart, Value } from '@tenant-lint/model';
import type { Expansion } from '../sql-pieces.js';
import { lowerSqlText } from '../sql-text.js';

/** Lowers `$queryRaw` and its kin: their SQL text goes to the SQL front end. */
export function lowerRaw(chain: CallChain, method: string, step: Step, client: Client, context: LowerContext): Lowered {
  const [text, ...rest] = step.arguments ?? [];
  if (text === undefined) return 'no access';
  if (method === '$runCommandRaw') return { unknown: 'a command of MongoDB', span: chain.span };
  if (method === '$queryRawTyped') return { unknown: 'typed SQL is in a file of its own', span: chain.span };
  const unsafe = method.endsWith('Unsafe');
  const { accesses, unchecked } = lowerSqlText(text, unsafe ? rest : undefined, {
    file: chain.span.file,
    library: 'prisma',
    id: chain.id,
    span: chain.span,
    context,
    holes: unsafe ? 'splice' : 'bind',
    expand: (hole) => fragment(hole, context),
  });
  const finish = (access: Access): Access => ({ ...access, method, client, chain: chain.id, function: chain.function });
  if (accesses.length > 0) {
    const [first, ...others] = accesses;
    const all = unchecked.length > 0 ? [...(first!.unchecked ?? []), ...unchecked] : first!.unchecked;
    return { accesses: [{ ...first!, ...(all ? { unchecked: all } : {}) }, ...others].map(finish) };
  }
  if (unchecked.length === 0) return { accesses: [] };
  const bare: Access = {
    id: chain.id,
    library: 'prisma',
    method,
    operation: 'raw',
    targets: [],
    client,
    span: chain.span,
    unchecked,
  };
  return { accesses: [finish(bare)] };
}

/** What a part made with Prisma.sql, Prisma.join, Prisma.raw or Prisma.empty stands for. */
function fragment(hole: Value, context: LowerContext): Expansion | undefined {
  const value = hole.kind === 'result' ? hole : context.resolve(hole);
  if (value.kind === 'import') return isPrisma(value) && memberOf(value) === 'empty' ? [] : undefined;
  if (value.kind !== 'result' || value.path.length > 0) return undefined;
  const chain = context.chain(value.chain);
  const last = chain?.steps.at(-1);
  if (!chain || !last?.arguments || chain.steps.slice(0, -1).some((s) => s.arguments) || !isPrisma(chain.receiver))
    return undefined;
  const member = last.name || memberOf(chain.receiver);
  const [first, separator, prefix, suffix] = last.arguments;
  if (first === undefined) return undefined;
  switch (member) {
    case 'sql':
      return first.kind === 'text'
        ? first.parts
        : first.kind === 'constant'
          ? [part(String(first.value), last)]
          : undefined;
    case 'raw': {
      const text = context.resolve(first);
      if (text.kind === 'constant') return [part(String(text.value), last)];
      return { identifier: first, quoted: false };
    }
    case 'join': {
      const list = context.resolve(first);
      if (list.kind !== 'list' || list.of.some((i) => i.spread || i.maybe))
        return { bind: { kind: 'element', of: first, path: ['*'] } };
      const between = constantText(separator, context) ?? ',';
      const parts = list.of.flatMap((item, i): TextPart[] => [
        ...(i > 0 ? [part(between, last)] : []),
        { hole: item.value, span: last.span },
      ]);
      return [
        part(constantText(prefix, context) ?? '', last),
        ...parts,
        part(constantText(suffix, context) ?? '', last),
      ];
    }
    default:
      return undefined;
  }
}

const isPrisma = (value: Value): boolean =>
  value.kind === 'import' &&
  (value.name === 'Prisma' || ((value.name === '*' || value.name === 'default') && value.path[0] === 'Prisma'));

const memberOf = (value: Value): string | undefined => ('path' in value ? value.path.at(-1) : undefined);

const part = (text: string, step: Step): TextPart => ({ text, start: step.span.start, exact: false });

function constantText(value: Value | undefined, context: LowerContext): string | undefined {
  const found = value && context.resolve(value);
  return found?.kind === 'constant' && typeof found.value === 'string' ? found.value : undefined;
}
