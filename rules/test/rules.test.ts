import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rules } from '@tenant-lint/rules';
import { analyze, checkCase, checkCoverage, checkProbes, parseCases, parseExamples } from '@tenant-lint/rule-tester';
import { probeExecutor, serverExecutor } from './probe.js';

const folder = fileURLToPath(new URL('..', import.meta.url));

describe.each(rules.map((rule) => [rule.meta.id, rule] as const))('%s', (id, rule) => {
  const at = `${folder}${rule.meta.group}/${id}/`;
  const readme = readFileSync(`${at}README.md`, 'utf8');
  const cases = parseCases(readFileSync(`${at}cases.md`, 'utf8'));
  const examples = parseExamples(readme);

  it('has the files of a rule and no others but its own helpers', () => {
    const files = readdirSync(at).filter((name) => name !== 'lib');
    expect(files.sort()).toEqual(['README.md', 'cases.md', 'rule.ts']);
  });

  it('shows what is reported and what is not in its README', () => {
    expect(examples.filter((e) => e.example === 'invalid')).not.toHaveLength(0);
    expect(examples.filter((e) => e.example === 'valid')).not.toHaveLength(0);
  });

  it.each(examples.map((one) => [`${one.example}: ${one.title} (README line ${one.line})`, one] as const))(
    '%s',
    (_, one) => {
      expect(checkCase(one, rule, rules, analyze)).toEqual([]);
    },
  );

  it('has cases of both kinds that fit together', () => {
    expect(cases.filter((c) => c.marks.length > 0)).not.toHaveLength(0);
    expect(cases.filter((c) => c.marks.length === 0)).not.toHaveLength(0);
    expect(checkCoverage(rule, cases)).toEqual([]);
  });

  it.each(cases.map((one) => [`${one.title} (line ${one.line})`, one] as const))('%s', (_, one) => {
    expect(checkCase(one, rule, rules, analyze)).toEqual([]);
  });

  const probed = cases.filter((one) => one.probes.length > 0);
  if (rule.meta.hosts.length === 1 && rule.meta.hosts[0] === 'sql') {
    it('executes a bad form and a good form', () => {
      expect(probed.flatMap((one) => one.probes).filter((p) => p.leaks)).not.toHaveLength(0);
      expect(probed.flatMap((one) => one.probes).filter((p) => !p.leaks)).not.toHaveLength(0);
    });
  }
  it.each(probed.map((one) => [`executed: ${one.title}`, one] as const))('%s', async (_, one) => {
    expect(await checkProbes(one, await probeExecutor())).toEqual([]);
  });
  const url = process.env['TENANT_LINT_TEST_DATABASE_URL'];
  it.skipIf(url === undefined).each(probed.map((one) => [`executed on a server: ${one.title}`, one] as const))(
    '%s',
    async (_, one) => {
      const { execute, version } = await serverExecutor(url!);
      const probes = one.probes.filter(({ since = 0 }) => since <= version);
      expect(await checkProbes({ ...one, probes }, execute)).toEqual([]);
    },
  );
});
