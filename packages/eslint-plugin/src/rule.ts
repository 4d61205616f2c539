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
}

/** The ESLint rule of that id: it asks the project's report for the findings of the rule in the file at hand. */
export function eslintRule(rule: RuleFacts): EslintRule.RuleModule {
  return {
    meta: {
      type: 'problem',
      docs: { description: rule.description, recommended: rule.recommended },
      hasSuggestions: true,
      schema: [],
      messages: { finding: '{{what}} {{why}} {{fix}}' },
    },
    create(context) {
      return {
        Program() {
          const file = path.resolve(context.cwd, context.filename);
          const project = projectOf(file, context.cwd);
          const relative = path.relative(project.root, file).split(path.sep).join('/');
          if (relative.startsWith('..')) return;
          const { sourceCode } = context;
          const report = project.reportFor(relative, sourceCode.text);
          for (const finding of report.findings) {
            if (finding.rule !== rule.id || finding.span?.file !== relative || finding.suppressed || finding.baselined)
              continue;
            context.report(descriptor(finding, report, sourceCode.hasBOM ? 1 : 0));
          }
        },
      };
    },
  };
}

function descriptor(finding: Finding, report: Report, shift: number): EslintRule.ReportDescriptor {
  const span = finding.span!;
  const starts = report.lineStarts[span.file] ?? [0];
  const at = (offset: number): { line: number; column: number } => {
    const { line, column } = positionAt(starts, offset);
    // ESLint counts columns from 0, and does not see the byte order mark.
    return { line, column: column - 1 - (line === 1 ? shift : 0) };
  };
  return {
    loc: { start: at(span.start), end: at(span.end) },
    messageId: 'finding',
    data: finding.text,
    suggest: finding.fixes.map((fix) => ({
      desc: fix.description,
      fix: (fixer) =>
        fix.edits
          .filter((e) => e.file === span.file)
          .map((e) => fixer.replaceTextRange([e.start - shift, e.end - shift], e.text)),
    })),
  };
}
