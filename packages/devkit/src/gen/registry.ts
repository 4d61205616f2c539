import { banner, type Output } from './outputs.js';

/** The list of all rules, by folder: `rules/index.gen.ts`. `folders` are `group/rule-id`, sorted. */
export function registry(folders: readonly string[]): Output {
  const names = folders.map((folder) => camelCase(folder.split('/')[1] ?? folder));
  const imports = folders.map((folder, i) => `import ${names[i]} from './${folder}/rule.js';`);
  return {
    path: 'rules/index.gen.ts',
    text: [
      `// ${banner}`,
      "import type { Rule } from '@tenant-lint/engine';",
      ...imports,
      '',
      '/** All rules, by group and id. */',
      'export const rules: readonly Rule[] = [',
      ...names.map((name) => `  ${name},`),
      '];',
      '',
    ].join('\n'),
  };
}

const camelCase = (id: string): string => id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
