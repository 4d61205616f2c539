import { cellName, type Attempt, type Cell } from '../attempt/attempt.js';
import { statementsOf } from '../attempt/execute.js';
import type { Proof } from '../prove.js';

/** A test: the attempts of one cell, none of which may reach a row of the other tenant. */
export interface EmittedTest {
  readonly name: string;
  readonly attempts: readonly {
    readonly before: readonly string[];
    readonly statement: string;
    readonly after: readonly string[];
    readonly rowsLeak: boolean;
    readonly probed: boolean;
  }[];
}

/**
 * The cells of a proof as tests, those that were not tried left out. Only the attempt that decided a cell is written: where nothing leaked, the plain
 * one. Cells that need a setting never set come first, as in the proof.
 */
export function testsOf(proof: Proof): readonly EmittedTest[] {
  const tried = proof.cells.filter(
    (c): c is Cell & { attempt: Attempt } =>
      c.attempt !== undefined && c.outcome !== 'not tried' && c.grantedByPlatform === undefined,
  );
  const unset = (c: Cell): number => (c.context === 'nothing set' ? 0 : 1);
  return [...tried]
    .sort((a, b) => unset(a) - unset(b))
    .map((c) => ({
      name: cellName(c),
      attempts: [{ ...statementsOf(c.attempt), rowsLeak: c.attempt.rowsLeak, probed: c.attempt.probe !== undefined }],
    }));
}
