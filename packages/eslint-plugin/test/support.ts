import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ESLint as ESLint10, type Linter } from 'eslint';
import { ESLint as ESLint9 } from 'eslint9';
import { main } from '../../cli/src/main.js';

export type Host = typeof ESLint10;

/** Both versions that the plugin is for, by their major number. */
export const hosts: readonly (readonly [version: number, Host])[] = [
  [10, ESLint10],
  [9, ESLint9 as unknown as Host],
];

export interface Message {
  readonly rule: string;
  readonly severity: number;
  readonly line: number;
  readonly column: number;
  readonly end: string;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** A project in a folder of its own. */
export class Folder {
  readonly root = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenant-lint-eslint-')));

  constructor(files: Readonly<Record<string, string>>) {
    for (const [file, text] of Object.entries(files)) this.write(file, text);
  }

  write(file: string, text: string): void {
    mkdirSync(path.dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  path(file: string): string {
    return path.join(this.root, file);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  eslint(config: readonly Linter.Config[], Host: Host = ESLint10): ESLint10 {
    return new Host({ cwd: this.root, overrideConfigFile: true, overrideConfig: [...config] });
  }

  /** The messages of ESLint by file. */
  async lint(
    patterns: readonly string[],
    config: readonly Linter.Config[],
    Host: Host = ESLint10,
  ): Promise<Record<string, Message[]>> {
    const results = await this.eslint(config, Host).lintFiles([...patterns]);
    return Object.fromEntries(
      results.map((r) => [
        path.relative(this.root, r.filePath).replaceAll('\\', '/'),
        r.messages.map((m) => ({
          rule: m.ruleId ?? m.message,
          severity: m.severity,
          line: m.line,
          column: m.column,
          end: `${m.endLine}:${m.endColumn}`,
        })),
      ]),
    );
  }

  /** The findings of the command, in the form of ESLint's messages. */
  async command(...args: string[]): Promise<Message[]> {
    let stdout = '';
    await main(['--format', 'json', ...args], {
      cwd: this.root,
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: () => undefined },
      env: {},
    });
    const { findings } = JSON.parse(stdout) as {
      findings: { rule: string; severity: string; start: Position; end: Position }[];
    };
    return findings.map((f) => ({
      rule: `tenant-lint/${f.rule}`,
      severity: f.severity === 'error' ? 2 : 1,
      line: f.start.line,
      column: f.start.column,
      end: `${f.end.line}:${f.end.column}`,
    }));
  }
}

/** Line and rule of each message. */
export const rulesOf = (messages: readonly Message[] | undefined): string[] =>
  (messages ?? []).map((m) => `${m.line} ${m.rule}`);
