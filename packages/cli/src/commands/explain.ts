import { ruleNamed } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import { Failure, hint } from '@tenant-lint/workspace';
import type { Io } from '../main.js';

/** `tenant-lint explain RULE`. Throws Failure for a rule that does not exist. */
export function explain(name: string, io: Io): number {
  const rule = ruleNamed(rules, name);
  if (!rule) {
    throw new Failure(
      `There is no rule ${name}${hint(
        name,
        rules.map((r) => r.meta.id),
      )}`,
      { advice: 'See docs/rules.md for the rules there are.' },
    );
  }
  const { meta } = rule;
  const lines = [
    `${meta.id} (${meta.group}, ${meta.severity}${meta.recommended ? '' : ', off unless asked for'})`,
    `  ${meta.summary}`,
    ...Object.values(meta.messages).flatMap((m) => ['', `  what  ${m.what}`, `  why   ${m.why}`, `  fix   ${m.fix}`]),
    '',
    `  catalogue: ${meta.catalogue.join(', ') || 'none'}`,
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
