import type TS from 'typescript';
import type { Adapter, CallChain, Typed, Unchecked, Unresolved } from '@tenant-lint/model';
import { packageOf } from '../adapters/packages.js';
import { linksOf } from '../extract/chains.js';
import { isComponent } from '../extract/script-blocks.js';
import { loadTypescript, ts } from '../extract/typescript.js';
import { Callees } from './callees.js';
import { Configs, groupsOf, type Config } from './configs.js';
import { libraryType, type TypeReader } from './library.js';
import { compilerName, programOf, Reading } from './program.js';
import type { TypeSources } from './sources.js';

export interface Answers {
  readonly typed: readonly Typed[];
  /** Configurations that cannot be read, and packages that are not installed. */
  readonly unchecked: readonly Unchecked[];
}

/** How many of the packages that are missing are named. */
const maxNamed = 12;

/**
 * Asks the type checker what syntax does not show of some call chains. One program for each compiler configuration, over the files that are
 * asked about and what they import. Never throws for what the project says.
 */
export function askTypes(
  questions: readonly Unresolved[],
  sources: TypeSources,
  adapters: readonly Adapter[],
): Answers {
  loadTypescript();
  const typed: Typed[] = [];
  const unchecked: Unchecked[] = [];
  const configs = new Configs(sources, (u) => unchecked.push(u));
  const used = new Map<string, { readonly config: Config; readonly byFile: Map<string, Unresolved[]> }>();
  for (const question of questions) {
    if (isOfPlatform(question.chain)) continue;
    const { file } = question.chain.span;
    const config = configs.of(file);
    let under = used.get(config.path);
    if (!under) used.set(config.path, (under = { config, byFile: new Map() }));
    const list = under.byFile.get(file);
    if (list) list.push(question);
    else under.byFile.set(file, [question]);
  }
  const reading = new Reading();
  const isLibrary = libraryTest(adapters);
  const missing = new Set<string>();
  for (const group of groupsOf([...used.values()].map((u) => u.config))) {
    const byFile = new Map(group.configs.flatMap(({ path }) => [...used.get(path)!.byFile]));
    const relative = (path: string): string =>
      path.startsWith(`${sources.root}/`) ? path.slice(sources.root.length + 1) : path;
    try {
      const checked = programOf([...byFile.keys()], group, sources, reading);
      const { program } = checked;
      for (const name of checked.missing) missing.add(name);
      const checker = program.getTypeChecker();
      const fileOf = (source: TS.SourceFile): string | undefined => {
        const path = source.fileName;
        if (!path.startsWith(`${sources.root}/`) || path.includes('/node_modules/') || source.isDeclarationFile)
          return undefined;
        const file = relative(path);
        return isComponent(file.replace(/\.ts$/, '')) ? file.replace(/\.ts$/, '') : file;
      };
      const callees = new Callees(program, checker, (source) => fileOf(source) !== undefined);
      for (const [file, list] of byFile) {
        const source = program.getSourceFile(compilerName(sources.root, file));
        if (!source) continue;
        typed.push(...answer(source, list, { checker, isLibrary, fileOf, from: file }, callees));
      }
    } catch (error) {
      // The compiler meets code that nobody compiled; what it cannot take costs these types and nothing else.
      const detail = error instanceof Error ? error.message : String(error);
      for (const { path } of group.configs) unchecked.push({ file: relative(path), reason: 'types:failed', detail });
    }
  }
  if (missing.size > 0) unchecked.push(notInstalled([...missing].sort(), isLibrary));
  return { typed, unchecked };
}

/** Packages without declarations: those of data libraries first, since they matter most. */
function notInstalled(names: readonly string[], isLibrary: (name: string) => boolean): Unchecked {
  const data = names.filter(isLibrary);
  const named = [...data, ...names.filter((n) => !data.includes(n))].slice(0, Math.max(maxNamed, data.length));
  const count = names.length === 1 ? '1 package has' : `${names.length} packages have`;
  const rest = names.length > named.length ? ` and ${names.length - named.length} more` : '';
  return {
    file: 'package.json',
    reason: 'types:not-installed',
    detail: `${count} no types here: ${named.join(', ')}${rest}; what they declare stays unresolved`,
  };
}

