import { ConfigCommentParser, Directive, TextSourceCodeBase, VisitNodeStep } from '@eslint/plugin-kit';
import type { Linter } from 'eslint';
import { lineStartsOf, positionAt } from '@tenant-lint/model';
import { outlineOf } from '@tenant-lint/workspace';

type DirectiveType = ConstructorParameters<typeof Directive>[0]['type'];

/** Lines from 1, columns from 0, as ESLint has them for JavaScript. */
interface Position {
  readonly line: number;
  readonly column: number;
}

interface Place {
  readonly range: [number, number];
  readonly loc: { readonly start: Position; readonly end: Position };
}

export interface SqlComment extends Place {
  readonly type: 'Comment';
  /** Without what begins and ends it. */
  readonly value: string;
}

/** One statement of a script, without the semicolon. */
export interface SqlStatement extends Place {
  readonly type: 'Statement';
  /** Its first words in lower case, at most six. */
  readonly words: readonly string[];
}

/** The tree of a script: its statements. What they mean is the business of the analysis, not of selectors. */
export interface SqlScript extends Place {
  readonly type: 'Script';
  readonly body: readonly SqlStatement[];
  readonly comments: readonly SqlComment[];
}

const visitorKeys = { Script: ['body'], Statement: [] };

const configuration = new ConfigCommentParser();

/** A directive of ESLint in a comment of SQL, on one line or on several. */
const named = /^\s*(?:eslint(?:-enable|-disable(?:(?:-next)?-line)?)?)(?:\s|$)/;

class SqlSourceCode extends TextSourceCodeBase<{
  LangOptions: Record<string, unknown>;
  RootNode: SqlScript;
  SyntaxElementWithLoc: Place;
  ConfigNode: SqlComment;
}> {
  readonly visitorKeys = visitorKeys;

  constructor(text: string, ast: SqlScript) {
    super({ text, ast, lineEndingPattern: /\r\n|[\r\n]/u });
  }

  /** All comments, as rules of other plugins ask for them. */
  get comments(): readonly SqlComment[] {
    return this.ast.comments;
  }

  override getParent(node: Place): SqlScript | undefined {
    return node === this.ast ? undefined : this.ast;
  }

  override getAncestors(node: Place): SqlScript[] {
    return node === this.ast ? [] : [this.ast];
  }

  /** Comments that hold a directive of ESLint. */
  getInlineConfigNodes(): SqlComment[] {
    return this.ast.comments.filter((comment) => named.test(comment.value));
  }

  getDisableDirectives(): { directives: Directive[]; problems: { message: string; loc: Place['loc'] }[] } {
    const directives: Directive[] = [];
    const problems: { message: string; loc: Place['loc'] }[] = [];
    for (const node of this.getInlineConfigNodes()) {
      const { label, value, justification } = configuration.parseDirective(node.value)!;
      if (!label.startsWith('eslint-')) continue;
      if (label === 'eslint-disable-line' && node.loc.start.line !== node.loc.end.line)
        problems.push({ message: `${label} comment should not span multiple lines.`, loc: node.loc });
      else
        directives.push(
          new Directive({ type: label.slice('eslint-'.length) as DirectiveType, node, value, justification }),
        );
    }
    return { directives, problems };
  }

  /** `eslint rule: level` in a comment. */
  applyInlineConfig(): {
    configs: { config: { rules: Linter.RulesRecord }; loc: Place['loc'] }[];
    problems: { ruleId: null; message: string; loc: Place['loc'] }[];
  } {
    const configs: { config: { rules: Linter.RulesRecord }; loc: Place['loc'] }[] = [];
    const problems: { ruleId: null; message: string; loc: Place['loc'] }[] = [];
    for (const { value: text, loc } of this.getInlineConfigNodes()) {
      const { label, value } = configuration.parseDirective(text)!;
      if (label !== 'eslint') continue;
      const parsed = configuration.parseJSONLikeConfig(value);
      if (parsed.ok) configs.push({ config: { rules: parsed.config as Linter.RulesRecord }, loc });
      else problems.push({ ruleId: null, message: parsed.error.message, loc });
    }
    return { configs, problems };
  }

  override *traverse(): Iterable<VisitNodeStep> {
    yield new VisitNodeStep({ target: this.ast, phase: 1, args: [this.ast] });
    for (const statement of this.ast.body) {
      yield new VisitNodeStep({ target: statement, phase: 1, args: [statement, this.ast] });
      yield new VisitNodeStep({ target: statement, phase: 2, args: [statement, this.ast] });
    }
    yield new VisitNodeStep({ target: this.ast, phase: 2, args: [this.ast] });
  }
}

/** What ESLint hands a language of the file at hand. */
interface FileText {
  readonly body: string | Uint8Array;
}

/**
 * SQL as a language of ESLint: statements and comments, found as psql finds them. A text that is not SQL has statements too, so nothing is
 * ever reported as a fatal error; what PostgreSQL would refuse is left to the findings.
 */
export const sqlLanguage = {
  fileType: 'text' as const,
  lineStart: 1 as const,
  columnStart: 0 as const,
  nodeTypeKey: 'type',
  visitorKeys,

  /** Throws a TypeError for any option: there are none. */
  validateLanguageOptions(options: Readonly<Record<string, unknown>>): void {
    const [name] = Object.keys(options);
    if (name !== undefined) throw new TypeError(`tenant-lint/sql has no language option "${name}".`);
  },

  parse(file: FileText): { ok: true; ast: SqlScript } {
    return { ok: true, ast: scriptOf(file.body as string) };
  },

  createSourceCode(file: FileText, parsed: { readonly ast: SqlScript }): SqlSourceCode {
    return new SqlSourceCode(file.body as string, parsed.ast);
  },
};

function scriptOf(text: string): SqlScript {
  const starts = lineStartsOf(text);
  const at = (offset: number): Position => {
    const { line, column } = positionAt(starts, offset);
    return { line, column: column - 1 };
  };
  const place = (start: number, end: number): Place => ({
    range: [start, end],
    loc: { start: at(start), end: at(end) },
  });
  const { statements, comments } = outlineOf(text);
  return {
    type: 'Script',
    ...place(0, text.length),
    body: statements.map(({ start, end, words }) => ({ type: 'Statement', ...place(start, end), words })),
    comments: comments.map(({ start, end }) => ({
      type: 'Comment',
      ...place(start, end),
      value: text.slice(start + 2, text.startsWith('/*', start) && text.endsWith('*/', end) ? end - 2 : end),
    })),
  };
}
