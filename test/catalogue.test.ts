import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rules } from '@tenant-lint/rules';
import { coverageOf, parseCases, type Case } from '@tenant-lint/rule-tester';

interface Entry {
  readonly id: string;
  readonly title: string;
  readonly rule: string;
  /** What is missing before its rule can have a case for it: the adapter of a library. */
  readonly waits?: string;
}

/** A claim that other tools make, and the case that shows what Postgres does. */
interface Refuted {
  readonly id: string;
  readonly rule: string;
  readonly case: string;
}

/** The title of a case without the entries that it names. */
const plain = (title: string): string => title.replace(/\s*\[[^\]]*\]$/, '');

const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const entries = JSON.parse(readFileSync(path('test/catalogue/ids.json'), 'utf8')) as Entry[];
const byId = new Map(entries.map((entry) => [entry.id, entry]));

const casesOf = ({ group, id }: { group: string; id: string }): Case[] => {
  const file = path(`rules/${group}/${id}/cases.md`);
  return existsSync(file) ? parseCases(readFileSync(file, 'utf8')) : [];
};

describe('catalogue', () => {
  it('holds every entry once, with a title and a rule', () => {
    expect(byId.size).toBe(entries.length);
    expect(entries.filter((e) => e.id.startsWith('C-'))).toHaveLength(91);
    expect(entries.filter((e) => !e.id.startsWith('C-'))).toHaveLength(186);
    expect(entries.filter((e) => e.title.trim() === '' || e.rule.trim() === '')).toEqual([]);
  });

  it('documents what has no bad form, and only that', () => {
    expect(entries.filter((e) => e.rule === 'documented only').map((e) => e.id)).toEqual(['C-58', 'V12', 'D06']);
  });

  it('knows every entry that a rule names', () => {
    const unknown = rules.flatMap(({ meta }) =>
      meta.catalogue.filter((id) => !byId.has(id)).map((id) => `${meta.id}: ${id}`),
    );
    expect(unknown).toEqual([]);
  });

  it('is named by a rule only where it is assigned to that rule', () => {
    const wrong = rules
      .filter(({ meta }) => meta.group !== 'meta')
      .flatMap(({ meta }) =>
        meta.catalogue
          .filter((id) => byId.get(id)?.rule !== meta.id)
          .map((id) => `${meta.id} names ${id} of ${byId.get(id)?.rule}`),
      );
    expect(wrong).toEqual([]);
  });

  it('gives every rule but the meta rules an entry', () => {
    expect(
      rules.filter(({ meta }) => meta.group !== 'meta' && meta.catalogue.length === 0).map(({ meta }) => meta.id),
    ).toEqual([]);
  });

  it('is listed by the rules it is assigned to', () => {
    const missing = entries.filter((entry) => {
      const rule = rules.find(({ meta }) => meta.id === entry.rule);
      return rule !== undefined && !rule.meta.catalogue.includes(entry.id);
    });
    expect(missing.map((e) => `${e.rule} does not list ${e.id}`)).toEqual([]);
  });

  for (const { meta } of rules.filter((rule) => rule.meta.group !== 'meta')) {
    it(`has a bad case for every entry of ${meta.id}`, () => {
      const covered = new Set(casesOf(meta).flatMap((one) => (one.marks.length > 0 ? one.entries : [])));
      const missing = meta.catalogue.filter((id) => !covered.has(id) && byId.get(id)?.waits === undefined);
      expect(missing.map((id) => `${id} ${byId.get(id)?.title ?? ''}`)).toEqual([]);
    });
  }

  const reasons = JSON.parse(readFileSync(path('test/catalogue/not-executed.json'), 'utf8')) as Record<string, string>;
  const sql = entries.filter((e) => /^[TKXRPQSAFVIMDH]\d/.test(e.id) && e.rule !== 'documented only');
  const shown = new Map(
    sql.map((e) => {
      const rule = rules.find(({ meta }) => meta.id === e.rule);
      return [e.id, coverageOf(e.id, e.rule, rule ? casesOf(rule.meta) : [])];
    }),
  );

  it('has two bad forms and a good one for every entry of SQL', () => {
    const lacking = [...shown].filter(([, { bad, good }]) => bad < 2 || good < 1);
    expect(lacking.map(([id, { bad, good }]) => `${id}: ${bad} bad, ${good} good`)).toEqual([]);
  });

  it('executes a bad form and a good one of every entry of SQL, or says in a sentence why not', () => {
    const silent = [...shown].filter(([id, { executed, refuted }]) =>
      reasons[id] === undefined
        ? executed === 0 || refuted === 0
        : executed > 0 || !/^[A-Z].{20,}\.$/.test(reasons[id]),
    );
    expect(silent.map(([id]) => id)).toEqual([]);
    expect(Object.keys(reasons).filter((id) => !shown.has(id))).toEqual([]);
  });

  it('executes what is true of every claim that Postgres refutes', () => {
    const refuted = JSON.parse(readFileSync(path('test/catalogue/refuted.json'), 'utf8')) as Refuted[];
    const wrong = refuted.filter((one) => {
      const rule = rules.find(({ meta }) => meta.id === one.rule);
      return !rule || !casesOf(rule.meta).some((c) => plain(c.title) === one.case && c.probes.length > 0);
    });
    expect(wrong.map((one) => `${one.id}: ${one.rule}, ${one.case}`)).toEqual([]);
    expect(refuted.map((one) => one.id)).toEqual(Array.from({ length: 10 }, (_, i) => `E${i + 1}`));
  });

  it('marks nothing as waiting that has a case', () => {
    const cases = new Set(rules.flatMap(({ meta }) => casesOf(meta).flatMap((one) => one.entries)));
    expect(entries.filter((e) => e.waits !== undefined && cases.has(e.id)).map((e) => e.id)).toEqual([]);
  });
});
