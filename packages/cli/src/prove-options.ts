import { InvalidArgumentError, Option, type Command } from 'commander';
import { count } from './options.js';

export interface ProveFlags {
  readonly config?: string;
  readonly configCode: boolean;
  readonly format: 'text' | 'json';
  readonly timeout: number;
  readonly url?: string;
  readonly emit?: { readonly as: 'pgtap' | 'vitest'; readonly file?: string };
}

/** Declares the options of `prove`. */
export const addProveOptions = (command: Command): Command =>
  command
    .option('--config <file>', 'configuration file; found upwards from the working directory otherwise')
    .option('--no-config-code', 'JSON configuration only')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .addOption(new Option('--timeout <seconds>', 'for everything').argParser(count).default(600))
    .option('--url <url>', 'a server instead of the embedded Postgres: a scratch database is created on it and dropped')
    .addOption(
      new Option(
        '--emit <pgtap|vitest[=file]>',
        'the same as tests for your own suite, instead of the report',
      ).argParser(emitOf),
    )
    .option('--verbose', 'stacks of unexpected errors');

function emitOf(text: string): NonNullable<ProveFlags['emit']> {
  const [as, ...rest] = text.split('=');
  if (as !== 'pgtap' && as !== 'vitest') throw new InvalidArgumentError('Write pgtap or vitest, or vitest=FILE.');
  return rest.length === 0 ? { as } : { as, file: rest.join('=') };
}
