import * as fc from 'fast-check';
import type { Span, TextPart, Value } from '@tenant-lint/model';
import { describe, expect, test } from 'vitest';
import { SqlScanner, type HolePosition } from '../src/adapters/sql-scan.js';
import { lowerSqlText, type SqlTextOptions } from '../src/adapters/sql-text.js';
import { substituteInPredicate, substituteInValue } from '../src/adapters/substitute.js';
import { fakeContext } from './support/context.js';
import { showAccess, showPredicate } from './support/render.js';

const context = fakeContext([]);
const at = (start: number, end: number): Span => ({ file: 'a.ts', start, end });
const options = (more: Partial<SqlTextOptions> = {}): SqlTextOptions => ({
  file: 'a.ts',
  library: 'test',
  id: 'a.ts#c0',
  span: at(0, 500),
  context,
  ...more,
});
const hole = (name: string): Value => ({ kind: 'global', name, path: [] });

/** A template, written with `{name}` for a hole; offsets are those of the text, holes counted as written. */
function template(text: string): Value {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(/\{(\w+)\}/g)) {
    if (match.index > from) parts.push({ text: text.slice(from, match.index), start: from, exact: true });
    parts.push({ hole: hole(match[1]!), span: at(match.index, match.index + match[0].length) });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), start: from, exact: true });
  return { kind: 'text', parts, span: at(0, text.length) };
}

describe('where a hole stands', () => {
  const positions = (text: string): HolePosition[] => {
    const scanner = new SqlScanner();
    const pieces = text.split('{}');
    return pieces.slice(1).map((next, i) => {
      scanner.read(pieces[i]!);
      return scanner.hole(next);
    });
  };

  test.each<[string, HolePosition[]]>([
    ['SELECT * FROM {} WHERE a = {}', ['identifier', 'value']],
    ['SELECT * FROM {}.t JOIN {}.u ON u.a = {}.a', ['schema', 'schema', 'identifier']],
    ['SELECT * FROM s.{}', ['identifier']],
    ['SELECT * FROM tenant_{}', ['identifier']],
    ['SELECT * FROM {}_t', ['identifier']],
    ['INSERT INTO {} VALUES ({}, {})', ['identifier', 'value', 'value']],
    ['UPDATE {} SET a = {}, b = {}', ['identifier', 'value', 'value']],
    ['SELECT \'{}\' || {} || "{}"', ['literal', 'value', 'quoted-identifier']],
    ["SELECT 'it''s {}' -- {}\n, {}", ['literal', 'comment', 'value']],
    ["SELECT E'\\'{}' /* {} /* {} */ {} */", ['literal', 'comment', 'comment', 'comment']],
    ['DO $$ BEGIN {} END $$', ['dollar']],
    ['SET search_path TO {}', ['schema']],
    ['SET search_path = {}, public', ['schema']],
    ['SET LOCAL search_path TO public, {}', ['schema']],
    ['CREATE SCHEMA IF NOT EXISTS {}', ['schema']],
    ['DROP TABLE IF EXISTS {} CASCADE', ['identifier']],
    ['SELECT a IS DISTINCT FROM {}', ['value']],
    ['SELECT * FROM t WHERE {} ORDER BY {}', ['fragment', 'fragment']],
    ['SELECT * FROM t WHERE {} = 1', ['value']],
    ['SELECT * FROM t {}', ['fragment']],
    ['SELECT * FROM t WHERE a = 1 {}', ['fragment']],
    ['SELECT * FROM t WHERE a IN ({}) LIMIT {}', ['value', 'value']],
    ['{}', ['fragment']],
  ])('%s', (text, expected) => {
    expect(positions(text)).toEqual(expected);
  });
});

describe('bound templates', () => {
  const bound = (text: string): string[] =>
    lowerSqlText(template(text), undefined, options({ holes: 'bind' })).accesses.flatMap(showAccess);

  test('holes are parameters and put nothing into the text', () => {
    const { accesses } = lowerSqlText(template('SELECT * FROM t WHERE a = {x}'), undefined, options({ holes: 'bind' }));
    expect(accesses.flatMap(showAccess)).toEqual(['root read t t0 many: t0.a = x']);
    expect(accesses[0]!.interpolations).toBeUndefined();
  });

  test('a list behind IN is written with its parentheses', () => {
    expect(bound('SELECT * FROM t WHERE a IN {x}')).toEqual(['root read t t0 many: t0.a in (x.*)']);
  });

  test('numbers of the text itself keep their values', () => {
    const { accesses } = lowerSqlText(
      template('SELECT * FROM t WHERE a = $1 AND b = {x}'),
      [hole('first')],
      options({ holes: 'bind' }),
    );
    expect(accesses.flatMap(showAccess)).toEqual(['root read t t0 many: (t0.a = first and t0.b = x)']);
  });
});

