import path from 'node:path';
import type { Io } from '../main.js';
import { exitCode, writeReport } from '../output.js';
import type { OutputFlags } from '../options.js';
import { readReports } from '../report/read-json.js';

/** `tenant-lint merge FILE...`: the json reports of shards as one report. Returns the exit code; throws Failure. */
export function merge(files: readonly string[], flags: OutputFlags, io: Io): number {
  const report = readReports(files.map((file) => path.resolve(io.cwd, file)));
  writeReport(report, flags, io, io.cwd);
  return exitCode(report, flags);
}
