import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runRules } from '@tenant-lint/engine';
import type { Model } from '@tenant-lint/analysis';
import { describe, expect, it } from 'vitest';
import { rules } from '../../../rules/index.js';
import { buildModel, folderSource, liveModel, memoryCache, memorySource, settingsOf } from '../src/index.js';

/**
 * One edited file linked in the back of the project as it was says of this file what linking everything anew says, or
 * leaves something out; it never says more. The edits are those that
 * people make: a line away, a line twice, a line commented out, lines before everything.
 */
const systems = fileURLToPath(new URL('../../../fixtures/systems', import.meta.url));
const settings = settingsOf({});

const codeRules = rules.filter(
  ({ meta, subject }) => meta.hosts.includes('typescript') && /^(?:target|access|project)$/.test(subject),
);

const findingsIn = (model: Model, file: string): readonly string[] =>
  runRules(model, codeRules)
    .findings.filter((f) => f.span?.file === file)
    .map((f) => `${f.span!.start}-${f.span!.end} ${f.rule} ${f.message} ${f.confidence} ${f.table ?? ''}`);

/** A sequence that is the same in every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

function* editsOf(text: string, random: () => number): Iterable<string> {
  const lines = text.split('\n');
  yield `// first\n\n${text}`;
  for (let i = 0; i < 6; i++) {
    const at = Math.floor(random() * lines.length);
    const kind = i % 3;
    const put = kind === 0 ? [] : kind === 1 ? [lines[at]!, lines[at]!] : [`// ${lines[at]!}`];
    yield [...lines.slice(0, at), ...put, ...lines.slice(at + 1)].join('\n');
  }
  yield `${text}\nexport async function added(id: string) {\n  return id;\n}\n`;
}

for (const system of readdirSync(systems)) {
  for (const twin of ['unsafe', 'safe']) {
    describe(`${system}/${twin}`, () => {
      it('every code file, edited', { timeout: 240_000 }, () => {
        const source = folderSource(path.join(systems, system, twin));
        const cache = memoryCache();
        const built = buildModel(source, { settings, cache });
        const random = chance(system.length * 7 + twin.length);
        let compared = 0;
        let found = 0;
        let leftOut = 0;
        const texts: Record<string, string> = {};
        for (const file of built.listed.keys()) {
          const read = source.read(file);
          if ('text' in read) texts[file] = read.text;
        }
        for (const [file, kind] of built.listed) {
          if (kind !== 'code') continue;
          for (const text of editsOf(texts[file]!, random)) {
            const live = liveModel(built, [{ file, text }], settings, memoryCache(cache));
            // What declares tables is linked as a whole.
            if (!live || live === built.model) continue;
            const whole = buildModel(memorySource({ ...texts, [file]: text }), { settings, cache: memoryCache(cache) });
            const expected = findingsIn(whole.model, file);
            const seen = findingsIn(live, file);
            const left = expected.filter((f) => !seen.includes(f));
            expect(seen, `${file}\n${text}`).toEqual(expected.filter((f) => !left.includes(f)));
            // A claim that reaches accesses through a storage is followed when all is linked.
            expect(
              left.filter((f) => !/ no-(?:untrusted-tenant|unverified-claim) /.test(f)),
              `${file}\n${text}`,
            ).toEqual([]);
            leftOut += left.length;
            compared++;
            found += expected.length;
          }
        }
        expect(compared).toBeGreaterThan(20);
        // One claim, in each edit of the file that it stands in.
        expect(leftOut).toBeLessThanOrEqual(8);
        if (twin === 'unsafe') expect(found).toBeGreaterThan(0);
      });
    });
  }
}
