import type { FunctionFacts, FunctionId } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { LinkedAccess, OpenRoute } from '../model.js';
import type { Provenance } from '../trace/provenance.js';

export interface RoutesWorld {
  readonly program: Program;
  /** Accesses with the sources of what they take for the tenant. */
  readonly tenants: readonly { readonly access: LinkedAccess; readonly sources: readonly Provenance[] }[];
  /** What runs before a handler. */
  readonly before: (handler: FunctionId) => ReadonlySet<FunctionId>;
  /** Whether a function refuses callers without an identity. */
  readonly asks: (f: FunctionId) => boolean;
}

/** How many handlers have to agree before one that differs says something. */
const least = 2;

/** Handlers that read the tenant where a middleware puts it, and that this middleware does not run before, although it does for the others. */
export function openRoutes(world: RoutesWorld): readonly OpenRoute[] {
  const groups = new Map<string, Map<FunctionId, LinkedAccess>>();
  for (const { access, sources } of world.tenants) {
    for (const source of sources) {
      if (source.kind !== 'trusted' || source.at === undefined) continue;
      const entry = world.program.entryOf(source.at);
      if (entry?.kind !== 'http handler') continue;
      // By the property, whatever the handler calls its parameters.
      const name = source.path.join('.');
      if (name === '') continue;
      const handlers = groups.get(name) ?? new Map<FunctionId, LinkedAccess>();
      groups.set(name, handlers);
      if (!handlers.has(source.at)) handlers.set(source.at, access);
    }
  }
  const found = new Map<FunctionId, OpenRoute>();
  for (const [name, handlers] of groups) {
    const before = new Map([...handlers.keys()].map((h) => [h, world.before(h)]));
    const counts = new Map<FunctionId, number>();
    for (const functions of before.values())
      for (const f of functions) if (refuses(f, world)) counts.set(f, (counts.get(f) ?? 0) + 1);
    const [common] = [...counts].sort((a, b) => b[1] - a[1]);
    if (!common || common[1] < least || common[1] * 3 < handlers.size * 2) continue;
    const usual = [...counts].filter(([, n]) => n >= least).map(([f]) => f);
    for (const [handler, access] of handlers) {
      const own = before.get(handler)!;
      const f = world.program.function(handler);
      if (!f || usual.some((u) => own.has(u)) || world.asks(handler) || found.has(handler)) continue;
      const guard = world.program.function(common[0]);
      found.set(handler, {
        span: placeOf(f, world.program),
        property: name,
        guarded: common[1],
        ...(guard ? { guard: { ...(guard.name ? { name: guard.name } : {}), span: guard.span } } : {}),
        access,
      });
    }
  }
  return [...found.values()];
}

/** Whether a function may end a request: it leaves early somewhere, itself or in what it calls. */
const refuses = (id: FunctionId, { program, asks }: RoutesWorld): boolean =>
  asks(id) || (program.function(id)?.blocks.some((b) => b.because === 'exit' || b.because === 'branch') ?? false);

/** Where a handler is registered; a function that is declared by name stands for itself. */
function placeOf(f: FunctionFacts, program: Program): FunctionFacts['span'] {
  const chain = f.handedTo && program.chain(f.handedTo.chain);
  return chain?.span ?? f.span;
}
