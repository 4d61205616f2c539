import { describe, expect, it } from 'vitest';
import { defineRule, type Rule } from '@tenant-lint/engine';
import {
  checkCase,
  checkCoverage,
  checkProbes,
  parseCases,
  parseExamples,
  sectionsOf,
  type Case,
} from '../src/index.js';
import { factsOf, modelOf } from '../../engine/test/model.js';

const fence = (info: string, ...lines: string[]): string => ['```' + info, ...lines, '```'].join('\n');

describe('markdown', () => {
  it('gives each heading its prose, its fences and the headings around it', () => {
    const sections = sectionsOf(
      `# A\n\n## B\nsome words\n${fence('ts src/x.ts', '# no heading', 'x')}\n## C\n### D\n# E\n`,
    );
    expect(sections.map((s) => [s.title, s.parents])).toEqual([
      ['A', []],
      ['B', ['A']],
      ['C', ['A']],
      ['D', ['A', 'C']],
      ['E', []],
    ]);
    expect(sections[1]).toMatchObject({
      prose: 'some words',
      fences: [{ info: ['ts', 'src/x.ts'], text: '# no heading\nx\n' }],
    });
  });

  it('refuses a fence that is not closed', () => {
    expect(() => sectionsOf('# A\n```ts\nx')).toThrow('line 2: the fence is not closed');
  });
});

describe('cases', () => {
  const one = (text: string): Case => {
    const [first] = parseCases(text);
    if (!first) throw new Error('no case');
    return first;
  };

  it('have files, marks and catalogue entries', () => {
    const text = `# Cases\n## A thing [C-1, T02]\nWhy.\n${fence('ts src/x.ts', 'a(); // error: rule-a', 'b(); // error: rule-a possible')}\n${fence('sql 1.sql', 'select 1; -- error: rule-a')}`;
    expect(one(text)).toMatchObject({
      title: 'A thing [C-1, T02]',
      entries: ['C-1', 'T02'],
      files: { 'src/x.ts': 'a();\nb();\n', '1.sql': 'select 1;\n' },
      marks: [
        { file: 'src/x.ts', line: 1, rule: 'rule-a', possible: false },
        { file: 'src/x.ts', line: 2, rule: 'rule-a', possible: true },
        { file: '1.sql', line: 1, rule: 'rule-a', possible: false },
      ],
    });
  });

  it('share files, and replace a shared one by their own', () => {
    const text = `# Cases\n## Shared files\n${fence('ts a.ts', 'shared')}\n${fence('ts b.ts', 'shared')}\n## One\nWhy.\n${fence('ts b.ts', 'own')}`;
    expect(one(text).files).toEqual({ 'a.ts': 'shared\n', 'b.ts': 'own\n' });
  });

  it('have probes of both kinds', () => {
    const text = `# Cases\n## One\nWhy.\n${fence('sql a.sql', 'x')}\n${fence('sql probe bad', 'select 1;')}\n${fence('sql probe good', 'select 2;')}`;
    expect(one(text).probes).toEqual([
      { leaks: true, text: 'select 1;\n' },
      { leaks: false, text: 'select 2;\n' },
    ]);
  });

  it.each([
    ['does not say what it shows', `## One\n${fence('ts a.ts', 'x')}`],
    ['does not name its file', `## One\nWhy.\n${fence('ts', 'x')}`],
    ['occurs twice', `## One\nWhy.\n${fence('ts a.ts', 'x')}\n${fence('ts a.ts', 'x')}`],
    ['has no files', `## One\nWhy.\n${fence('sql probe bad', 'x')}`],
    ['"probe bad" or "probe good"', `## One\nWhy.\n${fence('sql a.sql', 'x')}\n${fence('sql probe', 'x')}`],
  ])('are refused where one %s', (message, text) => {
    expect(() => parseCases(text)).toThrow(message);
  });

  it('are read from the Invalid and Valid sections of a README', () => {
    const text = `# R\n## Usage\n${fence('ts a.ts', 'no')}\n## Invalid\n${fence('ts a.ts', 'x')}\n### Another\n${fence('ts a.ts', 'y')}\n## Valid\n${fence('ts a.ts', 'z')}`;
    expect(parseExamples(text).map((e) => [e.title, e.example, e.files['a.ts']])).toEqual([
      ['Invalid', 'invalid', 'x\n'],
      ['Another', 'invalid', 'y\n'],
      ['Valid', 'valid', 'z\n'],
    ]);
  });
});

