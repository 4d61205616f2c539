import { positionAt, type Directive, type FileFacts, type Span } from '@tenant-lint/model';
import type { Rule, SuppressionSubject } from './rule.js';
import { ruleNamed } from './settings.js';

/** The suppression comments of a run, and which of them did something. */
export interface Suppressions {
  /** The comment that suppresses a finding of `rule` at `span`, if any; it counts as used from then on. */
  covering(rule: Rule, span: Span): Directive | undefined;
  /**
   * Every comment that disables something, after all findings were asked for. `ran`: ids of the rules that ran; `on`: of those that would run
   * if nobody had asked for some by name, which is what a comment that names none speaks of.
   */
  subjects(
    ran: ReadonlySet<string>,
    on: ReadonlySet<string>,
    nearest: (name: string) => string | undefined,
  ): Iterable<SuppressionSubject>;
}

export function suppressionsOf(files: ReadonlyMap<string, FileFacts>, rules: readonly Rule[]): Suppressions {
  const used = new Set<Directive>();
  const line = (facts: FileFacts, offset: number): number => positionAt(facts.lineStarts, offset).line;
  const names = (directive: Directive, rule: Rule): boolean =>
    directive.rules.length === 0 ||
    directive.rules.some((name) => name === rule.meta.id || rule.meta.aliases?.includes(name) === true);

  /** The line a `disable-next-line` comment speaks of: the first below it that is not another such comment. */
  const nextLine = (facts: FileFacts, directive: Directive): number => {
    const taken = new Set(
      facts.directives.filter((d) => d.kind === 'disable-next-line').map((d) => line(facts, d.span.start)),
    );
    let next = line(facts, directive.span.end) + 1;
    while (taken.has(next)) next++;
    return next;
  };

  const covers = (facts: FileFacts, directive: Directive, rule: Rule, span: Span): boolean => {
    if (!names(directive, rule)) return false;
    const first = line(facts, span.start);
    switch (directive.kind) {
      case 'disable-next-line':
        return first === nextLine(facts, directive);
      case 'disable-line': {
        // A comment stands at the end of a line; of a statement over several lines that is naturally the last.
        const at = line(facts, directive.span.start);
        return at === first || at === line(facts, Math.max(span.start, span.end - 1));
      }
      case 'disable':
        return (
          directive.span.start < span.start &&
          !facts.directives.some(
            (d) =>
              d.kind === 'enable' && d.span.start > directive.span.start && d.span.start < span.start && names(d, rule),
          )
        );
      case 'enable':
        return false;
    }
  };

  return {
    covering(rule, span) {
      const facts = files.get(span.file);
      const directive = facts?.directives.find((d) => covers(facts, d, rule, span));
      if (directive) used.add(directive);
      return directive;
    },
    *subjects(ran, on, nearest) {
      for (const [file, facts] of files) {
        for (const directive of facts.directives) {
          if (directive.kind === 'enable') continue;
          const named = directive.rules.map((name) => ({ name, rule: ruleNamed(rules, name) }));
          const wanted =
            directive.rules.length === 0
              ? rules.filter((rule) => on.has(rule.meta.id))
              : named.flatMap(({ rule }) => rule ?? []);
          yield {
            file,
            directive,
            used: used.has(directive),
            judged:
              wanted.length > 0 && wanted.every((rule) => rule.subject === 'suppression' || ran.has(rule.meta.id)),
            unknown: named.flatMap(({ name, rule }) => {
              if (rule) return [];
              const near = nearest(name);
              return [near === undefined ? { name } : { name, nearest: near }];
            }),
          };
        }
      }
    },
  };
}
