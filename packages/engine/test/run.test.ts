import { describe, expect, it } from 'vitest';
import { defineRule, runRules, type Draft, type Rule, type RuleMeta, type RunOptions } from '../src/index.js';
import { directivesOf, factsOf, modelOf } from './model.js';

const file = 'src/a.ts';

/** A rule that reports every line of the file that holds its id in angle brackets, `<id>` certain and `<id?>` possible. */
function lineRule(
  id: string,
  text: string,
  meta: Partial<RuleMeta<'found' | 'info'>> = {},
  key = (line: string): string => line,
): Rule {
  return defineRule({
    meta: {
      id,
      group: 'test',
      summary: 'A rule for tests',
      since: 'next',
      severity: 'error',
      recommended: true,
      hosts: ['typescript'],
      catalogue: [],
      messages: {
        found: { what: 'Found {name}.', why: 'Because.', fix: 'Remove {name}.' },
        info: { severity: 'info', what: 'By the way.', why: 'Because.', fix: 'Nothing.' },
      },
      ...meta,
    },
    subject: 'project',
    *check() {
      for (const match of text.matchAll(new RegExp(`^.*<${id}([?i]?)>.*$`, 'gm'))) {
        const draft: Draft<'found' | 'info'> = {
          message: match[1] === 'i' ? 'info' : 'found',
          data: { name: id },
          span: { file, start: match.index, end: match.index + match[0].length },
          confidence: match[1] === '?' ? 'possible' : 'certain',
          key: key(match[0].replace(/<.*>/, '')),
        };
        yield draft;
      }
    },
  });
}

const run = (text: string, ids: readonly string[], options: RunOptions = {}, more: readonly Rule[] = []) =>
  runRules(
    modelOf([factsOf(file, text, directivesOf(file, text))]),
    [...ids.map((id) => lineRule(id, text)), ...more],
    options,
  );

const places = (report: ReturnType<typeof runRules>): string[] =>
  report.findings.map(
    (f) => `${f.rule}@${f.span?.start}${f.suppressed ? ' suppressed' : ''}${f.baselined ? ' baselined' : ''}`,
  );

describe('findings', () => {
  it('are in the order of their places, then of their rules', () => {
    const text = 'x <b> <a>\ny <a>\n';
    expect(places(run(text, ['b', 'a']))).toEqual(['a@0', 'b@0', 'a@10']);
  });

  it('carry the three sentences with their data', () => {
    const [finding] = run('<a>', ['a']).findings;
    expect(finding?.text).toEqual({ what: 'Found a.', why: 'Because.', fix: 'Remove a.' });
  });

  it('throw for a message without its data, which is a defect of the rule', () => {
    const rule = lineRule('a', '<a>', {
      messages: { found: { what: 'No {such}.', why: '', fix: '' }, info: { what: '', why: '', fix: '' } },
    });
    expect(() => runRules(modelOf([]), [rule])).toThrow('needs data "such"');
  });
});