describe('fragments of a library', () => {
  const expand: SqlTextOptions['expand'] = (value) => {
    if (value.kind !== 'global') return undefined;
    if (value.name === 'name') return { identifier: hole('given'), quoted: true };
    if (value.name === 'bound') return { bind: hole('given') };
    return value.name === 'more'
      ? [
          { text: 'a = 1 AND b = ', start: 900, exact: true },
          { hole: hole('x'), span: at(914, 915) },
        ]
      : undefined;
  };

  test('text, names and values', () => {
    const { accesses } = lowerSqlText(
      template('SELECT * FROM {name}.t WHERE {more} AND c = {bound}'),
      undefined,
      options({ expand }),
    );
    expect(accesses.flatMap(showAccess)).toEqual(['root read t t0 many: (t0.a = 1 and t0.b = x and t0.c = given)']);
    expect(accesses[0]!.interpolations).toEqual([
      expect.objectContaining({ position: 'schema', quoted: true }),
      expect.objectContaining({ position: 'value', quoted: false, value: hole('x') }),
    ]);
  });

  test('a fragment that contains itself ends', () => {
    const loop: SqlTextOptions['expand'] = (value) =>
      value.kind === 'global'
        ? [
            { text: ' AND a = ', start: 0, exact: true },
            { hole: hole('again'), span: at(0, 1) },
          ]
        : undefined;
    expect(() =>
      lowerSqlText(template('SELECT * FROM t WHERE b = 1 {again}'), undefined, options({ expand: loop })),
    ).not.toThrow();
  });
});

describe('any text', () => {
  const words = [
    'SELECT',
    '*',
    'FROM',
    't',
    'WHERE',
    'a',
    '=',
    "'",
    '"',
    '(',
    ')',
    ',',
    '.',
    '{x}',
    '{y}',
    '$1',
    '$$',
    '--',
    '/*',
    '*/',
    ';',
    '\n',
    'E',
    'IN',
    'ORDER BY',
    'UPDATE',
    'SET',
    'INSERT INTO',
    'VALUES',
    '$',
    ':name',
    '?',
    '😀',
  ];

  test('never throws, and every position is in the file', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...words), { maxLength: 24 }),
        fc.constantFrom('bind' as const, 'splice' as const),
        (parts, holes) => {
          const text = parts.join(' ');
          const { accesses, unchecked } = lowerSqlText(
            template(text),
            [],
            options({ holes, span: at(0, text.length) }),
          );
          const spans = [
            ...accesses.flatMap((a) => [
              a.span,
              ...a.targets.map((t) => t.span),
              ...(a.interpolations ?? []).map((i) => i.span),
            ]),
            ...unchecked.map((u) => u.span),
          ];
          for (const span of spans) {
            expect(span.start).toBeGreaterThanOrEqual(0);
            expect(span.end).toBeGreaterThanOrEqual(span.start);
            expect(span.end).toBeLessThanOrEqual(Math.max(text.length, 1));
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test.each<[string, Value]>([
    ['a number', { kind: 'constant', value: 3 }],
    ['nothing', { kind: 'undefined' }],
    ['something unknown', { kind: 'unknown', reason: 'a loop' }],
    [
      'a choice of things that are no text',
      { kind: 'choice', of: [{ kind: 'undefined' }, { kind: 'constant', value: null }] },
    ],
  ])('%s is said to be no text', (_name, value) => {
    const { accesses, unchecked } = lowerSqlText(value, undefined, options());
    expect(accesses).toEqual([]);
    expect(unchecked).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(/^SQL text was not found: /) as string }),
    ]);
  });

  test('empty text is nothing', () => {
    expect(lowerSqlText(template(''), undefined, options())).toEqual({ accesses: [], unchecked: [] });
  });
});

describe('substitution', () => {
  const placeholder: Value = { kind: 'placeholder', name: '1' };
  const column: Value = { kind: 'column', target: 't0', column: 'a' };

  test('reaches values in sub-queries, and leaves what has no value', () => {
    const predicate = substituteInPredicate(
      {
        kind: 'exists',
        query: {
          targets: [],
          condition: { kind: 'compare', left: column, operator: '=', right: placeholder },
          output: [{ kind: 'placeholder', name: '2' }],
        },
      },
      (name) => (name === '1' ? hole('x') : undefined),
    );
    expect(showPredicate(predicate)).toBe('exists( where t0.a = x)');
    expect(predicate.kind === 'exists' && predicate.query.output).toEqual([{ kind: 'placeholder', name: '2' }]);
  });

  test('a placeholder used as a condition becomes the condition', () => {
    const condition: Value = { kind: 'predicate', predicate: { kind: 'null', of: column } };
    expect(
      showPredicate(substituteInPredicate({ kind: 'not', of: { kind: 'value', of: placeholder } }, () => condition)),
    ).toBe('not t0.a is null');
    expect(substituteInValue({ kind: 'list', of: [{ value: placeholder }] }, () => hole('x'))).toEqual({
      kind: 'list',
      of: [{ value: hole('x') }],
    });
  });
});
