import { ruleNamed } from '@tenant-lint/engine';
import { rules } from '@tenant-lint/rules';
import { checkRuleName } from '@tenant-lint/workspace';
import { explainTexts } from '../gen/explain.gen.js';
import type { Io } from '../main.js';

/** `tenant-lint explain RULE`. Throws Failure for a rule that does not exist. */
export function explain(name: string, io: Io): number {
  checkRuleName(name, rules);
  const { meta } = ruleNamed(rules, name)!;
  const text = (explainTexts as Readonly<Record<string, string>>)[meta.id];
  const lines = [
    `${meta.id} (${meta.group}, ${meta.severity}${meta.recommended ? '' : ', off unless asked for'})`,
    `  ${meta.summary}`,
    ...Object.values(meta.messages).flatMap((m) => ['', `  what  ${m.what}`, `  why   ${m.why}`, `  fix   ${m.fix}`]),
    '',
    `  catalogue: ${meta.catalogue.join(', ') || 'none'}`,
    ...(text === undefined ? [] : ['', text]),
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
