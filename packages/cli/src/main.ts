import { Command, CommanderError, Option } from 'commander';
import { Failure } from '@tenant-lint/workspace';
import {
  addBaselineOptions,
  addCheckOptions,
  addFactsOptions,
  addFixOptions,
  addOutputOptions,
  addReviewOptions,
  typesOption,
  type BaselineFlags,
  type CheckFlags,
  type FactsFlags,
  type FixFlags,
  type OutputFlags,
  type ReviewFlags,
} from './options.js';
import type { ExplainFlags } from './commands/explain.js';
import { addProveOptions, type ProveFlags } from './prove-options.js';
import type { InspectFlags } from './commands/inspect.js';
import type { InitFlags } from './commands/init.js';
import { printable } from './report/printable.js';
import { version } from './version.js';

/** Where a run reads and writes; a test hands in its own. */
export interface Io {
  readonly cwd: string;
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs the command. Returns the exit code: 0 nothing at or above the threshold, 1 findings, 2 the tool could not do its job. */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  let code = 0;
  const program = new Command('tenant-lint')
    .description('Finds the query, policy or migration that shows one tenant the data of another.')
    .version(version, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .showSuggestionAfterError(true);
  addCheckOptions(
    program
      .command('check', { isDefault: true })
      .description('scan code, schema and migrations; the default')
      .argument('[paths...]'),
  ).action(async (paths: string[], flags: CheckFlags) => {
    const { check } = await import('./commands/check.js');
    code = await check(paths, flags, io);
  });
  program
    .command('inspect')
    .description(
      'what was understood: tables and their tenancy and why, accesses and their evidence, what is unchecked',
    )
    .argument('[subject]', 'a table or a file')
    .option('--config <file>', 'configuration file')
    .option('--no-config-code', 'JSON configuration only')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .option(...typesOption)
    .option('--url <url>', 'the catalogue of a live Postgres as a source, read-only: postgres://user@host/database')
    .option('--verbose', 'every difference to the database of --url; stacks of unexpected errors')
    .action(async (subject: string | undefined, flags: InspectFlags) => {
      const { inspect } = await import('./commands/inspect.js');
      code = await inspect(subject, flags, io);
    });
  addBaselineOptions(
    program
      .command('baseline')
      .description("accept today's findings into a file; it only shrinks unless --allow-growth"),
  ).action(async (flags: BaselineFlags) => {
    const { baseline } = await import('./commands/baseline.js');
    code = await baseline(flags, io);
  });
  addProveOptions(
    program
      .command('prove')
      .description('execute: migrations into an embedded Postgres, two tenants, a matrix of who reaches what')
      .argument('[paths...]'),
  ).action(async (paths: string[], flags: ProveFlags) => {
    const { prove } = await import('./commands/prove.js');
    code = await prove(paths, flags, io);
  });
  addReviewOptions(
    program
      .command('review')
      .description('migration and code review gate: only what a change introduces or weakens, for the pull request'),
  ).action(async (flags: ReviewFlags) => {
    const { review } = await import('./commands/review.js');
    code = await review(flags, io);
  });
  addFixOptions(
    program
      .command('fix')
      .description('corrective migration and safe edits of code, as a diff unless --write; never widens access')
      .argument('[paths...]'),
  ).action(async (paths: string[], flags: FixFlags) => {
    const { fix } = await import('./commands/fix.js');
    code = await fix(paths, flags, io);
  });
  addOutputOptions(
    program.command('merge').description('the json reports of shards as one report').argument('<files...>'),
  ).action(async (files: string[], flags: OutputFlags) => {
    const { merge } = await import('./commands/merge.js');
    code = merge(files, flags, io);
  });
  addFactsOptions(
    program
      .command('facts')
      .description('facts of each file for a later `check --facts DIR`: caches of monorepos, shards')
      .argument('[paths...]'),
  ).action(async (paths: string[], flags: FactsFlags) => {
    const { facts } = await import('./commands/facts.js');
    code = await facts(paths, flags, io);
  });
  program
    .command('init')
    .description('detect libraries, layout and tenancy; write a commented tenant-lint.config.ts')
    .option('--force', 'write it anew where it is there')
    .option('--verbose', 'stacks of unexpected errors')
    .action(async (flags: InitFlags) => {
      const { init } = await import('./commands/init.js');
      code = init(flags, io);
    });
  program
    .command('explain')
    .description('a rule, or one finding step by step with the lines it rests on')
    .argument('<rule|finding>', 'a rule, a fingerprint or its beginning, or file:line')
    .option('--config <file>', 'configuration file')
    .option('--no-config-code', 'JSON configuration only')
    .option(...typesOption)
    .option('--no-cache', 'extract every file anew')
    .option('--verbose', 'stacks of unexpected errors')
    .action(async (subject: string, flags: ExplainFlags) => {
      const { explain } = await import('./commands/explain.js');
      code = await explain(subject, flags, io);
    });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return failed(error, argv.includes('--verbose'), io);
  }
}

/** The one place where errors end: expected ones in a short block, others with their stack only if asked for. */
function failed(error: unknown, verbose: boolean, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Failure) {
    io.stderr.write(`tenant-lint: ${printable(error.message)}\n`);
    if (error.where !== undefined) io.stderr.write(`  at ${printable(error.where)}\n`);
    if (error.advice !== undefined) io.stderr.write(`  ${printable(error.advice)}\n`);
    if (verbose && error.cause instanceof Error) io.stderr.write(`${error.cause.stack ?? ''}\n`);
    return 2;
  }
  const message = error instanceof Error ? error.message : String(error);
  io.stderr.write(`tenant-lint: internal error: ${printable(message)}\n`);
  io.stderr.write('  This is a defect of tenant-lint. Run again with --verbose and report what it prints.\n');
  if (verbose && error instanceof Error) io.stderr.write(`${error.stack ?? ''}\n`);
  return 2;
}

const processIo = (): Io => ({ cwd: process.cwd(), stdout: process.stdout, stderr: process.stderr, env: process.env });
