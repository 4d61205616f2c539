import {
  valueAt,
  type Access,
  type Adapter,
  type CallChain,
  type FileFacts,
  type Known,
  type LowerContext,
  type Table,
  type TableName,
  type TypeName,
  type Value,
} from '@tenant-lint/model';
import { tablesOf } from './tables.js';

/** What a test may set besides the files. */
export interface ContextSettings {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly versions?: Readonly<Record<string, string>>;
  /** Declared schemas of code: the adapter whose `declarations` are asked. */
  readonly adapter?: Adapter;
}

/**
 * A small stand-in for linking: resolves bindings, relative imports and single-return helpers between the given files, and knows the
 * tables that their schema events create. It folds nothing but 'create table' and 'add relations'.
 */
export function fakeContext(files: readonly FileFacts[], settings: ContextSettings = {}): LowerContext {
  const byName = new Map(files.map((f) => [f.file, f]));
  const chains = new Map(files.flatMap((f) => f.chains.map((c) => [c.id, c] as const)));
  const functions = new Map(files.flatMap((f) => f.functions.map((c) => [c.id, c] as const)));
  const link = {
    resolve: (value: Value): Value => resolve(value, 20),
    chain: (id: string) => chains.get(id),
    function: (id: string) => functions.get(id),
    typeOf,
    version: (_file: string, name: string): string | undefined => settings.versions?.[name],
    facts: (file: string) => byName.get(file),
  };
  const declared = files.flatMap((f) => [...f.schema, ...(settings.adapter?.declarations?.(f, link) ?? [])]);
  const tables = tablesOf(declared);
  const table = (name: TableName): Table | undefined => tables.find((t) => names(t, name));
  return {
    ...link,
    table,
    tableOf(value): Known<TableName> {
      const found = link.resolve(value);
      const at = [value, found].find(
        (v) => v.kind === 'binding' && table({ by: 'binding', file: v.file, name: v.name }),
      );
      return at?.kind === 'binding'
        ? { known: true, value: { by: 'binding', file: at.file, name: at.name } }
        : { known: false, reason: 'no table' };
    },
    relation(name, relation) {
      const found = table(name)?.relations.find((r) => r.name === relation);
      const to = found && tables.find((t) => t.id === found.to);
      return found && to ? { ...found, to: to.aliases[0] ?? { by: 'sql', ...to.name } } : undefined;
    },
    hasSchema: tables.length > 0,
    options: settings.options ?? {},
  };

  function resolve(value: Value, steps: number): Value {
    if (steps === 0) return value;
    const go = (next: Value | undefined, path: readonly string[]): Value => {
      if (!next || next === value) return value;
      const opaque = path.length > 0 && ['instance', 'result', 'unknown', 'function'].includes(next.kind);
      return opaque ? value : resolve(valueAt(next, path), steps - 1);
    };
    if (value.kind === 'binding') {
      const facts = byName.get(value.file);
      const imported = facts?.imports.find((i) => i.local === value.name);
      if (imported)
        return go(
          { kind: 'import', from: value.file, module: imported.module, name: imported.name, path: [] },
          value.path,
        );
      return go(facts?.bindings[value.name], value.path);
    }
    if (value.kind === 'import') {
      const target = relative(value.from, value.module);
      const local = target?.exports.find((e) => e.name === value.name);
      return target && local && 'local' in local
        ? go({ kind: 'binding', file: target.file, name: local.local, path: [] }, value.path)
        : value;
    }
    if (value.kind === 'result' && value.path.length === 0) {
      // A helper with one return; its parameters stay what they are.
      const chain = chains.get(value.chain);
      const [step] = chain?.steps ?? [];
      const callee =
        chain && chain.steps.length === 1 && step?.name === '' ? resolve(chain.receiver, steps - 1) : value;
      const returns = callee.kind === 'function' ? functions.get(callee.function)?.returns : undefined;
      return returns?.length === 1 ? go(returns[0]!.value, []) : value;
    }
    if (value.kind === 'this') {
      const [name, ...rest] = value.path;
      const found = byName.get(value.from)?.classes.find((c) => c.name === value.class);
      return name === undefined ? value : go(found?.fields[name]?.value, rest);
    }
    return value;
  }

  function relative(from: string, module: string): FileFacts | undefined {
    if (!module.startsWith('.')) return undefined;
    const folder = from.split('/').slice(0, -1);
    for (const part of module.split('/'))
      if (part === '..') folder.pop();
      else if (part !== '.') folder.push(part);
    const path = folder.join('/').replace(/\.js$/, '');
    return ['.ts', '.tsx', '/index.ts', '.js'].map((end) => byName.get(path + end)).find((f) => f !== undefined);
  }

  function typeOf(value: Value): TypeName | undefined {
    if (value.kind === 'parameter') {
      let type = functions.get(value.function)?.parameters[value.index]?.type;
      for (const name of value.path) type = type?.properties?.[name];
      return type;
    }
    if (value.kind === 'this' && value.path.length === 1) {
      const found = byName.get(value.from)?.classes.find((c) => c.name === value.class);
      return found?.fields[value.path[0]!]?.type;
    }
    return undefined;
  }
}

function names(table: Table, name: TableName): boolean {
  if (name.by === 'sql')
    return table.name.name === name.name && (table.name.schema ?? 'public') === (name.schema ?? 'public');
  return table.aliases.some(
    (a) =>
      a.by === name.by && a.name === name.name && (a.by !== 'binding' || name.by !== 'binding' || a.file === name.file),
  );
}

/** Every access of the given files, in the order of their chains. Chains that are recognised but not understood are errors. */
export function accessesOf(
  adapter: Adapter,
  files: readonly FileFacts[],
  settings: ContextSettings = {},
): readonly Access[] {
  const context = fakeContext(files, { adapter, ...settings });
  return files
    .flatMap((f) => f.chains)
    .flatMap((chain: CallChain): readonly Access[] => {
      const lowered = adapter.lower(chain, context);
      if (typeof lowered === 'string') return [];
      if ('unknown' in lowered) throw new Error(`not understood: ${lowered.unknown}`);
      return lowered.accesses;
    });
}