describe('checking a case', () => {
  const file = 'src/x.ts';
  /** Reports every line that holds "bad", and "maybe" with confidence possible. */
  const rule: Rule = defineRule({
    meta: {
      id: 'rule-a',
      group: 'test',
      summary: 'A rule for tests',
      since: 'next',
      severity: 'error',
      recommended: true,
      hosts: ['typescript'],
      catalogue: ['C-1'],
      messages: { found: { what: 'Bad.', why: 'Because.', fix: 'Change it.' } },
    },
    subject: 'project',
    *check(_, model) {
      for (const match of (model.files.get(file)?.hash ?? '').matchAll(/bad|maybe/g)) {
        yield {
          message: 'found',
          data: {},
          span: { file, start: match.index, end: match.index + 3 },
          confidence: match[0] === 'bad' ? 'certain' : 'possible',
          key: 'k',
        };
      }
    },
  });
  const check = (...lines: string[]): string[] => {
    const [one] = parseCases(`## One\nWhy.\n${fence(`ts ${file}`, ...lines)}`);
    if (!one) throw new Error('no case');
    // The text travels in the hash: the rule of this test reads it from there.
    return checkCase(one, rule, [rule], (files) =>
      modelOf([{ ...factsOf(file, files[file] ?? ''), hash: files[file] ?? '' }]),
    );
  };

  it('is content where marks and findings agree', () => {
    expect(check('good();', 'bad(); // error: rule-a', 'maybe(); // error: rule-a possible')).toEqual([]);
  });

  it('tells of a mark without a finding, with its line', () => {
    expect(check('good();', 'good(); // error: rule-a')).toEqual([`missing: ${file}:2 rule-a`]);
  });

  it('tells of a finding without a mark, a possible one included', () => {
    expect(check('bad();', 'maybe();')).toEqual([
      `unexpected: ${file}:1 rule-a (certain): Bad.`,
      `unexpected: ${file}:2 rule-a (possible): Bad.`,
    ]);
  });

  it('tells apart what is possible and what is more', () => {
    expect(check('bad(); // error: rule-a possible')).toHaveLength(2);
  });

  it('compares the severity of the message where the mark names a lesser one', () => {
    expect(check('bad(); // warning: rule-a')).toEqual([
      `unexpected: ${file}:1 rule-a (certain): Bad.`,
      `missing: ${file}:1 rule-a`,
    ]);
  });

  it('wants as many marks as findings', () => {
    expect(check('bad(bad); // error: rule-a')).toHaveLength(1);
    expect(check('bad(bad); // error: rule-a, rule-a')).toEqual([]);
  });

  it('refuses marks for other rules', () => {
    expect(check('bad(); // error: rule-b')).toContain(`${file}:1 is marked for rule-b; a case speaks of its own rule`);
  });

  it('wants cases to be told apart, and entries to be those of the rule', () => {
    const [one] = parseCases(`## One [C-2]\nWhy.\n${fence(`ts ${file}`, 'x')}`);
    if (!one) throw new Error('no case');
    expect(checkCoverage(rule, [one, one])).toContain('two cases are called "One [C-2]"');
    expect(checkCoverage(rule, [one])).toEqual(['"One [C-2]" names C-2, which rule-a does not list']);
  });

  it('executes probes after the SQL files in order, and compares', async () => {
    const [one] = parseCases(
      `## One\nWhy.\n${fence('sql 2.sql', 'two')}\n${fence('sql 1.sql', 'one')}\n${fence('sql probe bad', 'p')}\n${fence('sql probe good', 'q')}`,
    );
    if (!one) throw new Error('no case');
    const seen: unknown[] = [];
    const problems = await checkProbes(one, (setup, probe) => {
      seen.push([setup, probe]);
      return Promise.resolve(probe === 'p\n' ? 0 : 3);
    });
    expect(seen).toEqual([
      [['one\n', 'two\n'], 'p\n'],
      [['one\n', 'two\n'], 'q\n'],
    ]);
    expect(problems).toEqual([
      'the probe returns no rows, although the case is a bad one',
      'the probe returns 3 rows, although the case is a good one',
    ]);
  });
});
