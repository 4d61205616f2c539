import {
  valueAt,
  type CallChain,
  type ChainId,
  type Confidence,
  type FunctionId,
  type Reason,
  type Table,
  type Target,
  type Tenancy,
  type Value,
} from '@tenant-lint/model';
import { keyColumns, referringColumns } from './keys.js';
import type { Program } from '../link/program.js';
import type { LinkedAccess } from '../model.js';
import type { InputProvenance, Provenance } from '../trace/provenance.js';
import { stripped } from './conditions.js';
import { best, isSecret, worst } from './confidence.js';
import { isPublished } from './publicity.js';
import type { Reached } from './reach.js';
import { pinnedKey, type Pin } from './selection.js';
import type { UnreadCall } from './unread.js';

/** What the values that pick the rows say about whose rows they are. */
export type Derived =
  | { readonly kind: 'safe'; readonly reason: Reason; readonly evidence: 'derived' | 'guarded' | 'intended' }
  /** A foreign value can be the one that picks the row. */
  | { readonly kind: 'foreign'; readonly confidence: Confidence; readonly reasons: readonly Reason[] }
  /** It hangs on another access, which is reported by itself. */
  | { readonly kind: 'open'; readonly reason: Reason }
  | { readonly kind: 'unpinned' };

/** How many calls several values are followed through together. */
const maxLevels = 3;
const maxCallers = 200;

interface About {
  readonly table: Table;
  readonly target: Target;
  readonly access: LinkedAccess;
}

const isParameterOf = (value: Value, f: FunctionId): boolean => {
  const own = stripped(value);
  return own.kind === 'parameter' && own.function === f;
};

/** The surest leak of several ways; what is safe where all are. */
function bestOf(ways: readonly Derived[]): Derived | undefined {
  let found: Derived | undefined;
  for (const way of ways) {
    if (way.kind === 'unpinned') return undefined;
    if (way.kind !== 'foreign') found ??= way;
    else if (found?.kind !== 'foreign' || best(found.confidence, way.confidence) !== found.confidence) found = way;
  }
  return found;
}

/** What is needed to judge by where the picking values come from. */
export interface SourceWorld {
  readonly program: Program;
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  /** Whether the rows that a chain returned are the tenant's own. */
  readonly rowIsOwn: (chain: string) => 'own' | 'foreign' | 'unknown';
  readonly reachOf: (f: FunctionId) => Reached;
  /** How a table without a key of its own leads to its tenant; by columns that only their names say to refer to another table, too. */
  readonly childOf: (table: Table) => Extract<Tenancy, { kind: 'child' }> | undefined;
  /** The check of a value that every path to a call has passed. */
  readonly before: (value: Value, chain: CallChain) => Reason | undefined;
  /** The check of the row that is loaded, on one way to an access. */
  readonly checkedOn: (access: LinkedAccess, table: Table, way: readonly ChainId[]) => Reason | undefined;
  /** The guard that has looked at it before the handler. */
  readonly guardOf: (source: InputProvenance) => Reason | undefined;
  /** The check of what the request says by what runs before the handler: its middleware, a guard. */
  readonly authorised: (source: InputProvenance) => Reason | undefined;
  /** A call on the way from the request that may check it, and whose body is not in the program. */
  readonly unreadOf: (source: InputProvenance, access: LinkedAccess) => UnreadCall | undefined;
}

/** Judges accesses by the values that pick their rows: who supplies them, and on which way. */
export class Sources {
  constructor(private readonly world: SourceWorld) {}

  /**
   * Whether a key of the row is pinned by a value that only the tenant's own data supplies. Several keys pin together: a row of another tenant
   * is reached only where each of them is foreign, on the same call.
   */
  of(pins: readonly Pin[], table: Table, target: Target, access: LinkedAccess): Derived {
    const columns = new Set([
      ...pinnedKey(pins, table),
      ...referringColumns(table),
      ...keyColumns(this.world.childOf(table)),
    ]);
    const deciding = pins.filter((pin) => columns.has(pin.column));
    return this.#together(deciding, access.function, { table, target, access }, maxLevels);
  }

