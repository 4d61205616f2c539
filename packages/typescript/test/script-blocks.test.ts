import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractTypescript } from '../src/index.js';
import { scriptBlocks } from '../src/extract/script-blocks.js';

const called = (file: string, text: string): string[] =>
  extractTypescript(text, { file }).chains.map((c) => text.slice(c.span.start, c.span.end));

describe('the code of a component', () => {
  it('is at the place where it stands in the file', () => {
    const text =
      '<template>\r\n  <p v-if="load(1)">{{ a }}</p>\r\n</template>\r\n<script setup lang="ts">\r\nload<string>(a as string);\r\n</script>\r\n<style>p { }</style>\r\n';
    expect(called('a.vue', text)).toEqual(['load<string>(a as string)']);
    const facts = extractTypescript(text, { file: 'a.vue' });
    expect(facts.unchecked).toEqual([]);
    expect(facts.lineStarts).toHaveLength(text.split('\n').length);
  });

  it('is that of all its blocks', () => {
    const text =
      '<script context="module">import { a } from "./a";\nexport const b = a();</script>\n<script>\n  c(b);\n</script>\n<p on:click={() => d()}>x</p>';
    expect(called('a.svelte', text)).toEqual(['a()', 'c(b)']);
    expect(extractTypescript(text, { file: 'a.svelte' }).imports).toHaveLength(1);
  });

  it('is not what stands in comments, in data, and in markup', () => {
    expect(called('a.vue', '<!-- <script>a()</script> --><script type="application/ld+json">b()</script>')).toEqual([]);
    expect(called('a.vue', '<template>a()</template>')).toEqual([]);
  });

  it('is found behind attributes with signs of their own, and without an end', () => {
    expect(called('a.vue', `<script setup lang="ts" generic="T extends Record<string, '>'>">a();</script>`)).toEqual([
      'a()',
    ]);
    expect(called('a.svelte', "<script lang='ts'>\na();")).toEqual(['a()']);
    expect(called('a.vue', '<SCRIPT lang=ts>let a = <string>b();</SCRIPT >')).toEqual(['b()']);
  });

  it('has the suppressions of its comments', () => {
    const text = '<script>\n// tenant-lint-disable-next-line no-unscoped-get -- example\na();\n</script>';
    expect(
      extractTypescript(text, { file: 'a.svelte' }).directives.map((d) => text.slice(d.span.start, d.span.start + 2)),
    ).toEqual(['//']);
  });

  it('is as long as the file, with the same lines, whatever the file says', () => {
    const parts = fc.constantFrom(
      '<script',
      ' lang="ts"',
      '>',
      '</script>',
      '<!--',
      '-->',
      '\n',
      '\r\n',
      "'",
      '"',
      'a()',
      '<',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 30 }), (some) => {
        const text = some.join('');
        const { code } = scriptBlocks(text);
        expect(code).toHaveLength(text.length);
        for (let i = 0; i < text.length; i++) if (code[i] !== text[i]) expect(code[i]).toBe(' ');
        expect(code.replace(/[^\n]/g, '')).toBe(text.replace(/[^\n]/g, ''));
      }),
    );
  });
});
