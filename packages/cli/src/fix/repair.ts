import { compareModels, type Change } from '@tenant-lint/analysis';
import { isOfDatabase, planRepairs, type Report, type RepairStep, type Unrepaired } from '@tenant-lint/engine';
import { spanContains, type Edit, type Finding, type Span } from '@tenant-lint/model';
import { cellName } from '@tenant-lint/prove';
import {
  overlaid,
  redeclared,
  writeMigration,
  type Built,
  type NewFile,
  type Settings,
  type Source,
} from '@tenant-lint/workspace';
import type { Analysed } from '../analyse.js';
import { compared, leaksIn, migrationsOf, proved } from '../proving.js';

/** A corrective migration that has been analysed and applied. */
export interface Repaired {
  readonly steps: readonly RepairStep[];
  readonly files: readonly NewFile[];
  readonly edits: readonly Edit[];
  /** What is gone after it. */
  readonly repaired: readonly Finding[];
  readonly left: readonly Unrepaired[];
  /** The model and the findings with it; absent where there is nothing to write. */
  readonly after?: { readonly built: Built; readonly report: Report };
}

export interface RepairInput {
  readonly analysed: Analysed;
  readonly source: Source;
  readonly settings: Settings;
  /** Those that are to be repaired. */
  readonly findings: readonly Finding[];
  readonly timeout: number;
  readonly progress: (phase: string, done: number, total: number) => void;
}

type State = NonNullable<ReturnType<Analysed['on']>>;

/** A migration is written, looked at and shortened no more often than this. */
const mostRounds = 12;

/**
 * Plans a corrective migration and keeps what holds: after it the findings are gone and no other has come, nothing is weaker, and Postgres runs it
 * behind all migrations that are there. What does not hold is left out and named. Throws Failure where the database cannot be had.
 */
export async function repaired(input: RepairInput): Promise<Repaired> {
  const { analysed, source } = input;
  const textOf = (file: string): string | undefined => {
    const read = source.read(file);
    return 'text' in read ? read.text : undefined;
  };
  const own = input.findings.filter((f) => isOfDatabase(f.rule));
  const plan = planRepairs({ model: analysed.built.model, findings: input.findings, textOf });
  const draft = new Draft(plan.steps);
  for (let round = 0; round < mostRounds && draft.steps.length > 0; round++) {
    const files: NewFile[] = [];
    const edits: Edit[] = [];
    const names = [...analysed.built.listed.keys()];
    const declared = redeclared(analysed.built.model, draft.steps, textOf);
    edits.push(...declared.edits);
    for (const history of new Set(draft.steps.map((s) => s.history))) {
      const steps = draft.steps.filter((s) => s.history === history).map((s) => withOpen(s, declared.open.get(s.id)));
      const written = writeMigration(history, steps, { names, textOf }, draft.lateIn(history) ? [lateRemark] : []);
      if (typeof written === 'string') for (const s of steps) draft.drop(s.id, written);
      else {
        files.push(...written.files);
        edits.push(...written.edits);
      }
    }
    if (draft.changed()) continue;
    const overlay = overlaid(source, files, edits);
    const state = analysed.on(overlay);
    if (!state) {
      draft.dropAll('with it nothing says any more which rows belong to which tenant');
      break;
    }
    judge(draft, analysed, state, files);
    if (draft.changed()) continue;
    await execute(draft, input, state, overlay, files);
    if (draft.changed()) continue;
    const gone = goneAfter(state.report);
    return {
      steps: draft.steps,
      files,
      edits,
      repaired: mended(input.findings, analysed.report, state.report),
      left: leftOf(own, plan.unrepaired, draft, gone),
      after: state,
    };
  }
  if (draft.steps.length > 0) draft.dropAll('it could not be brought to a state that holds');
  return { steps: [], files: [], edits: [], repaired: [], left: leftOf(own, plan.unrepaired, draft, () => false) };
}

/** What is gone, whether a step was there for it or not; what another rule tells of the same place now is not. */
function mended(findings: readonly Finding[], before: Report, after: Report): readonly Finding[] {
  const known = new Set(before.findings.map((f) => f.fingerprint));
  const fresh = after.findings.filter((f) => !known.has(f.fingerprint));
  const gone = goneAfter(after);
  return findings.filter((f) => gone(f.fingerprint) && !fresh.some((now) => isSamePlace(f, now)));
}

