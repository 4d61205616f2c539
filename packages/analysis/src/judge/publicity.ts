import type { EntryPoint, FunctionId, Table, Value } from '@tenant-lint/model';
import { uniqueKeys } from '../fold/index.js';
import type { Program } from '../link/program.js';
import type { Provenance } from '../trace/provenance.js';

const maxDepth = 5;

/**
 * Whether an entry point refuses callers without an identity. Where others of its kind do, one that does not serves the public: what it reads
 * is published, if the table says so.
 */
export class Publicity {
  readonly #memo = new Map<FunctionId, boolean>();
  #kinds: ReadonlySet<string> | undefined;

  constructor(
    private readonly program: Program,
    private readonly sourcesOf: (value: Value) => readonly Provenance[],
    /** The answer of the program as it was. */
    private readonly before?: () => ReadonlySet<string>,
  ) {}

  /** Whether a function that the outside world calls asks nobody who they are, though others of its kind do. */
  isPublic(id: FunctionId, entry: EntryPoint): boolean {
    if (!checkable.test(entry.kind) || this.#asks(id, maxDepth)) return false;
    return this.askingKinds().has(entry.kind);
  }

  /** Whether a function refuses callers without an identity, itself or in what it calls. */
  asks(id: FunctionId): boolean {
    return this.#asks(id, maxDepth);
  }

  /** The kinds of entry points of which some ask for an identity: there the absence of the question means something. */
  askingKinds(): ReadonlySet<string> {
    return (this.#kinds ??= this.before?.() ?? this.#findKinds());
  }

  #findKinds(): ReadonlySet<string> {
    const kinds = new Set<string>();
    for (const facts of this.program.files.values()) {
      for (const f of facts.functions) {
        const kind = this.program.entryOf(f.id)?.kind;
        if (kind !== undefined && !kinds.has(kind) && this.#asks(f.id, maxDepth)) kinds.add(kind);
      }
    }
    return kinds;
  }

  #asks(id: FunctionId, depth: number): boolean {
    const known = this.#memo.get(id);
    if (known !== undefined) return known;
    const f = this.program.function(id);
    if (!f || depth <= 0) return false;
    this.#memo.set(id, false);
    const facts = this.program.facts(f.span.file);
    const closures = facts?.functions.filter((g) => g.parent === id).map((g) => g.id) ?? [];
    const outer = f.handedTo && this.program.chain(f.handedTo.chain);
    const found =
      f.blocks.some((b) => b.because === 'exit' && b.holds && this.#isAboutIdentity(b.holds)) ||
      closures.some((c) => this.#asks(c, depth)) ||
      (outer !== undefined && this.#builtWith({ kind: 'result', chain: outer.id, path: [] }, depth, id)) ||
      this.program.chainsOf(id).some((chain) => {
        const callee = this.program.calleeOf(chain);
        return callee !== undefined && this.#asks(callee.function, depth - 1);
      });
    this.#memo.set(id, found);
    return found;
  }

  /** Whether a wrapper or builder asks: itself, in what it was handed, or in what it was built from: `t.procedure.use(signedIn)`. */
  #builtWith(value: Value, depth: number, except: FunctionId): boolean {
    if (depth <= 0) return false;
    const resolved = this.program.resolve(value);
    if (resolved.kind === 'function') {
      const { function: id } = resolved;
      return id !== except && (this.#asks(id, depth - 1) || this.#refusesByContext(id));
    }
    if (resolved.kind !== 'result') return false;
    const chain = this.program.chain(resolved.chain);
    if (!chain) return false;
    const callee = this.program.calleeOf(chain);
    return (
      (callee !== undefined && callee.function !== except && this.#asks(callee.function, depth - 1)) ||
      chain.steps.some((s) => s.arguments?.some((a) => this.#builtWith(a, depth - 1, except))) ||
      this.#builtWith(chain.receiver, depth - 1, except)
    );
  }

  /** A middleware that goes on only if there is something in the context that it was handed: `if (!ctx.session) throw`. */
  #refusesByContext(id: FunctionId): boolean {
    const isOfContext = (value: Value): boolean => {
      if (value.kind === 'missing-able') return isOfContext(value.of);
      if (value.kind === 'apply') return value.to.some(isOfContext);
      if (value.kind !== 'parameter' || value.function !== id) return false;
      return value.path.some((name) => !/input|params|query|body/i.test(name));
    };
    return (
      this.program.function(id)?.blocks.some((b) => b.because === 'exit' && b.holds && isOfContext(b.holds)) ?? false
    );
  }

  #isAboutIdentity(condition: Value): boolean {
    if (condition.kind === 'missing-able') return this.#isAboutIdentity(condition.of);
    if (condition.kind === 'apply') return condition.to.some((v) => this.#isAboutIdentity(v));
    if (condition.kind === 'constant') return false;
    if ('path' in condition && condition.path.at(-1) === 'method') return false;
    return this.sourcesOf(condition).some((s) => s.kind === 'trusted');
  }
}

/** Kinds of entry points whose protection stands in their code, not in middleware registered elsewhere. */
const checkable = /^(?:trpc procedure|server action|next (?:page|layout|route handler|api handler)|remix loader)$/;

/**
 * Whether the columns of a table say that its rows are shown to the public: an address on the network, a switch, a share link. A slug does not:
 * projects have one too.
 */
export function isPublished(table: Table): boolean {
  const alone = new Set(uniqueKeys(table).flatMap((key) => (key.length <= 2 ? key : [])));
  return [...table.columns.values()].some((column) => {
    const name = column.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
    return published.test(name) || (address.test(name) && alone.has(column.name));
  });
}

const published =
  /^(?:is_)?(?:published|public|listed)(?:_|$)|^(?:publicly|share|shared)_|^(?:visibility|custom_domain|access_type|password_protected)$/;
const address = /(?:^|_)(?:domain|subdomain|short_?link|short_?url)$/;