describe('fingerprints', () => {
  const print = (text: string): string[] => run(text, ['a']).findings.map((f) => f.fingerprint);

  it('do not change with the line', () => {
    expect(print('\n\n\nx <a>')).toEqual(print('x <a>'));
  });

  it('differ by subject, and by occurrence of the same subject', () => {
    const [first, second, third] = print('x <a>\nx <a>\ny <a>');
    expect(new Set([first, second, third]).size).toBe(3);
    expect(print('x <a>')).toEqual([first]);
  });

  it('are 16 hexadecimal digits', () => {
    expect(print('x <a>')[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  it('differ by rule', () => {
    const [a, b] = run('x <a> <b>', ['a', 'b']).findings;
    expect(a?.fingerprint).not.toBe(b?.fingerprint);
  });
});

describe('settings', () => {
  it('turn a rule off', () => {
    expect(places(run('<a>', ['a'], { settings: { a: 'off' } }))).toEqual([]);
  });

  it('change the severity of every message', () => {
    expect(run('<a>', ['a'], { settings: { a: ['warning', {}] } }).summary).toMatchObject({ error: 0, warning: 1 });
  });

  it('may use a former name', () => {
    const rule = lineRule('a', '<a>', { aliases: ['old'] });
    expect(runRules(modelOf([]), [rule], { settings: { old: 'info' } }).summary).toMatchObject({ error: 0, info: 1 });
  });

  it('show informative messages only of a rule that is asked for, and never raise them', () => {
    expect(places(run('<ai>', ['a']))).toEqual([]);
    expect(run('<ai>', ['a'], { settings: { a: 'error' } }).findings.map((f) => f.severity)).toEqual(['info']);
    expect(run('<ai>', ['a'], { only: ['a'] }).findings.map((f) => f.severity)).toEqual(['info']);
  });

  it('leave a rule off that is not recommended, until it is asked for', () => {
    const rule = lineRule('a', '<a>', { recommended: false });
    expect(runRules(modelOf([]), [rule]).findings).toEqual([]);
    expect(runRules(modelOf([]), [rule], { settings: { a: 'warning' } }).findings).toHaveLength(1);
    expect(runRules(modelOf([]), [rule], { only: ['a'] }).findings).toHaveLength(1);
  });

  it('run only what is named', () => {
    expect(places(run('<a> <b>', ['a', 'b'], { only: ['b'] }))).toEqual(['b@0']);
  });
});

describe('confidence', () => {
  it('hides and counts what is only possible', () => {
    const report = run('x <a?>\ny <a>', ['a']);
    expect(places(report)).toEqual(['a@7']);
    expect(report.hiddenPossible).toBe(1);
  });

  it('shows it where it is asked for', () => {
    const report = run('x <a?>\ny <a>', ['a'], { confidence: 'possible' });
    expect(places(report)).toEqual(['a@0', 'a@7']);
    expect(report.hiddenPossible).toBe(0);
  });
});

describe('one cause', () => {
  const model = modelOf([]);
  const ruleFor = (id: string, cause: string): Rule =>
    defineRule({
      meta: { ...lineRule(id, '').meta },
      subject: 'project',
      *check() {
        yield { message: 'found', data: { name: id }, subject: 's', confidence: 'certain', key: 'k', cause };
      },
    });

  it('is one finding of the most specific rule', () => {
    const rules = [
      ruleFor('require-tenant-filter', 'c'),
      ruleFor('no-vanishing-filter', 'c'),
      ruleFor('no-unscoped-get', 'c'),
    ];
    expect(runRules(model, rules).findings.map((f) => f.rule)).toEqual(['no-vanishing-filter']);
  });

  it('does not silence another cause, or a rule that never competes', () => {
    const rules = [ruleFor('require-tenant-filter', 'c'), ruleFor('no-vanishing-filter', 'd'), ruleFor('other', 'd')];
    expect(runRules(model, rules).findings.map((f) => f.rule)).toEqual([
      'no-vanishing-filter',
      'other',
      'require-tenant-filter',
    ]);
  });
});

describe('suppressions', () => {
  it('cover the next line, and no other', () => {
    const text = '// tenant-lint-disable-next-line a -- why\nx <a>\ny <a>';
    expect(places(run(text, ['a']))).toEqual(['a@42 suppressed', 'a@48']);
  });

  it('cover the line they stand on', () => {
    const text = 'x <a> // tenant-lint-disable-line a -- why\ny <a>';
    expect(places(run(text, ['a']))).toEqual(['a@0 suppressed', 'a@43']);
  });

  it('cover a block', () => {
    const text = '// tenant-lint-disable a -- why\nx <a> <b>\n// tenant-lint-enable a\ny <a>';
    expect(places(run(text, ['a', 'b']))).toEqual(['a@32 suppressed', 'b@32', 'a@66']);
  });

  it('cover to the end of the file what nothing enables again', () => {
    const text = '// tenant-lint-disable -- why\nx <a>\n// tenant-lint-enable b\ny <a>';
    expect(places(run(text, ['a', 'b'])).every((p) => p.endsWith('suppressed'))).toBe(true);
  });

  it('may stand one above the other', () => {
    const text = '// tenant-lint-disable-next-line a -- why\n// tenant-lint-disable-next-line b -- why\nx <a> <b>';
    expect(places(run(text, ['a', 'b']))).toEqual(['a@84 suppressed', 'b@84 suppressed']);
  });

  it('keep the reason, and are not counted as findings', () => {
    const report = run('x <a> // tenant-lint-disable-line a -- because of that', ['a']);
    expect(report.findings[0]?.suppressReason).toBe('because of that');
    expect(report.summary).toMatchObject({ error: 0, suppressed: 1 });
  });

  it('use former names', () => {
    const text = 'x <a> // tenant-lint-disable-line old -- why';
    const model = modelOf([factsOf(file, text, directivesOf(file, text))]);
    expect(runRules(model, [lineRule('a', text, { aliases: ['old'] })]).findings[0]?.suppressed).toBe(true);
  });

  it('are judged by rules about suppressions: used, unused, unknown, and not judged without their rule', () => {
    const text = [
      'x <a> // tenant-lint-disable-line a -- used',
      '// tenant-lint-disable-line a -- unused',
      '// tenant-lint-disable-line aa -- unknown',
      '// tenant-lint-disable-line off -- its rule did not run',
      '// tenant-lint-disable-line a, zz -- one of two',
    ].join('\n');
    const seen: string[] = [];
    const meta = defineRule({
      meta: { ...lineRule('meta', '').meta },
      subject: 'suppression',
      check({ directive, used, judged, unknown }) {
        const names = unknown.map((u) => `${u.name}~${u.nearest ?? ''}`).join('+');
        seen.push(
          `${directive.reason}: ${used ? 'used' : 'unused'} ${judged ? 'judged' : 'not judged'} ${names}`.trim(),
        );
        return [];
      },
    });
    run(text, ['a'], { settings: { off: 'off' }, nearest: (name) => (name === 'aa' ? 'a' : undefined) }, [
      lineRule('off', text),
      meta,
    ]);
    expect(seen).toEqual([
      'used: used judged',
      'unused: unused judged',
      'unknown: unused not judged aa~a',
      'its rule did not run: unused not judged',
      'one of two: unused judged zz~',
    ]);
  });

  it('count as used for a finding that the threshold hides', () => {
    const text = 'x <a?> // tenant-lint-disable-line a -- why';
    const report = run(text, ['a']);
    expect(report.findings).toEqual([]);
    expect(report.hiddenPossible).toBe(0);
  });
});

describe('baseline and intended areas', () => {
  it('mark accepted findings without deleting them', () => {
    const [first] = run('x <a>', ['a']).findings;
    const report = run('\nx <a>\ny <a>', ['a'], { baseline: new Set([first?.fingerprint ?? '']) });
    expect(places(report)).toEqual(['a@1 baselined', 'a@7']);
    expect(report.summary).toMatchObject({ error: 1, baselined: 1 });
  });

  it('suppress what is declared, with the reason of the declaration', () => {
    const report = run('x <a>', ['a'], { intended: (f) => (f === file ? 'staff only' : undefined) });
    expect(report.findings[0]).toMatchObject({ suppressed: true, suppressReason: 'staff only' });
  });
});

describe('needs', () => {
  it('are told once, with the rules that did not run', () => {
    const text = '<a>';
    const report = runRules(modelOf([factsOf(file, text)]), [
      lineRule('a', text, { needs: ['schema'] }),
      lineRule('b', text, { needs: ['schema', 'migrations'] }),
      lineRule('c', text, { needs: ['code'] }),
    ]);
    expect(report.unmet).toEqual([
      { need: 'schema', rules: ['a', 'b'] },
      { need: 'migrations', rules: ['b'] },
    ]);
    expect(report.rules.map((r) => r.meta.id)).toEqual(['c']);
  });
});

describe('the report', () => {
  it('does not depend on the order of the rules', () => {
    const text = 'x <a> <b>\ny <a>\nx <b?>';
    expect(run(text, ['a', 'b']).findings).toEqual(run(text, ['b', 'a']).findings);
  });

  it('holds the line starts of the files it points into', () => {
    expect(run('x\ny <a>', ['a']).lineStarts).toEqual({ [file]: [0, 2] });
  });
});