/** Who generates migrations from a declaration has to bring it along. */
const withOpen = (step: RepairStep, file: string | undefined): RepairStep =>
  file === undefined
    ? step
    : {
        ...step,
        notes: [
          ...step.notes,
          `Say it in ${file} as well: a migration that is generated from there would take it back.`,
        ],
      };

const goneAfter = (report: Report): ((fingerprint: string) => boolean) => {
  const there = new Set(report.findings.map((f) => f.fingerprint));
  return (fingerprint) => !there.has(fingerprint);
};

function leftOf(
  findings: readonly Finding[],
  planned: readonly Unrepaired[],
  draft: Draft,
  gone: (fingerprint: string) => boolean,
): Unrepaired[] {
  const claimed = new Set(draft.steps.flatMap((s) => s.claims));
  return findings.flatMap((finding): Unrepaired[] => {
    const { fingerprint } = finding;
    if (claimed.has(fingerprint) && gone(fingerprint)) return [];
    const reason =
      draft.reasonOf(fingerprint) ??
      planned.find((u) => u.finding.fingerprint === fingerprint)?.reason ??
      'it is still there after the migration';
    return [{ finding, reason }];
  });
}

/** A table that was there without row security cannot get it in the migration that made it. */
const lateRemark =
  'tenant-lint-disable require-policy-with-table -- these tables were there before, and are protected from here on';

/** The steps that are left of a plan, and why others are not. */
class Draft {
  steps: readonly RepairStep[];
  readonly #late = new Set<string>();
  readonly #reasons = new Map<string, string>();
  #changed = false;

  constructor(steps: readonly RepairStep[]) {
    this.steps = steps;
  }

