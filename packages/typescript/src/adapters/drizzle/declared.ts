import type { CallChain, LinkContext, ObjectName, Span, TableName, Value } from '@tenant-lint/model';
import { splitPath, type Call } from '../query-text/calls.js';
import { callOf, chainOf, functionCall, schemaFunctions, tableFunctions } from './names.js';

/** A call that declares a table. */
export interface DeclaredTable {
  readonly chain: CallChain;
  readonly name: ObjectName;
  /** The columns: an object, or a function that makes one of the column builders. */
  readonly columns: Value | undefined;
  readonly extras: Value | undefined;
  /** `.enableRLS()`, `pgTable.withRLS(...)`. */
  readonly rowSecurity?: Span;
}

/** The table that a chain declares, if it declares one whose name is known. */
export function declaredTable(chain: CallChain, context: LinkContext): DeclaredTable | undefined {
  const call = callOf(chain);
  const found = tableCall(call, context);
  const name = found?.arguments[0] && textOf(found.arguments[0], context);
  if (!found || name === undefined) return undefined;
  const enable = call.steps.find((s) => s.name === 'enableRLS' || s.name === 'withRLS');
  return {
    chain,
    name: {
      ...(found.schema === undefined ? {} : { schema: found.schema }),
      name: found.rename ? found.rename(name) : name,
    },
    columns: found.arguments[1],
    extras: found.arguments[2],
    ...(enable ? { rowSecurity: enable.span } : {}),
  };
}

interface TableCall {
  readonly arguments: readonly Value[];
  readonly schema?: string;
  readonly rename?: (name: string) => string;
}

function tableCall(call: Call, context: LinkContext): TableCall | undefined {
  const f = functionCall(call, context);
  if (f && tableFunctions[f.name] === 'table') return { arguments: f.arguments };
  const at = call.steps.findIndex((s) => s.arguments !== undefined);
  const step = call.steps[at];
  if (!step?.arguments) return undefined;
  const { base } = call;
  // pgTable.withRLS('name', ...)
  if (step.name === 'withRLS' && base.kind === 'import' && tableFunctions[base.name] === 'table')
    return { arguments: step.arguments };
  // pgSchema('x').table('name', ...), in one chain or through a name.
  const schema = step.name === 'table' ? chainOf(base, context) : undefined;
  const inner = schema && functionCall(callOf(schema), context);
  if (inner && schemaFunctions.has(inner.name)) return inSchema(inner.arguments[0], step.arguments, context);
  const next = call.steps[at + 1];
  if (f && schemaFunctions.has(f.name) && next?.name === 'table' && next.arguments)
    return inSchema(f.arguments[0], next.arguments, context);
  // const createTable = pgTableCreator((name) => `app_${name}`)
  const creator = step.name === '' ? chainOf(base, context) : undefined;
  const made = creator && functionCall(callOf(creator), context);
  if (made && tableFunctions[made.name] === 'creator')
    return { arguments: step.arguments, rename: renaming(made.arguments[0], context) };
  return undefined;
}

function inSchema(schema: Value | undefined, args: readonly Value[], context: LinkContext): TableCall {
  const name = schema && textOf(schema, context);
  return { arguments: args, ...(name === undefined ? {} : { schema: name }) };
}

/** What the function of a table creator makes of a name. */
function renaming(value: Value | undefined, context: LinkContext): (name: string) => string {
  const f = value?.kind === 'function' ? context.function(value.function) : undefined;
  const returned = f?.returns[0]?.value;
  if (!f || !returned || value?.kind !== 'function') return (name) => name;
  return (name) =>
    textOf(returned, context, (v) =>
      v.kind === 'parameter' && v.function === f.id && v.index === 0 ? name : undefined,
    ) ?? name;
}

/** The text of a constant, or of a template all of whose holes are constants. */
export function textOf(
  value: Value,
  context: LinkContext,
  by?: (hole: Value) => string | undefined,
): string | undefined {
  const given = by?.(value);
  if (given !== undefined) return given;
  if (value.kind === 'constant') return value.value === null ? undefined : String(value.value);
  if (value.kind === 'text') {
    let text = '';
    for (const part of value.parts) {
      const next = 'text' in part ? part.text : textOf(part.hole, context, by);
      if (next === undefined) return undefined;
      text += next;
    }
    return text;
  }
  const resolved = context.resolve(value);
  return resolved !== value && (resolved.kind === 'constant' || resolved.kind === 'text')
    ? textOf(resolved, context, by)
    : undefined;
}

/** The name of the module-level binding that holds the result of a chain, by which other code knows it. */
export function bindingOf(chain: CallChain, context: LinkContext): string | undefined {
  const bindings = context.facts(chain.span.file)?.bindings ?? {};
  for (const [name, value] of Object.entries(bindings)) {
    if (value.kind === 'result' && value.chain === chain.id && value.path.length === 0) return name;
  }
  return undefined;
}

/** The declaration behind a value that is a table, or a column of one (then with the property). */
export function declarationOf(
  value: Value,
  context: LinkContext,
): { table: DeclaredTable; name: TableName; property?: string } | undefined {
  const { base, path } = splitPath(value);
  for (let length = 0; length <= Math.min(path.length, 2); length++) {
    const found = declarationAt(base, path.slice(0, length), context);
    if (!found) continue;
    const rest = [...found.rest, ...path.slice(length)];
    if (rest.length > 1) return undefined;
    const binding = bindingOf(found.table.chain, context);
    const { schema, name } = found.table.name;
    const table: TableName = binding
      ? { by: 'binding', file: found.table.chain.span.file, name: binding }
      : { by: 'sql', ...(schema === undefined ? {} : { schema }), name };
    return { table: found.table, name: table, ...(rest[0] === undefined ? {} : { property: rest[0] }) };
  }
  return undefined;
}

function declarationAt(
  base: Value,
  path: readonly string[],
  context: LinkContext,
): { table: DeclaredTable; rest: readonly string[] } | undefined {
  const value: Value = path.length === 0 ? base : 'path' in base ? { ...base, path } : base;
  const resolved = splitPath(value.kind === 'result' ? value : context.resolve(value));
  const chain = resolved.base.kind === 'result' ? context.chain(resolved.base.chain) : undefined;
  const table = chain && declaredTable(chain, context);
  return table && { table, rest: resolved.path };
}
