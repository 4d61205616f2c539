import { ruleNamed, type Rule } from '@tenant-lint/engine';
import { Failure } from './failure.js';
import { hint } from './nearest.js';
import type { Config } from './schema.js';

/** Holds the rules of a configuration against the rules there are. Throws Failure for a rule or an option that does not exist. */
export function checkRuleSettings(config: Config, rules: readonly Rule[], where?: string): void {
  const parts = [
    { key: 'rules', settings: config.rules ?? {} },
    ...(config.overrides ?? []).map((o, i) => ({ key: `overrides.${i}.rules`, settings: o.rules ?? {} })),
  ];
  const wrong = parts.flatMap(({ key, settings }) =>
    Object.entries(settings).flatMap(([name, setting]) => {
      const rule = ruleNamed(rules, name);
      if (!rule) return [`${key}.${name}: ${noRule(name, rules)}`];
      const valid = Object.keys((rule.meta.options?.['properties'] as object | undefined) ?? {});
      return Object.keys((typeof setting === 'string' ? undefined : setting[1]) ?? {}).flatMap((option) =>
        valid.includes(option) ? [] : [`${key}.${name}: no option ${option}${hint(option, valid)}`],
      );
    }),
  );
  if (wrong.length === 0) return;
  throw new Failure(`The configuration is not valid:\n${wrong.map((w) => `  ${w}`).join('\n')}`, {
    ...(where === undefined ? {} : { where }),
    advice: 'See docs/rules.md for the rules there are.',
  });
}

/** Checks a name that was given on the command line. Throws Failure, naming the nearest rule. */
export function checkRuleName(name: string, rules: readonly Rule[]): void {
  if (ruleNamed(rules, name)) return;
  const message = noRule(name, rules);
  throw new Failure(message.charAt(0).toUpperCase() + message.slice(1), {
    advice: 'See docs/rules.md for the rules there are.',
  });
}

const noRule = (name: string, rules: readonly Rule[]): string =>
  `there is no rule ${name}${hint(
    name,
    rules.flatMap((r) => [r.meta.id, ...(r.meta.aliases ?? [])]),
  )}`;
