import type { Access, Adapter, FileFacts, Known, LowerContext, TableName, Value } from '@tenant-lint/model';
import { drizzle } from '../../src/adapters/drizzle/index.js';
import { extractTypescript } from '../../src/extract/index.js';
import { fakeContext } from './context.js';

/** Facts of several files, by path. */
export const factsOf = (files: Readonly<Record<string, string>>): FileFacts[] =>
  Object.entries(files).map(([file, text]) => extractTypescript(text, { file }));

/** The stand-in for linking, with the tables that code declares found through imports and by the name of their binding. */
export function drizzleContext(facts: readonly FileFacts[]): LowerContext {
  const context = fakeContext(facts, { adapter: drizzle });
  const bound = new Map<string, TableName[]>();
  for (const file of facts) {
    for (const event of drizzle.declarations?.(file, context) ?? []) {
      if (event.action.do !== 'create table') continue;
      for (const alias of event.action.aliases) bound.set(alias.name, [...(bound.get(alias.name) ?? []), alias]);
    }
  }
  const declaring = (value: Value, steps = 12): TableName | undefined => {
    if (steps === 0) return undefined;
    if (value.kind === 'binding') {
      const own = (bound.get(value.name) ?? []).find((t) => t.by === 'binding' && t.file === value.file);
      if (own) return value.path.length === 0 ? own : undefined;
      const next = context.facts(value.file)?.bindings[value.name];
      return next && value.path.length === 0 ? declaring(next, steps - 1) : undefined;
    }
    if (value.kind !== 'import' || value.path.length > 1) return undefined;
    const name = value.name === '*' ? value.path[0] : value.path.length === 0 ? value.name : undefined;
    const folder = value.from.includes('/') ? value.from.slice(0, value.from.lastIndexOf('/') + 1) : '';
    const file = `${folder}${value.module.replace(/^\.\//, '').replace(/\.js$/, '')}.ts`;
    return name !== undefined && value.module.startsWith('.')
      ? declaring({ kind: 'binding', file, name, path: [] }, steps - 1)
      : undefined;
  };
  return {
    ...context,
    tableOf(value): Known<TableName> {
      const found = declaring(value);
      return found ? { known: true, value: found } : { known: false, reason: 'no table' };
    },
    tablesBound: (name) => bound.get(name) ?? [],
    relation(name, relation) {
      const found = context.relation(name, relation);
      if (!found || found.columns.length > 0) return found;
      // The other side says which columns tie the rows, as it does when the schema is folded.
      const own = context.table(name);
      const back = context.table(found.to)?.relations.find((r) => r.to === own?.id && r.columns.length > 0);
      return back ? { ...found, columns: back.references, references: back.columns } : found;
    },
  };
}

/** What became of every chain that an adapter took, in order. */
export function loweredBy(
  adapter: Adapter,
  facts: readonly FileFacts[],
  context: LowerContext,
): { accesses: Access[]; unknown: string[] } {
  const accesses: Access[] = [];
  const unknown: string[] = [];
  for (const chain of facts.flatMap((f) => f.chains)) {
    const lowered = adapter.lower(chain, context);
    if (typeof lowered === 'string') continue;
    if ('unknown' in lowered) unknown.push(lowered.unknown);
    else accesses.push(...lowered.accesses);
  }
  return { accesses, unknown };
}
