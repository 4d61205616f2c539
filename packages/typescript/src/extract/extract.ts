import { hash } from 'node:crypto';
import type TS from 'typescript';
import { lineStartsOf, type FileFacts, type Unchecked, type Value } from '@tenant-lint/model';
import { hasTypesInComments, readComments } from './comments.js';
import { directivesOf } from './directives.js';
import { hasDirective, markEntryPoints } from './entries.js';
import { emptyFunction } from './functions.js';
import { isComponent, scriptBlocks } from './script-blocks.js';
import type { Extraction, FunctionState, Scope } from './state.js';
import { walkStatements } from './statements.js';
import { loadTypescript, ts } from './typescript.js';
import { bounded, valueOfVariable } from './values.js';

const sizeLimit = 2_000_000;
const lineLimit = 200_000;

/**
 * The facts of a TypeScript or JavaScript file, from its syntax and the scopes in it alone. Never throws: what cannot be read is in
 * `unchecked`.
 */
export function extractTypescript(text: string, { file }: { file: string }): FileFacts {
  const lineStarts = startsOfLines(text);
  const refused = unreadable(text, lineStarts);
  if (refused) return emptyFacts(text, file, lineStarts, { file, ...refused });
  const read = parsed(text, file);
  return read
    ? extractFromSource(read.source, read.code, file, lineStarts)
    : emptyFacts(text, file, lineStarts, { file, reason: 'too-deep', detail: 'nested too deeply to be parsed' });
}