  /** Leaves a step out, and those that make no sense without it. */
  drop(id: string, reason: string): void {
    const step = this.steps.find((s) => s.id === id);
    if (!step) return;
    this.#changed = true;
    this.steps = this.steps.filter((s) => s !== step);
    for (const claim of step.claims) if (!this.#reasons.has(claim)) this.#reasons.set(claim, reason);
    for (const other of this.steps) if (other.needs.includes(id)) this.drop(other.id, reason);
    // What was there for its sake alone goes too; what came with it, and claims nothing of its own, does as well.
    for (const need of step.needs) {
      const needed = this.steps.find((s) => s.id === need);
      if (!needed) continue;
      const used = this.steps.some((s) => s.needs.includes(need));
      if (needed.claims.length === 0 ? !used : step.claims.length === 0) this.drop(need, reason);
    }
  }

  /** Notes that steps protect tables later than they were made; false where that is said already. */
  protectedLate(ids: readonly string[]): boolean {
    const histories = this.steps.filter((s) => ids.includes(s.id)).map((s) => s.history);
    const fresh = histories.filter((h) => !this.#late.has(h));
    for (const h of fresh) this.#late.add(h);
    if (fresh.length > 0) this.#changed = true;
    return fresh.length > 0;
  }

  lateIn(history: string): boolean {
    return this.#late.has(history);
  }

  dropAll(reason: string): void {
    for (const { id } of [...this.steps]) this.drop(id, reason);
  }

  get isChanged(): boolean {
    return this.#changed;
  }

  /** Whether something was left out since this was asked. */
  changed(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  reasonOf(fingerprint: string): string | undefined {
    return this.#reasons.get(fingerprint);
  }
}

/** The steps that a place of the new files, or else a table, belongs to. */
function stepsAt(
  draft: Draft,
  files: readonly NewFile[],
  spans: readonly (Span | undefined)[],
  table?: string,
): readonly string[] {
  for (const span of spans) {
    const file = span && files.find((f) => f.file === span.file);
    const place = file?.places.find((p) =>
      spanContains({ file: file.file, start: p.start, end: p.end }, { ...span!, end: span!.start }),
    );
    if (place) return [place.step];
  }
  return draft.steps.flatMap((s) => (table !== undefined && s.table === table ? [s.id] : []));
}

/** What the analysis says of the project with the new files. */
function judge(draft: Draft, analysed: Analysed, state: State, files: readonly NewFile[]): void {
  const known = new Set(analysed.report.findings.map((f) => f.fingerprint));
  const gone = goneAfter(state.report);
  const lost = analysed.report.findings.filter((f) => gone(f.fingerprint));
  for (const f of state.report.findings) {
    if (known.has(f.fingerprint) || f.suppressed) continue;
    // An access that was reported before is told by another rule now: what was unique no longer is.
    if (lost.some((was) => isSamePlace(was, f))) continue;
    const at = stepsAt(draft, files, [f.span, ...f.related.flatMap((r) => r.span ?? [])], f.table);
    if (f.rule === 'require-policy-with-table' && draft.protectedLate(at)) continue;
    const reason = `it would bring another finding, ${f.rule}: ${f.text.what}`;
    if (at.length === 0) draft.dropAll(reason);
    else for (const id of at) draft.drop(id, reason);
  }
  for (const change of compareModels(analysed.built.model, state.built.model)) {
    if (change.effect !== 'weaker' || isReplaced(change, analysed.built, state.built)) continue;
    const at = stepsAt(draft, files, [change.after], change.table);
    const reason = `it would weaken isolation: ${change.text}`;
    if (at.length === 0) draft.dropAll(reason);
    else for (const id of at) draft.drop(id, reason);
  }
  for (const step of draft.steps)
    if (step.claims.length > 0 && !step.claims.some(gone)) draft.drop(step.id, 'the finding is still there after it');
}

const isSamePlace = (a: Finding, b: Finding): boolean =>
  a.table === b.table &&
  a.span !== undefined &&
  a.span.file === b.span?.file &&
  a.span.start === b.span.start &&
  a.span.end === b.span.end;

/** A constraint that another one takes the place of, which says as much. */
function isReplaced(change: Change, before: Built, after: Built): boolean {
  if (change.thing !== 'constraint' || change.what !== 'removed' || change.table === undefined) return false;
  const was = before.model.schema.tables
    .get(change.table)
    ?.constraints.find((c) => c.origin.created === change.before && change.name.length > 0);
  if (!was || !('columns' in was)) return false;
  return (
    after.model.schema.tables
      .get(change.table)
      ?.constraints.some(
        (c) =>
          c.kind === was.kind &&
          was.columns.every((column) => c.columns.includes(column)) &&
          (c.kind !== 'foreign key' || was.kind !== 'foreign key' || sameTable(c.references, was.references)),
      ) ?? false
  );
}

const sameTable = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What Postgres says of it, and who reaches the rows of tables whose row security changes afterwards. */
async function execute(
  draft: Draft,
  input: RepairInput,
  state: State,
  overlay: Source,
  files: readonly NewFile[],
): Promise<void> {
  const run = (built: Built, source: Source, tables: ReadonlySet<string>): ReturnType<typeof proved> =>
    proved({
      migrations: migrationsOf(built, source),
      built,
      flags: { timeout: input.timeout },
      progress: input.progress,
      tables,
    });
  const { applied } = await run(state.built, overlay, new Set());
  for (const e of applied.exceptions) {
    if (e.kind !== 'failed' || !files.some((f) => f.file === e.file)) continue;
    const at = stepsAt(draft, files, [{ file: e.file, start: e.start, end: e.end }]);
    for (const id of at) draft.drop(id, `Postgres refuses it: ${e.reason}`);
  }
  const tables = new Set(draft.steps.flatMap((s) => (s.phase === 'row security' ? (s.table ?? []) : [])));
  if (draft.isChanged || tables.size === 0) return;
  const proof = await run(state.built, overlay, tables);
  const leaks = leaksIn(proof, compared(proof, state.built, input.settings));
  if (leaks.length === 0) return;
  const before = await run(input.analysed.built, input.source, tables);
  const outcomes = new Map(before.cells.map((c) => [cellName(c), c.outcome]));
  for (const cell of leaks) {
    if (outcomes.get(cellName(cell)) === 'leaked') continue;
    const reason = `executed, it lets rows of another tenant through: ${cell.reason}`;
    const at = stepsAt(draft, files, [], cell.table);
    if (at.length === 0) draft.dropAll(reason);
    else for (const id of at) draft.drop(id, reason);
  }
}
