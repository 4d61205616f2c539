import { mapValue, type Span, type Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { ExposedKey } from '../model.js';

/** What lifts policies: the key of the service role, a connection of the owner. */
const secret = /SERVICE_?ROLE|SERVICE_?KEY|SUPABASE_SECRET|SECRET_KEY_SUPABASE|DATABASE_URL|POSTGRES_URL/;

/** Where the program uses a key that lifts policies under a name that makes it public. */
export function exposedKeys(program: Program): readonly ExposedKey[] {
  const found = new Map<string, [Span, ...Span[]]>();
  const names = new Set<string>();
  for (const facts of program.files.values())
    for (const name of facts.published ?? []) if (secret.test(name)) names.add(name);
  if (names.size === 0) return [];
  const nameIn = (value: Value): string | undefined => {
    let key: string | undefined;
    mapValue(value, (inner) => {
      if (inner.kind === 'global' && names.has(inner.path.at(-1) ?? '')) key ??= inner.path.at(-1);
      return inner;
    });
    return key;
  };
  for (const facts of program.files.values()) {
    for (const chain of facts.chains) {
      for (const argument of chain.steps.flatMap((s) => s.arguments ?? [])) {
        const name = nameIn(argument) ?? (isReference(argument) ? nameIn(program.resolve(argument)) : undefined);
        if (name === undefined) continue;
        const spans = found.get(name);
        if (spans) spans.push(chain.span);
        else found.set(name, [chain.span]);
      }
    }
  }
  return [...found].map(([name, spans]) => ({ name, spans }));
}

const isReference = (value: Value): boolean => value.kind === 'binding' || value.kind === 'import';
