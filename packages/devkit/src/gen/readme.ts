import type { Rule } from '@tenant-lint/engine';
import { readmeOf, type Output, type Source } from './outputs.js';

const begin = '<!-- begin generated header -->';
const end = '<!-- end generated header -->';

/** The README of a rule with its header brought up to date; what stands outside the markers is kept. */
export function readmeWithHeader(rule: Rule, source: Source): Output {
  const path = readmeOf(rule);
  const old = source.read(path) ?? '';
  const at = old.indexOf(end);
  const body = at < 0 ? `\n\n${old.trim()}\n` : old.slice(at + end.length);
  return { path, text: `${begin}\n\n${headerOf(rule).join('\n')}\n\n${end}${body}` };
}

function headerOf({ meta }: Rule): string[] {
  const languages = meta.hosts.map((host) => ({ typescript: 'TypeScript and JavaScript', sql: 'SQL' })[host]);
  return [
    `# ${meta.id}`,
    '',
    `${meta.summary}.`,
    '',
    `- Severity: ${meta.severity}`,
    `- Recommended: ${meta.recommended ? 'yes' : 'no'}`,
    `- Applies to: ${languages.join(', ')}`,
    ...(meta.needs ? [`- Needs: ${meta.needs.join(', ')}`] : []),
    ...(meta.aliases ? [`- Former names: ${meta.aliases.join(', ')}`] : []),
    `- Catalogue: ${meta.catalogue.join(', ')}`,
    `- Since: ${meta.since}`,
  ];
}
