import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileFacts } from '@tenant-lint/model';
import { extractTypescript } from '@tenant-lint/typescript';
import { decodeFacts, encodeFacts } from '../src/codec.js';

const again = (facts: unknown): unknown => decodeFacts(encodeFacts(facts as FileFacts));

describe('encoded facts', () => {
  it('come back as JSON would, keys in their order, for the sources of this package', () => {
    const folder = fileURLToPath(new URL('../src', import.meta.url));
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((n) => n.endsWith('.ts'))) {
      const text = readFileSync(path.join(folder, name), 'utf8');
      const facts = extractTypescript(text, { file: `src/${name}` });
      const json = JSON.stringify(facts);
      const bytes = encodeFacts(facts);
      expect(JSON.stringify(decodeFacts(bytes))).toBe(json);
      if (text.length > 2_000) expect(bytes.length).toBeLessThan(json.length / 3);
    }
  });

  it('come back whatever they hold', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (file, value) => {
        const facts = { file, value };
        expect(JSON.stringify(again(facts))).toBe(JSON.stringify(JSON.parse(JSON.stringify(facts))));
      }),
    );
  });

  it('keep numbers, ids and spans that are none as they are', () => {
    const file = 'a.ts';
    // prettier-ignore
    const value = [
      0, 127, 128, 2 ** 31 - 2, 2 ** 31, 2 ** 53, -1, 0.5,
      'a.ts#c0', 'a.ts#c12', 'a.ts#f3', 'a.ts#c01', 'a.ts#c1e3', 'a.ts#c', 'a.ts#x1', 'a.ts#', 'a.ts', 'a.tsx#c1', 'a.ts#c-1',
      { file, start: 3, end: 9 }, { file, start: 9, end: 3 }, { file, end: 9, start: 3 }, { start: 3, file, end: 9 },
      { file: 'b.ts', start: 3, end: 9 }, { file, start: 1.5, end: 2 }, { file, start: 1, end: 2, more: 3 },
      {}, [], null, true, false, { a: undefined, b: 1 }, { '': 1, 'x y': 2, 10: 3, 2: 4 },
    ];
    const shapes = Array.from({ length: 400 }, (_, i) => ({ [`key${i}`]: i, same: [i] }));
    expect(again({ file, value: shapes })).toEqual({ file, value: shapes });
    for (const one of value)
      expect(JSON.stringify(again({ file, value: one }))).toBe(JSON.stringify({ file, value: one }));
  });

  it('hold a property called __proto__ and change no prototype', () => {
    const value: unknown = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}');
    const back = again({ file: 'a.ts', value }) as { value: object };
    expect(Object.getPrototypeOf(back.value)).toBe(Object.prototype);
    expect(JSON.stringify(back.value)).toBe('{"__proto__":{"polluted":true},"a":1}');
  });

  it('are refused where they are cut off', () => {
    const bytes = encodeFacts(extractTypescript('export const a = f(1);', { file: 'a.ts' }));
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeFacts(bytes.slice(0, length)), String(length)).toThrow();
  });
});
