export {
  openEmbedded,
  SettingWasSet,
  type CaseDatabase,
  type Embedded,
  type Outcome,
  type Row,
  type Settings,
} from './embedded.js';
export { cellName, type Attempt, type Cell, type CellOutcome, type Command, type Way } from './attempt/attempt.js';
export { defaultLimits, OutOfMemory, OutOfTime, TimedOut, type Limits, type Session } from './session/session.js';
export { openEmbeddedSession } from './session/embedded-session.js';
export { planMigrations, type MigrationFile } from './migrate/plan.js';
export type { Applied, Exception } from './migrate/apply.js';
export { proveIsolation, type Proof, type ProveInput } from './prove.js';
export { openServerSession } from './session/server-session.js';
export { ServerRefused } from './session/connect.js';
export { liveCatalogueOf, readLiveCatalogue, type LiveCatalogue } from './live/read.js';
export {
  claimedRules,
  compare,
  verdictOf,
  type Comparison,
  type Disagreement,
  type Executed,
  type Verdict,
} from './compare.js';
export { emitVitest } from './emit/vitest.js';
export { emitPgtap } from './emit/pgtap.js';
export { isRefusal } from './refusal.js';