/** Whether a package belongs to one of the libraries that are looked for. */
function libraryTest(adapters: readonly Adapter[]): (name: string) => boolean {
  const names = adapters.flatMap((a) => a.packages);
  const exact = new Set(names);
  const scopes = names.filter((n) => n.endsWith('/'));
  return (name) => exact.has(name) || scopes.some((s) => name.startsWith(s));
}

function answer(
  source: TS.SourceFile,
  questions: readonly Unresolved[],
  reader: TypeReader,
  callees: Callees,
): readonly Typed[] {
  const ends = new Set(questions.map((q) => q.chain.span.end));
  const calls = new Map<string, TS.Expression>();
  const visit = (node: TS.Node): void => {
    if (ends.has(node.end) && (ts.isCallExpression(node) || ts.isTaggedTemplateExpression(node)))
      calls.set(`${linksOf(node).root.getStart(source)}-${node.end}`, node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return questions.flatMap((q) => {
    const node = calls.get(`${q.chain.span.start}-${q.chain.span.end}`);
    const found = node && answerOne(node, q, reader, callees);
    return found ? [found] : [];
  });
}

function answerOne(node: TS.Expression, q: Unresolved, reader: TypeReader, callees: Callees): Typed | undefined {
  const { root, links } = linksOf(node);
  const byEnd = new Map(links.map((link) => [link.end, link as TS.Expression]));
  const { steps } = q.chain;
  const before = (step: number): TS.Expression | undefined =>
    step === 0 ? root : byEnd.get(steps[step - 1]!.span.end);
  const receiver = q.receiver ? receiverOf(q.chain, before, reader) : undefined;
  const called = q.callees.flatMap((step) => {
    if (step > lastAsked(q.chain)) return [];
    const link = byEnd.get(steps[step]!.span.end);
    const callee =
      link &&
      (ts.isCallExpression(link) ? link.expression : ts.isTaggedTemplateExpression(link) ? link.tag : undefined);
    return (callee ? callees.of(callee) : []).flatMap((f) => {
      const file = reader.fileOf(f.getSourceFile());
      return file === undefined ? [] : [{ step, file, start: f.getStart(), end: f.end }];
    });
  });
  return receiver || called.length > 0
    ? { chain: q.chain.id, ...(receiver ? { receiver } : {}), callees: called }
    : undefined;
}

/**
 * The last step worth asking about. What comes of a call that is handed a function is what the function gives, and the checker would read
 * its whole body to say what that is.
 */
function lastAsked({ steps }: CallChain): number {
  const at = steps.findIndex((s) => s.arguments?.some((a) => a.kind === 'function'));
  return at < 0 ? steps.length - 1 : at;
}

/** Whether a chain begins at something of the platform: `console`, `JSON`, `Object`. */
const isOfPlatform = ({ receiver }: CallChain): boolean =>
  receiver.kind === 'global' && receiver.name in globalThis && !/^global(?:This)?$/.test(receiver.name);

/** The first thing in a chain that is of a data library: what follows are its methods. */
function receiverOf(
  chain: CallChain,
  before: (step: number) => TS.Expression | undefined,
  reader: TypeReader,
): Typed['receiver'] {
  // Where an import comes from, syntax shows: `sql` of a library is a function of it and no client.
  const imported = chain.receiver.kind === 'import' ? packageOf(chain.receiver.module) : undefined;
  for (let step = 0; step <= lastAsked(chain); step++) {
    const node = before(step);
    const found = node && libraryType(reader.checker.getTypeAtLocation(node), reader);
    const name = found?.type.name;
    if (found && !(step === 0 && imported !== undefined && name?.kind === 'import' && name.module === imported))
      return { before: step, ...found };
  }
  return undefined;
}