  #together(pins: readonly Pin[], f: FunctionId | undefined, about: About, levels: number): Derived {
    const found = this.#worst(pins.map((pin) => this.#judgeSources(pin, this.world.sourcesOf(pin.value), about)));
    if (found.kind === 'safe' || pins.length < 2 || f === undefined || levels <= 0) return found;
    // What the callers hand over decides: call by call.
    const handed = pins.filter((pin) => isParameterOf(pin.value, f));
    const callers = this.world.program.entryOf(f) ? [] : this.world.program.callersOf(f);
    if (handed.length < 2 || callers.length === 0 || callers.length > maxCallers) return found;
    const ways = callers.map((site): Derived => {
      const here = pins.map((pin): Pin => {
        const value = stripped(pin.value);
        if (value.kind !== 'parameter' || value.function !== f) return pin;
        const argument = site.chain.steps[site.step]?.arguments?.[value.index];
        return { ...pin, value: valueAt(argument ?? { kind: 'undefined' }, value.path) };
      });
      const checked = here.map((pin) => this.world.before(pin.value, site.chain)).find((r) => r !== undefined);
      if (checked) return { kind: 'safe', evidence: 'guarded', reason: checked };
      return this.#together(here, site.chain.function, about, levels - 1);
    });
    return ways.find((w) => w.kind === 'open') ?? bestOf(ways) ?? found;
  }

  /** Of several conditions on one row, the one that lets the least through decides; one that is undecided may let none. */
  #worst(found: readonly Derived[]): Derived {
    let worstFound: Derived = { kind: 'unpinned' };
    for (const one of found) {
      if (one.kind === 'safe') return one;
      if (worstFound.kind === 'unpinned' || one.kind === 'open') worstFound = one;
      else if (one.kind === 'foreign' && worstFound.kind === 'foreign')
        worstFound = { ...one, confidence: worst(one.confidence, worstFound.confidence) };
    }
    return worstFound;
  }

  #judgeSources(pin: Pin, sources: readonly Provenance[], about: About): Derived {
    const { table, target, access } = about;
    let checked: Reason | undefined;
    const reasons: Reason[] = [];
    let open: Reason | undefined;
    let confidence: Confidence | undefined;
    let staff = false;
    // Put together from several values, of which one may be what says the tenant: `${projectId}-${name}`.
    const resolved = this.world.program.resolve(stripped(pin.value));
    const isComposed = resolved.kind === 'text' && resolved.parts.filter((part) => 'hole' in part).length > 1;
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
          const after =
            this.#checkedAfter(source, about) ?? this.world.guardOf(source) ?? this.world.authorised(source);
          if (after) {
            checked ??= after;
            continue;
          }
          const unread = this.world.unreadOf(source, access);
          const isOpen = isSecret(pin.column) || source.assumed || isComposed || unread?.isHandedBoth === true;
          const own = isOpen ? 'possible' : unread ? 'likely' : 'certain';
          confidence = best(confidence, this.#within(reached, own, table, target));
          reasons.push(
            { text: `${pin.column} is ${source.what} of the request` },
            ...source.via,
            ...(unread ? [unread.reason] : []),
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
          const after = this.#checkedAfter(source, about);
          if (after) {
            checked ??= after;
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
    // Several ways lead through the same calls.
    const said = [...new Map(reasons.map((r) => [`${r.text} ${r.span?.file} ${r.span?.start}`, r])).values()];
    if (confidence !== undefined && confidence !== 'possible') return { kind: 'foreign', confidence, reasons: said };
    if (open) return { kind: 'open', reason: open };
    if (confidence) return { kind: 'foreign', confidence, reasons: said };
    const bySource = sources.some((s) => s.kind === 'trusted' || s.kind === 'row');
    if (checked) return { kind: 'safe', evidence: 'guarded', reason: checked };
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

  /** The check of the row that is loaded by what comes on this way: each caller answers for what it hands over. */
  #checkedAfter(
    source: Extract<Provenance, { kind: 'input' | 'parameter' }>,
    { table, target, access }: About,
  ): Reason | undefined {
    return target.role === 'root' && target.operation === 'read'
      ? this.world.checkedOn(access, table, [...(source.through ?? [])].reverse())
      : undefined;
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
