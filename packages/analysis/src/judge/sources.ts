import type { Confidence, FunctionId, Reason, Table, Target, Value } from '@tenant-lint/model';
import { referencesOf } from '../fold/index.js';
import type { Program } from '../link/program.js';
import type { LinkedAccess } from '../model.js';
import type { InputProvenance, Provenance } from '../trace/provenance.js';
import { best, isSecret, worst } from './confidence.js';
import { isPublished } from './publicity.js';
import type { Reached } from './reach.js';
import { pinnedKey, type Pin } from './selection.js';

/** What the values that pick the rows say about whose rows they are. */
export type Derived =
  | { readonly kind: 'safe'; readonly reason: Reason; readonly evidence: 'derived' | 'intended' }
  /** A foreign value can be the one that picks the row. */
  | { readonly kind: 'foreign'; readonly confidence: Confidence; readonly reasons: readonly Reason[] }
  /** It hangs on another access, which is reported by itself. */
  | { readonly kind: 'open'; readonly reason: Reason }
  | { readonly kind: 'unpinned' };

/** What is needed to judge by where the picking values come from. */
export interface SourceWorld {
  readonly program: Program;
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  /** Whether the rows that a chain returned are the tenant's own. */
  readonly rowIsOwn: (chain: string) => 'own' | 'foreign' | 'unknown';
  readonly reachOf: (f: FunctionId) => Reached;
  /** A call on the way from the request that may check it, and whose body is not in the program. */
  readonly unreadOf: (source: InputProvenance, access: LinkedAccess) => Reason | undefined;
}

/** Judges accesses by the values that pick their rows: who supplies them, and on which way. */
export class Sources {
  constructor(private readonly world: SourceWorld) {}

  /** Whether a key of the row is pinned by a value that only the tenant's own data supplies. */
  of(pins: readonly Pin[], table: Table, target: Target, access: LinkedAccess): Derived {
    const keyColumns = new Set([...pinnedKey(pins, table), ...referencesOf(table).flatMap((r) => r.columns)]);
    let worstFound: Exclude<Derived, { kind: 'safe' }> = { kind: 'unpinned' };
    for (const pin of pins) {
      if (!keyColumns.has(pin.column)) continue;
      const sources = this.world.sourcesOf(pin.value);
      const found = this.#judgeSources(pin, sources, table, target, access);
      if (found.kind === 'safe') return found;
      if (worstFound.kind === 'unpinned' || found.kind === 'foreign') worstFound = found;
    }
    return worstFound;
  }

  #judgeSources(pin: Pin, sources: readonly Provenance[], table: Table, target: Target, access: LinkedAccess): Derived {
    const reasons: Reason[] = [];
    let open: Reason | undefined;
    let confidence: Confidence | undefined;
    let staff = false;
    for (const source of sources) {
      switch (source.kind) {
        case 'trusted':
          continue;
        case 'row': {
          const own = this.world.rowIsOwn(source.chain);
          if (own === 'own') continue;
          open = {
            text: `${pin.column} comes from a row that is itself ${own === 'foreign' ? 'not isolated' : 'undecided'}`,
            ...this.#spanOf(source.chain),
          };
          continue;
        }
        case 'input': {
          const reached = source.at === undefined ? undefined : this.world.reachOf(source.at);
          if (reached === 'staff') {
            staff = true;
            continue;
          }
          const unread = this.world.unreadOf(source, access);
          const own = isSecret(pin.column) ? 'possible' : source.assumed || unread ? 'likely' : 'certain';
          confidence = best(confidence, this.#within(reached, own, table, target));
          reasons.push(
            { text: `${pin.column} is ${source.what} of the request` },
            ...source.via,
            ...(unread ? [unread] : []),
          );
          continue;
        }
        case 'parameter': {
          const f = this.world.program.function(source.function);
          const reached = this.world.reachOf(source.function);
          if (reached === 'staff') {
            staff = true;
            continue;
          }
          const own = this.#isExported(source.function) && !isSecret(pin.column) ? 'likely' : 'possible';
          confidence = best(confidence, this.#within(reached, own, table, target));
          reasons.push(
            {
              text: `${pin.column} is parameter ${source.name}${f?.name ? ` of ${f.name}` : ''}`,
              ...(f ? { span: f.span } : {}),
            },
            ...source.via,
          );
          continue;
        }
        case 'constant':
          continue;
        case 'unknown':
          confidence = best(confidence, 'possible');
          reasons.push({ text: `where ${pin.column} comes from is not known: ${source.reason}`, span: target.span });
      }
    }
    // A way that was not followed to its end may be the one on which it is checked.
    if (confidence === 'certain' && sources.some((s) => s.kind === 'unknown')) confidence = 'likely';
    if (confidence !== undefined && confidence !== 'possible') return { kind: 'foreign', confidence, reasons };
    if (open) return { kind: 'open', reason: open };
    if (confidence) return { kind: 'foreign', confidence, reasons };
    const bySource = sources.some((s) => s.kind === 'trusted' || s.kind === 'row');
    if (staff && !bySource)
      return {
        kind: 'safe',
        evidence: 'intended',
        reason: { text: 'only the staff gets here', span: target.span },
      };
    if (bySource || staff)
      return {
        kind: 'safe',
        evidence: 'derived',
        reason: {
          text: `${table.name.name}.${pin.column} is pinned by a value of the tenant's own data`,
          span: target.span,
        },
      };
    return {
      kind: 'foreign',
      confidence: 'possible',
      reasons: [{ text: `${pin.column} is a fixed value`, span: target.span }],
    };
  }

  #spanOf(chain: string): { span?: Reason['span'] & object } {
    const span = this.world.program.chain(chain)?.span;
    return span ? { span } : {};
  }

  #isExported(id: string): boolean {
    const f = this.world.program.function(id);
    const facts = f && this.world.program.facts(f.span.file);
    if (!f || !facts) return false;
    if (f.class !== undefined) return facts.exports.some((e) => 'local' in e && e.local === f.class);
    const names = Object.entries(facts.bindings).flatMap(([name, value]) => (this.#denotes(value, id) ? [name] : []));
    return facts.exports.some((e) => 'local' in e && (e.local === f.name || names.includes(e.local)));
  }

  /** Whether a binding holds the function, directly or as what a wrapper makes of it. */
  #denotes(value: Value, id: string): boolean {
    if (value.kind === 'function') return value.function === id;
    if (value.kind !== 'result') return false;
    return this.world.program.function(id)?.handedTo?.chain === value.chain;
  }

  /** What a source is worth on the way it comes: the system's own requests, the public where the table is published. */
  #within(reached: Reached | undefined, own: Confidence, table: Table, target: Target): Confidence {
    if (reached === 'system' || (reached === 'no request' && own !== 'certain')) return 'possible';
    return reached === 'public' && target.operation === 'read' && isPublished(table) ? worst(own, 'possible') : own;
  }
}
