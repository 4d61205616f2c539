import {
  and,
  equal,
  type Access,
  type CallChain,
  type Client,
  type LostCondition,
  type LowerContext,
  type Span,
  type Lowered,
  type Step,
  type Target,
} from '@tenant-lint/model';
import {
  addedBy,
  extensionsOf,
  extensionsOfSteps,
  handingOn,
  handlerOf,
  rewritten,
  type Extension,
} from './extension.js';

interface Call {
  readonly client: Client;
  readonly method: string;
  readonly step: Step;
}

/**
 * Lowers a call as the extensions of its client hand it on: with the arguments that they make of it. Where an extension adds a condition to
 * other operations only, the access says that it has lost it.
 */
export function throughExtensions<C extends Call>(
  chain: CallChain,
  call: C,
  property: string | undefined,
  context: LowerContext,
  lower: (call: C) => Lowered,
): Lowered {
  const at = chain.steps.indexOf(call.step);
  const extensions = [...extensionsOf(call.client.receiver, context), ...extensionsOfSteps(chain, at, context)];
  const model = property === undefined ? undefined : property.charAt(0).toUpperCase() + property.slice(1);
  if (extensions.length === 0) return lower(call);
  let [args] = call.step.arguments ?? [];
  const rest = (call.step.arguments ?? []).slice(1);

  const through: string[] = [];
  const skipped: Skipped[] = [];

  for (const extension of extensions) {
    const handler = handlerOf(extension, call.method, model, context);
    if (handler !== undefined) through.push(...handingOn(handler, context).map((c) => c.id));
    const changed =
      model === undefined
        ? undefined
        : rewritten(extension, { method: call.method, model, args: args ?? { kind: 'object', entries: [] } }, context);
    if (!changed) continue;
    args = changed.args;
    if (changed.skipped) skipped.push({ extension, at: changed.skipped });
  }
  const client: Client = {
    ...call.client,
    kind: 'extended',
    base: extensions.at(-1)!.base,
    ...(through.length > 0 ? { through } : {}),
  };
  const lowered = lower({
    ...call,
    client,
    step: model === undefined || !args ? call.step : { ...call.step, arguments: [args, ...rest] },
  });
  if (typeof lowered === 'string' || 'unknown' in lowered) return lowered;
  return { accesses: lowered.accesses.map((access) => withLost(access, extensions, skipped, context)) };
}

/** An extension that adds nothing where a value is missing, and where it hands the operation on then. */
interface Skipped {
  readonly extension: Extension;
  readonly at: Span;
}

/** Notes for each table what the extensions add to other operations and not to this one. */
function withLost(
  access: Access,
  extensions: readonly Extension[],
  skipped: readonly Skipped[],
  context: LowerContext,
): Access {
  const lost = access.targets.flatMap((target) => [
    ...lostFor(target, extensions, context),
    ...skipped.flatMap(({ extension, at }) =>
      lostFor(target, [extension], context).map((one): LostCondition => ({ ...one, how: 'skipped', at })),
    ),
  ]);
  return lost.length > 0 ? { ...access, lost: [...(access.lost ?? []), ...lost] } : access;
}

function lostFor(target: Target, extensions: readonly Extension[], context: LowerContext): LostCondition[] {
  if (target.operation === 'create' || !target.table.known) return [];
  const table = context.table(target.table.value);
  const alias = table?.aliases.find((a) => a.by === 'model' && a.library === 'prisma');
  if (!table || !alias) return [];
  return extensions.flatMap((extension): LostCondition[] => {
    const { where, operations } = addedBy(extension, alias.name, context);
    const conditions = [...where].flatMap(([name, value]) => {
      const column = columnOf(name, table);
      return column === undefined ? [] : [equal({ kind: 'column', target: target.ref, column }, value)];
    });
    return conditions.length === 0
      ? []
      : [{ how: 'uncovered', predicate: and(...conditions), covers: operations, span: extension.span }];
  });
}

function columnOf(
  name: string,
  table: { readonly columns: ReadonlyMap<string, { readonly property?: string }> },
): string | undefined {
  for (const [column, { property }] of table.columns) if ((property ?? column) === name) return column;
  return undefined;
}
