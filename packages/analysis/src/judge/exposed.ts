import { mapValue, type FileFacts, type Span, type Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { ExposedKey } from '../model.js';

/** Prefixes with which build tools put a variable into what browsers load. */
const published = /^(?:NEXT_PUBLIC|VITE|PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|REACT_APP|GATSBY|VUE_APP)_/;
/** What lifts policies: the key of the service role, a connection of the owner. */
const secret = /SERVICE_?ROLE|SERVICE_?KEY|SUPABASE_SECRET|SECRET_KEY_SUPABASE|DATABASE_URL|POSTGRES_URL/;

/** Where the program uses a key that lifts policies under a name that makes it public. */
export function exposedKeys(program: Program): readonly ExposedKey[] {
  const found = new Map<string, [Span, ...Span[]]>();
  // A value that is followed to another file is made of what files say; most programs say nothing of the kind.
  if (![...program.files.values()].some(mentionsKey)) return [];
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

/** By the facts of a file, which outlive the program they are linked in. */
const mentioned = new WeakMap<FileFacts, boolean>();

function mentionsKey(facts: FileFacts): boolean {
  let found = mentioned.get(facts);
  if (found === undefined) {
    const { bindings, chains, classes, functions } = facts;
    found = holdsKey(bindings) || holdsKey(chains) || holdsKey(classes) || holdsKey(functions);
    mentioned.set(facts, found);
  }
  return found;
}

/** Whether a part of facts, which are plain data, holds a name that nameIn finds. */
function holdsKey(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some(holdsKey);
  if ('kind' in node && node.kind === 'global' && nameIn(node as Value) !== undefined) return true;
  for (const key in node) if (holdsKey((node as Record<string, unknown>)[key])) return true;
  return false;
}

const isReference = (value: Value): boolean => value.kind === 'binding' || value.kind === 'import';

function nameIn(value: Value): string | undefined {
  let found: string | undefined;
  mapValue(value, (inner) => {
    if (inner.kind !== 'global') return inner;
    const name = inner.path.at(-1);
    if (name !== undefined && published.test(name) && secret.test(name)) found ??= name;
    return inner;
  });
  return found;
}
