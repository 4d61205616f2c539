import { InvalidArgumentError, Option, type Command } from 'commander';
import { confidences, severities, type Confidence, type Severity } from '@tenant-lint/model';

export const formats = ['text', 'json', 'sarif', 'github', 'gitlab', 'junit', 'markdown', 'html', 'agent'] as const;
export type Format = (typeof formats)[number];

/** How a report is written, and what of it makes a run fail. */
export interface OutputFlags {
  readonly failOn: 'error' | 'warning' | 'never';
  readonly maxWarnings?: number;
  readonly format: readonly { readonly format: Format; readonly file?: string }[];
  readonly strict?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: 'auto' | 'always' | 'never';
}

/** Shard `index` of `of`, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

export interface CheckFlags extends OutputFlags {
  readonly config?: string;
  readonly configCode: boolean;
  readonly rule: readonly string[];
  readonly severity: Readonly<Record<string, Severity>>;
  readonly confidence: Confidence;
  /** The file given; `false`: none; absent: the usual one, where it is there. */
  readonly baseline?: string | false;
  readonly threads?: number;
  readonly timing?: boolean;
  readonly cache: boolean;
  readonly types?: boolean;
  readonly shard?: Shard;
  readonly since?: string;
  readonly staged?: boolean;
  /** A database whose catalogue is read as well. */
  readonly url?: string;
  /** Folders of facts, or patterns of such folders, as they were given. */
  readonly facts: readonly string[];
}

export interface FactsFlags extends Pick<
  CheckFlags,
  'config' | 'configCode' | 'cache' | 'threads' | 'shard' | 'verbose'
> {
  readonly out: string;
}

/** Declares the options of `facts`. */
export const addFactsOptions = (command: Command): Command =>
  command
    .requiredOption('--out <dir>', 'the folder to write them to; what it held before is replaced')
    .option('--config <file>', 'configuration file; found upwards from the working directory otherwise')
    .option('--no-config-code', 'JSON configuration only')
    .addOption(new Option('--shard <i/n>', 'part i of n of the files').argParser(shardFrom))
    .option('--no-cache', 'extract every file anew')
    .addOption(threadsOption())
    .option('--verbose', 'stacks of unexpected errors');

export interface BaselineFlags extends Pick<
  CheckFlags,
  'config' | 'configCode' | 'confidence' | 'cache' | 'types' | 'verbose'
> {
  readonly baseline?: string;
  readonly allowGrowth?: boolean;
}

/** What `--types` says in the help of every command that has it. */
export const typesOption = [
  '--types',
  'ask the type checker what syntax does not show; needs installed dependencies, and takes longer',
] as const;

/** Declares the options of `baseline`. */
export const addBaselineOptions = (command: Command): Command =>
  command
    .option('--baseline <file>', 'the file to write; tenant-lint-baseline.json of the root otherwise')
    .option('--allow-growth', 'accept findings that an existing file does not have')
    .option('--config <file>', 'configuration file; found upwards from the working directory otherwise')
    .option('--no-config-code', 'JSON configuration only')
    .addOption(
      new Option('--confidence <level>', 'weakest confidence that is accepted').choices(confidences).default('likely'),
    )
    .option(...typesOption)
    .option('--no-cache', 'extract every file anew')
    .option('--verbose', 'stacks of unexpected errors');

export interface ReviewFlags extends Pick<
  CheckFlags,
  'config' | 'configCode' | 'confidence' | 'cache' | 'types' | 'failOn'
> {
  readonly since: string;
  readonly format: readonly { readonly format: 'markdown' | 'json'; readonly file?: string }[];
  readonly prove?: true;
  readonly timeout: number;
}

export interface FixFlags extends Pick<
  CheckFlags,
  'config' | 'configCode' | 'rule' | 'severity' | 'confidence' | 'baseline' | 'cache' | 'failOn'
> {
  readonly write?: true;
  readonly timeout: number;
}

/** Declares the options of `fix`. */
export const addFixOptions = (command: Command): Command =>
  command
    .option('--write', 'write the files; otherwise a diff is printed')
    .addOption(
      new Option('--rule <id>', 'findings of this rule only (repeatable)')
        .argParser(collect<string>((text) => text))
        .default([], 'all'),
    )
    .addOption(
      new Option('--severity <id=level>', 'severity of a rule (repeatable)')
        .argParser(severityOf)
        .default({}, 'as configured'),
    )
    .addOption(
      new Option('--confidence <level>', 'weakest confidence that is repaired').choices(confidences).default('likely'),
    )
    .addOption(
      new Option('--fail-on <level>', 'what makes the exit code 1, of what is left')
        .choices(['error', 'warning', 'never'])
        .default('error'),
    )
    .option('--baseline <file>', 'findings accepted before; tenant-lint-baseline.json of the root where it is there')
    .option('--no-baseline', 'repair what was accepted too')
    .addOption(new Option('--timeout <seconds>', 'for applying the migrations').argParser(count).default(600))
    .option('--config <file>', 'configuration file; found upwards from the working directory otherwise')
    .option('--no-config-code', 'JSON configuration only')
    .option('--no-cache', 'extract every file anew')
    .option('--verbose', 'stacks of unexpected errors');

