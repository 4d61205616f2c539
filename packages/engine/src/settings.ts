import { severities, type Severity } from '@tenant-lint/model';
import type { MessageTemplate, Rule, RuleOptions } from './rule.js';

/** The value of a key of `rules` in the configuration. */
export type RuleSetting = Severity | readonly [Severity] | readonly [Severity, RuleOptions];

/** A rule that is on: at which severity, and with which options. `explicit`: the configuration set the severity, messages do not change it. */
export interface ActiveRule {
  readonly rule: Rule;
  readonly severity: Exclude<Severity, 'off'>;
  readonly explicit: boolean;
  /** Whether it was asked for, by configuration or by name: only then its merely informative messages are wanted. */
  readonly informs: boolean;
  readonly options: RuleOptions;
}

/**
 * The rules that run. Without a setting a recommended rule runs at its own severity and any other is off; `only` (--rule) turns on just
 * those it names, an explicit 'off' included. Settings and `only` may use former names of rules.
 */
export function activeRules(
  rules: readonly Rule[],
  settings: Readonly<Record<string, RuleSetting>> = {},
  only: readonly string[] = [],
): ActiveRule[] {
  const wanted = new Set(only);
  return rules.flatMap((rule) => {
    const names = [rule.meta.id, ...(rule.meta.aliases ?? [])];
    const setting = names.map((name) => settings[name]).find((s) => s !== undefined);
    const configured: Severity | undefined = typeof setting === 'string' ? setting : setting?.[0];
    const options = (typeof setting === 'string' ? undefined : setting?.[1]) ?? {};
    const selected = names.some((name) => wanted.has(name));
    if (wanted.size > 0 && !selected) return [];
    const severity = configured ?? (rule.meta.recommended || selected ? rule.meta.severity : 'off');
    if (severity !== 'off')
      return [
        {
          rule,
          severity,
          explicit: configured !== undefined,
          informs: configured !== undefined || selected || rule.meta.severity === 'info',
          options,
        },
      ];
    return selected ? [{ rule, severity: rule.meta.severity, explicit: false, informs: true, options }] : [];
  });
}

/**
 * The severity of one message: its own, or the rule's. A configured severity holds for every message, but does not raise one that
 * weighs less than its rule.
 */
export function severityOf(active: ActiveRule, template: MessageTemplate): Exclude<Severity, 'off'> {
  const own = template.severity ?? active.rule.meta.severity;
  if (!active.explicit) return template.severity ?? active.severity;
  const weighsLess = severities.indexOf(own) < severities.indexOf(active.rule.meta.severity);
  return weighsLess && severities.indexOf(own) < severities.indexOf(active.severity) ? own : active.severity;
}

/** Whether a text is a severity, for hosts that read one from a person. */
export const isSeverity = (text: string): text is Severity => (severities as readonly string[]).includes(text);

/** The rule of that name or former name. */
export const ruleNamed = (rules: readonly Rule[], name: string): Rule | undefined =>
  rules.find((rule) => rule.meta.id === name || rule.meta.aliases?.includes(name));
