import { propertyOf, type LowerContext, type Step, type TableName, type Value } from '@tenant-lint/model';
import { modelName } from './declare.js';
import { classOf, exportOf, textIn } from './models.js';

/** The model that a receiver is. `proven`: by where it comes from, and not only by its name. */
export interface ModelRef {
  readonly name: TableName;
  readonly proven: boolean;
  /** What was called on it before: scope, unscoped, schema. */
  readonly steps: readonly Step[];
}

const passing = new Set(['scope', 'unscoped', 'schema', 'withScope']);

/** The model behind a receiver and the steps before an operation; undefined where it is none. */
export function modelOf(receiver: Value, before: readonly Step[], context: LowerContext): ModelRef | undefined {
  const calls = before.filter((s) => s.arguments !== undefined);
  if (calls.some((s) => !passing.has(s.name) && s.name !== 'model')) return undefined;
  const at = before.findIndex((s) => s.arguments !== undefined);
  const reads = at < 0 ? before : before.slice(0, at);
  const made = calls.find((s) => s.name === 'model');
  if (made) {
    const name = textIn(made.arguments?.[0], context);
    const ref = name === undefined ? undefined : modelName(name);
    return ref && context.table(ref) ? { name: ref, proven: true, steps: calls.filter((s) => s !== made) } : undefined;
  }
  const value = reads.filter((s) => s.name !== '').reduce<Value>((v, s) => propertyOf(v, s.name), receiver);
  const found = proven(value, context, 0) ?? byName(value, context);
  return found && { ...found, steps: [...found.steps, ...calls] };
}

function proven(value: Value, context: LowerContext, depth: number): ModelRef | undefined {
  if (depth > 10) return undefined;
  const again = (v: Value): ModelRef | undefined => proven(v, context, depth + 1);
  const declared = context.tableOf(value);
  if (declared.known) {
    const own = context.table(declared.value)?.aliases.find((a) => a.by === 'model' && a.library === 'sequelize');
    return own && { name: own, proven: true, steps: [] };
  }
  const typed = context.typeOf(value);
  const of = typed && /^(?:typeof\s+(\w+)|(?:ModelStatic|ModelCtor|ModelDefined|Repository)<\s*(\w+))/.exec(typed.text);
  const name = of?.[1] ?? of?.[2];
  if (name !== undefined && context.table(modelName(name))) return { name: modelName(name), proven: true, steps: [] };
  switch (value.kind) {
    case 'missing-able':
      return again(value.of);
    case 'choice':
      return value.of.map(again).find((m) => m !== undefined);
    case 'object': {
      const [first] = value.entries;
      return first && 'spread' in first ? again(first.spread) : undefined;
    }
    case 'this': {
      // A static method of the model itself.
      const own = value.path.length === 0 ? classOf(value, context) : undefined;
      if (own && context.table({ by: 'binding', ...own })) return again({ kind: 'binding', ...own, path: [] });
      break;
    }
    case 'result': {
      const chain = value.path.length === 0 ? context.chain(value.chain) : undefined;
      if (chain && chain.steps.length > 0) {
        const last = chain.steps.at(-1)!;
        if (passing.has(last.name) || last.name === 'model') return modelOf(chain.receiver, chain.steps, context);
        if (last.name === 'define') {
          const called = textIn(last.arguments?.[0], context);
          if (called !== undefined && context.table(modelName(called)))
            return { name: modelName(called), proven: true, steps: [] };
        }
      }
      break;
    }
    default:
  }
  const resolved = context.resolve(value);
  return resolved === value ? undefined : again(resolved);
}

/** What is called like a model of the program: `db.Invoice`, `models.Invoice`. */
function byName(value: Value, context: LowerContext): ModelRef | undefined {
  if (!('path' in value) || value.kind === 'input' || value.kind === 'row') return undefined;
  const last = value.path.at(-1) ?? ('name' in value ? value.name : undefined);
  if (last === undefined) return undefined;
  const candidates = [last, last.replace(/Model$/, '')].filter((n) => n !== '' && /^[A-Za-z]/.test(n));
  const name = candidates.find((c) => context.table(modelName(c)) !== undefined);
  if (
    name === undefined ||
    (name.charAt(0) !== name.charAt(0).toUpperCase() && value.kind !== 'import' && value.path.length === 0)
  )
    return undefined;
  return { name: modelName(name), proven: false, steps: [] };
}

/** Whether a receiver is a connection: `new Sequelize(...)`, what is typed so, or what is called so. */
export function isConnection(value: Value, context: LowerContext, depth = 0): boolean {
  if (depth > 8) return false;
  const type = context.typeOf(value);
  if (type && /^(?:\w+\.)?Sequelize\b/.test(type.text)) return true;
  if (value.kind === 'instance') return exportOf(context.resolve(value.of))?.split('.').at(-1) === 'Sequelize';
  if (value.kind === 'missing-able') return isConnection(value.of, context, depth + 1);
  const last = 'path' in value ? (value.path.at(-1) ?? ('name' in value ? value.name : undefined)) : undefined;
  if (last !== undefined && /^sequelize$/i.test(last)) return true;
  const resolved = context.resolve(value);
  return resolved !== value && isConnection(resolved, context, depth + 1);
}