/** Declares the options of `review`. */
export const addReviewOptions = (command: Command): Command =>
  command
    .requiredOption('--since <ref>', 'the commit before the change: the branch that it is to be merged into')
    .addOption(
      new Option('--format <format[=file]>', 'markdown, json (repeatable)')
        .argParser(collect((text) => formatAmong(text, ['markdown', 'json'])))
        .default([], 'markdown'),
    )
    .addOption(
      new Option('--fail-on <level>', 'what makes the exit code 1; weaker isolation counts as an error')
        .choices(['error', 'warning', 'never'])
        .default('error'),
    )
    .addOption(
      new Option('--confidence <level>', 'weakest confidence that is shown').choices(confidences).default('likely'),
    )
    .option('--prove', 'run the migrations in an embedded Postgres and try to reach foreign rows of the changed tables')
    .addOption(new Option('--timeout <seconds>', 'for --prove').argParser(count).default(600))
    .option('--config <file>', 'configuration file; found upwards from the working directory otherwise')
    .option('--no-config-code', 'JSON configuration only')
    .option(...typesOption)
    .option('--no-cache', 'extract every file anew')
    .option('--verbose', 'stacks of unexpected errors');

/** Declares the options of `check`. */
export function addCheckOptions(command: Command): Command {
  return addOutputOptions(command)
    .option('--config <file>', 'configuration file; found upwards from the working directory otherwise')
    .option('--no-config-code', 'JSON configuration only')
    .addOption(
      new Option('--rule <id>', 'only this rule (repeatable)')
        .argParser(collect<string>((text) => text))
        .default([], 'all'),
    )
    .addOption(
      new Option('--severity <id=level>', 'severity of a rule (repeatable)')
        .argParser(severityOf)
        .default({}, 'as configured'),
    )
    .addOption(
      new Option('--confidence <level>', 'weakest confidence that is shown').choices(confidences).default('likely'),
    )
    .option('--baseline <file>', 'findings accepted before; tenant-lint-baseline.json of the root where it is there')
    .option('--no-baseline', 'as if nothing had been accepted')
    .option('--timing', 'how long each phase took, on stderr')
    .option(...typesOption)
    .option('--no-cache', 'extract every file anew')
    .option('--since <ref>', 'only what changed since the branch left this commit, and what that causes elsewhere')
    .option('--staged', 'only what a commit would change: read from the index of git, not from the work tree')
    .option('--url <url>', 'the catalogue of a live Postgres as a source, read-only: postgres://user@host/database')
    .addOption(
      new Option('--facts <dir>', 'facts that `tenant-lint facts` wrote; may be a pattern (repeatable)')
        .argParser(collect<string>((text) => text))
        .default([], 'none'),
    )
    .addOption(threadsOption())
    .addOption(
      new Option('--shard <i/n>', 'part i of n of the report; merge makes them one again').argParser(shardFrom),
    );
}

/** Declares how a report is written: the options that `check` and `merge` have in common. */
export const addOutputOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--format <format[=file]>', `${formats.join(', ')} (repeatable)`)
        .argParser(collect(formatOf))
        .default([], 'text'),
    )
    .addOption(
      new Option('--fail-on <level>', 'what makes the exit code 1')
        .choices(['error', 'warning', 'never'])
        .default('error'),
    )
    .addOption(new Option('--max-warnings <n>', 'exit code 1 beyond this number of warnings').argParser(count))
    .option('--strict', 'unchecked input is a failure')
    .option('--quiet', 'errors only')
    .option('--verbose', 'every finding and unchecked entry; stacks of unexpected errors')
    .addOption(new Option('--color <when>').choices(['auto', 'always', 'never']).default('auto'));

const threadsOption = (): Option =>
  new Option('--threads <n>', 'threads that extract; as many as there are processors, at most four').argParser(count);

function shardFrom(text: string): Shard {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  if (!(shard.index >= 1 && shard.index <= shard.of)) throw new InvalidArgumentError('Write i/n, from 1/n to n/n.');
  return shard;
}

const collect =
  <T>(parse: (text: string) => T) =>
  (text: string, before: readonly T[]): readonly T[] => [...before, parse(text)];

const formatOf = (text: string): CheckFlags['format'][number] => formatAmong(text, formats);

function formatAmong<F extends string>(
  text: string,
  among: readonly F[],
): { readonly format: F; readonly file?: string } {
  const [name = '', ...rest] = text.split('=');
  const format = among.find((f) => f === name);
  if (!format) throw new InvalidArgumentError(`Formats are ${among.join(', ')}.`);
  return rest.length === 0 ? { format } : { format, file: rest.join('=') };
}

function severityOf(text: string, before: Readonly<Record<string, Severity>>): Readonly<Record<string, Severity>> {
  const [rule = '', level] = text.split('=');
  const severity = severities.find((s) => s === level);
  if (!severity || rule === '')
    throw new InvalidArgumentError(`Write rule=level with a level of ${severities.join(', ')}.`);
  return { ...before, [rule]: severity };
}

/** A number of an option. */
export function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Not a number.');
  return Number(text);
}