/** The syntax tree of a file, and its code: the text, or what of a component is code. Undefined where it is nested too deeply. */
export function parsed(
  text: string,
  file: string,
): { readonly source: TS.SourceFile; readonly code: string } | undefined {
  loadTypescript();
  const blocks = isComponent(file) ? scriptBlocks(text) : undefined;
  const code = blocks?.code ?? text;
  try {
    const source = ts.createSourceFile(
      file,
      code,
      {
        languageVersion: ts.ScriptTarget.Latest,
        jsDocParsingMode: hasTypesInComments(file, code) ? ts.JSDocParsingMode.ParseAll : ts.JSDocParsingMode.ParseNone,
      },
      false,
      scriptKind(blocks ? `a.${blocks.language || 'js'}` : file),
    );
    return { source, code };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

/** The facts of a file that is parsed already, by the same version of the compiler. */
export function extractFromSource(
  source: TS.SourceFile,
  text: string,
  file: string,
  lineStarts = startsOfLines(text),
  atChain?: Extraction['atChain'],
): FileFacts {
  loadTypescript();
  const scope: Scope = { variables: new Map() };
  const body = emptyFunction({ file }, `${file}#f0`, 0, text.length);
  const fn: FunctionState = { facts: body, scope, block: 0, exit: undefined, breaks: [], throws: [] };
  const x: Extraction = {
    file,
    text,
    source,
    isClient: hasDirective(source, 'use client'),
    chains: [],
    functions: [body],
    functionIds: new Map<TS.Node, string>([[source, body.id]]),
    functionById: new Map([[body.id, body]]),
    classes: [],
    imports: [],
    exports: [],
    unchecked: [],
    kept: [],
    types: new Map(),
    commented: new Map(),
    converted: new Map(),
    typed: [],
    membersOfTypes: new Map(),
    extraBindings: Object.create(null) as Record<string, Value>,
    neverReturns: new Map(),
    declarations: new Map(),
    serverActions: [],
    fn,
    scope,
    thisClass: undefined,
    trail: [],
    present: new Map(),
    presentLog: [],
    atChain,
    loopAssignments: new Map(),
  };
  noteSyntaxErrors(x);
  safely(x, () => readComments(x));
  walkStatements(x, source.statements);
  const bindings: Record<string, Value> = Object.create(null) as Record<string, Value>;
  for (const variable of scope.variables.values()) {
    if (variable.kind === 'module') bindings[variable.name] = bounded(valueOfVariable(variable));
  }
  Object.assign(bindings, x.extraBindings);
  const outside = markEntryPoints(x, bindings);
  const published = new Set(text.match(publishedName));
  return {
    file,
    hash: hashOf(text),
    dialect: 'typescript',
    lineStarts,
    directives: safely(x, () => directivesOf(text, source, file)) ?? [],
    imports: x.imports,
    exports: x.exports,
    bindings,
    classes: x.classes,
    functions: x.functions,
    chains: x.chains,
    schema: [],
    queries: [],
    unchecked: x.unchecked,
    ...(x.kept.length > 0 ? { kept: x.kept } : {}),
    ...(published.size > 0 ? { published: [...published] } : {}),
    ...(x.typed.length > 0 ? { types: x.typed } : {}),
    ...outside,
  };
}

/** Next.js, Vite, SvelteKit and Astro, Nuxt, Expo, Create React App, Gatsby and Vue publish the variables of these prefixes. */
const publishedName = /\b(?:NEXT_PUBLIC|VITE|PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|REACT_APP|GATSBY|VUE_APP)_\w+/g;

function safely<T>(x: Extraction, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    x.unchecked.push({ file: x.file, reason: 'too-deep', detail: 'nested too deeply to be read' });
    return undefined;
  }
}

/** Why the text is not parsed at all. */
function unreadable(text: string, lineStarts: readonly number[]): { reason: string; detail: string } | undefined {
  if (text.includes('\0')) return { reason: 'unreadable', detail: 'binary' };
  if (text.length > sizeLimit) return { reason: 'too-large', detail: `${text.length} characters` };
  let longest = 0;
  let previous = 0;
  for (const start of lineStarts) {
    if (start - previous > longest) longest = start - previous;
    previous = start;
  }
  longest = Math.max(longest, text.length - previous);
  return longest > lineLimit ? { reason: 'too-large', detail: `a line of ${longest} characters` } : undefined;
}

function noteSyntaxErrors(x: Extraction): void {
  const { parseDiagnostics } = x.source as TS.SourceFile & { parseDiagnostics?: readonly TS.DiagnosticWithLocation[] };
  const [first] = parseDiagnostics ?? [];
  if (!first) return;
  const more = (parseDiagnostics?.length ?? 1) - 1;
  const message = ts.flattenDiagnosticMessageText(first.messageText, ' ');
  x.unchecked.push({
    file: x.file,
    reason: 'syntax',
    detail: more > 0 ? `${message} (and ${more} more)` : message,
    span: { file: x.file, start: first.start, end: first.start + first.length },
  });
}

function scriptKind(file: string): TS.ScriptKind {
  const extension = /\.([cm]?[jt]sx?)$/i.exec(file)?.[1]?.toLowerCase();
  if (extension === 'tsx') return ts.ScriptKind.TSX;
  if (extension === 'jsx') return ts.ScriptKind.JSX;
  return extension?.includes('j') ? ts.ScriptKind.JS : ts.ScriptKind.TS;
}

/** As lineStartsOf; most files have no carriage return, and then searching is quicker than looking at every character. */
function startsOfLines(text: string): number[] {
  if (text.includes('\r')) return lineStartsOf(text);
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** The first 64 bits of the SHA-1 of the text. It tells versions of a file apart and protects nothing, and SHA-1 takes half the time of SHA-256. */
const hashOf = (text: string): string => hash('sha1', text, 'hex').slice(0, 16);

const emptyFacts = (text: string, file: string, lineStarts: readonly number[], unchecked: Unchecked): FileFacts => ({
  file,
  hash: hashOf(text),
  dialect: 'typescript',
  lineStarts,
  directives: [],
  imports: [],
  exports: [],
  bindings: {},
  classes: [],
  functions: [],
  chains: [],
  schema: [],
  queries: [],
  unchecked: [unchecked],
});
