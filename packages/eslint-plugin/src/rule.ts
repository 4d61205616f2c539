import path from 'node:path';
import type { Rule as EslintRule } from 'eslint';
import { positionAt, type Finding } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';
import { projectOf } from './project.js';

/** What ESLint must know of a rule, as generated from its metadata. */
export interface RuleFacts {
  readonly id: string;
  readonly description: string;
  readonly recommended: boolean;
  readonly hosts: readonly ('typescript' | 'sql')[];
}

/** The languages of ESLint in which a rule has something to say; version 10 refuses to run a rule on another one. */
const languageOf = { typescript: 'js/js', sql: 'tenant-lint/sql' } as const;

/** The ESLint rule of that id: it asks the project's report for the findings of the rule in the file at hand. */
export function eslintRule(rule: RuleFacts): EslintRule.RuleModule {
  return {
    meta: {
      type: 'problem',
      docs: { description: rule.description, recommended: rule.recommended },
      languages: rule.hosts.map((host) => languageOf[host]),
      schema: [],
      hasSuggestions: true,
      messages: { finding: '{{what}} {{why}} {{fix}}', suggestion: '{{description}}' },
    },
    create(context) {
      // A block of code that a processor cut out of another file is not a file of the project.
      if (context.physicalFilename !== context.filename) return {};
      return { Program: () => reportAll(), Script: () => reportAll() };

      function reportAll(): void {
        const file = path.resolve(context.cwd, context.filename);
        const project = projectOf(file, context.cwd);
        const relative = path.relative(project.root, file).split(path.sep).join('/');
        if (relative.startsWith('..') || path.isAbsolute(relative)) return;
        const report = project.reportFor(relative, context.sourceCode.text, rule.id);
        for (const finding of report.findings) {
          if (finding.rule !== rule.id || finding.span?.file !== relative) continue;
          if (finding.suppressed || finding.baselined) continue;
          const fix = project.suggestionFor(relative, context.sourceCode.text, rule.id, finding);
          context.report({
            loc: locOf(finding, report),
            messageId: 'finding',
            data: finding.text,
            suggest: fix
              ? [
                  {
                    messageId: 'suggestion',
                    data: { description: fix.description },
                    fix: (fixer) => fix.edits.map(({ start, end, text }) => fixer.replaceTextRange([start, end], text)),
                  },
                ]
              : [],
          });
        }
      }
    },
  };
}

type Loc = { readonly line: number; readonly column: number };

/** ESLint counts columns from 0. */
function locOf(finding: Finding, report: Report): { start: Loc; end: Loc } {
  const span = finding.span!;
  const starts = report.lineStarts[span.file] ?? [0];
  const at = (offset: number): Loc => {
    const { line, column } = positionAt(starts, offset);
    return { line, column: column - 1 };
  };
  return { start: at(span.start), end: at(span.end) };
}
