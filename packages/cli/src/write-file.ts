import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf, Failure } from '@tenant-lint/workspace';

/**
 * Writes a file, its folder included; a run that is stopped leaves the old one or the new one, except of what is no ordinary file
 * (/dev/stdout). `what` names it to the user ("The report"). Throws Failure.
 */
export function writeFile(file: string, text: string, what: string, advice: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    const there = statSync(file, { throwIfNoEntry: false });
    if (there && !there.isFile()) {
      writeFileSync(file, text);
      return;
    }
    const temporary = `${file}.${process.pid}.tmp`;
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } catch (error) {
    throw new Failure(`${what} cannot be written (${codeOf(error)}).`, { where: file, advice, cause: error });
  }
}
