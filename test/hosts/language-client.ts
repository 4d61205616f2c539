import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { pathToFileURL } from 'node:url';

type Json = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Diagnostic {
  readonly range: { readonly start: Position; readonly end: Position };
  readonly code?: string;
  readonly message: string;
}

export interface TextEdit {
  readonly range: { readonly start: Position; readonly end: Position };
  readonly newText: string;
}

export interface CodeAction {
  readonly title: string;
  readonly command?: { readonly command: string; readonly arguments?: readonly unknown[] };
}

/** What an editor does with ESLint's language server, over its standard streams. */
export class LanguageClient {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #next = 1;
  #rest = Buffer.alloc(0);
  /** The edits that the server asked for, by document, oldest first. */
  readonly edits: { readonly uri: string; readonly edits: readonly TextEdit[] }[] = [];
  readonly problems: string[] = [];

  constructor(
    script: string,
    private readonly root: string,
  ) {
    this.#process = spawn(process.execPath, [script, '--stdio'], { cwd: root });
    this.#process.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#process.stderr.on('data', (chunk: Buffer) => this.problems.push(chunk.toString()));
  }

  get pid(): number {
    return this.#process.pid!;
  }

  async start(): Promise<void> {
    const uri = pathToFileURL(this.root).href;
    await this.request('initialize', {
      processId: process.pid,
      rootUri: uri,
      workspaceFolders: [{ uri, name: 'app' }],
      capabilities: {
        workspace: { configuration: true, workspaceFolders: true, applyEdit: true },
        textDocument: {
          diagnostic: {},
          codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ['quickfix'] } } },
        },
      },
    });
    this.notify('initialized', {});
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    await this.request('shutdown', {});
    this.notify('exit', {});
    await ended;
  }

  open(uri: string, languageId: string, text: string): void {
    this.notify('textDocument/didOpen', { textDocument: { uri, languageId, version: 1, text } });
  }

  change(uri: string, version: number, text: string): void {
    this.notify('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ text }] });
  }

  async diagnostics(uri: string): Promise<readonly Diagnostic[]> {
    const report = (await this.request('textDocument/diagnostic', { textDocument: { uri } })) as {
      items: readonly Diagnostic[];
    };
    return report.items;
  }

  async actions(uri: string, diagnostic: Diagnostic): Promise<readonly CodeAction[]> {
    return (await this.request('textDocument/codeAction', {
      textDocument: { uri },
      range: diagnostic.range,
      context: { diagnostics: [diagnostic] },
    })) as readonly CodeAction[];
  }

  async execute({ command }: CodeAction): Promise<void> {
    await this.request('workspace/executeCommand', { command: command!.command, arguments: command!.arguments });
  }

  request(method: string, params: Json): Promise<unknown> {
    const id = this.#next++;
    this.#send({ id, method, params });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
    });
  }

  notify(method: string, params: Json): void {
    this.#send({ method, params });
  }

  #send(message: Message): void {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    this.#process.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#process.stdin.write(body);
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = this.#rest.indexOf('\r\n\r\n');
      const length = end < 0 ? undefined : /Content-Length: (\d+)/i.exec(this.#rest.toString('ascii', 0, end))?.[1];
      if (length === undefined || this.#rest.length < end + 4 + Number(length)) return;
      const body = this.#rest.toString('utf8', end + 4, end + 4 + Number(length));
      this.#rest = this.#rest.subarray(end + 4 + Number(length));
      this.#take(JSON.parse(body) as Message);
    }
  }

  #take(message: Message): void {
    const { id, method, params } = message;
    if (method === undefined) {
      this.#waiting.get(Number(id))?.(message);
      this.#waiting.delete(Number(id));
      return;
    }
    if (method === 'eslint/status' || method === 'eslint/showOutputChannel') return;
    if (id === undefined) {
      if (method === 'window/showMessage') this.problems.push(JSON.stringify(params));
      return;
    }
    this.#send({ id, result: this.#answer(method, params ?? {}) });
  }

  #answer(method: string, params: Json): unknown {
    switch (method) {
      case 'workspace/configuration':
        return (params['items'] as readonly unknown[]).map(() => this.#settings());
      case 'workspace/applyEdit': {
        const { edit } = params as {
          edit: {
            documentChanges?: readonly { textDocument: { uri: string }; edits: readonly TextEdit[] }[];
            changes?: Readonly<Record<string, readonly TextEdit[]>>;
          };
        };
        for (const { textDocument, edits } of edit.documentChanges ?? [])
          this.edits.push({ uri: textDocument.uri, edits });
        for (const [uri, edits] of Object.entries(edit.changes ?? {})) this.edits.push({ uri, edits });
        return { applied: true };
      }
      default:
        return null;
    }
  }

  #settings(): Json {
    return {
      validate: 'on',
      packageManager: 'npm',
      useESLintClass: true,
      useFlatConfig: true,
      experimental: { useFlatConfig: false },
      codeActionOnSave: { mode: 'all' },
      codeAction: {
        disableRuleComment: { enable: true, location: 'separateLine', commentStyle: 'line' },
        showDocumentation: { enable: true },
      },
      format: false,
      quiet: false,
      onIgnoredFiles: 'off',
      options: {},
      rulesCustomizations: [],
      run: 'onType',
      problems: { shortenToSingleLine: false },
      nodePath: null,
      workspaceFolder: { name: 'app', uri: pathToFileURL(this.root).href },
      workingDirectory: { directory: this.root },
    };
  }
}

/** A text after edits by line and column, as an editor applies them. */
export function applied(text: string, edits: readonly TextEdit[]): string {
  const starts = [0, ...[...text.matchAll(/\n/g)].map((m) => m.index + 1)];
  const at = ({ line, character }: Position): number => (starts[line] ?? text.length) + character;
  return [...edits]
    .sort((a, b) => at(b.range.start) - at(a.range.start))
    .reduce((now, { range, newText }) => now.slice(0, at(range.start)) + newText + now.slice(at(range.end)), text);
}
