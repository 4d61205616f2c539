const specifier =
  /(?:\bfrom\s*|\bimport\s*(?:\(\s*)?|\brequire\s*\(\s*)(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)?(?:"([^"\n\\]+)"|'([^'\n\\]+)'|`([^`$\n\\]+)`)/g;

/** `import type ... from 'x'` and `export type ... from 'x'`, up to the specifier: nothing of the module runs because of it. */
const typeOnly = /\b(?:import|export)\s+type\s+(?:[\w$]+\s+|\*\s*as\s+[\w$]+\s+|\{[^{}]*\}\s*)from\s*(?=["'])/g;

/**
 * The module specifiers a text seems to import, without parsing it: `import`, `export ... from`, `import()` and `require()`. It may
 * name too many (code in a comment or string), never too few of those that are literals. Imports of types only are left out.
 */
export function preScan(text: string): { imports: string[] } {
  const imports = new Set<string>();
  const types = new Set<number>();
  typeOnly.lastIndex = 0;
  for (let match = typeOnly.exec(text); match; match = typeOnly.exec(text)) types.add(match.index + match[0].length);
  specifier.lastIndex = 0;
  for (let match = specifier.exec(text); match; match = specifier.exec(text)) {
    const module = match[1] ?? match[2] ?? match[3];
    const quote = match.index + match[0].length - (module?.length ?? 0) - 2;
    if (module !== undefined && !types.has(quote)) imports.add(module);
  }
  return { imports: [...imports] };
}
