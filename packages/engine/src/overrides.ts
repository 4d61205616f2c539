import type { Rule } from './rule.js';
import { activeRules, type ActiveRule, type RuleSetting } from './settings.js';

/** Settings of rules that hold in some files only. A severity without options keeps the options of the project. */
export interface Override {
  matches(file: string): boolean;
  readonly settings: Readonly<Record<string, RuleSetting>>;
}

export interface RulesByPlace {
  /** The rules that are on anywhere; one that an override sets is there once for each of its settings. */
  readonly active: readonly ActiveRule[];
  /** Whether what a rule found with these settings counts in a file; findings without a file follow the settings of the project. */
  holdsAt(active: ActiveRule, file: string | undefined): boolean;
}

/** Which rules run, and where what they find counts. The last override that matches a file and names a rule decides; else the project. */
export function rulesByPlace(
  rules: readonly Rule[],
  options: {
    readonly settings?: Readonly<Record<string, RuleSetting>>;
    readonly overrides?: readonly Override[];
    readonly only?: readonly string[];
  },
): RulesByPlace {
  const { settings = {}, overrides = [], only } = options;
  const base = activeRules(rules, settings, only);
  if (overrides.length === 0) return { active: base, holdsAt: () => true };

  const project = -1;
  const origins = new Map<ActiveRule, number>(base.map((a) => [a, project]));
  for (const [i, override] of overrides.entries()) {
    for (const rule of rules) {
      const setting = settingOf(rule, override.settings);
      if (setting === undefined) continue;
      const whole = { [rule.meta.id]: withOptionsOf(setting, settingOf(rule, settings)) };
      for (const active of activeRules([rule], whole, only)) origins.set(active, i);
    }
  }
  return {
    active: [...origins.keys()],
    holdsAt(active, file) {
      const origin = origins.get(active);
      if (file === undefined) return origin === project;
      const last = overrides.findLastIndex((o) => settingOf(active.rule, o.settings) !== undefined && o.matches(file));
      return origin === last;
    },
  };
}

const settingOf = (rule: Rule, settings: Readonly<Record<string, RuleSetting>>): RuleSetting | undefined =>
  [rule.meta.id, ...(rule.meta.aliases ?? [])].map((name) => settings[name]).find((s) => s !== undefined);

function withOptionsOf(setting: RuleSetting, project: RuleSetting | undefined): RuleSetting {
  const own = typeof setting === 'string' ? ([setting] as const) : setting;
  if (own.length === 2 || typeof project === 'string' || project?.[1] === undefined) return setting;
  return [own[0], project[1]];
}
