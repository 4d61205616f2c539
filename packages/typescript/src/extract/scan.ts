const specifier =
  /(?:\bfrom\s*|\bimport\s*(?:\(\s*)?|\brequire\s*\(\s*)(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)?(?:"([^"\n\\]+)"|'([^'\n\\]+)'|`([^`$\n\\]+)`)/g;

/**
 * The module specifiers a text seems to import, without parsing it: `import`, `export ... from`, `import()` and `require()`. It may
 * name too many (code in a comment or string), never too few of those that are literals.
 */
export function preScan(text: string): { imports: string[] } {
  const imports = new Set<string>();
  specifier.lastIndex = 0;
  for (let match = specifier.exec(text); match; match = specifier.exec(text)) {
    const module = match[1] ?? match[2] ?? match[3];
    if (module !== undefined) imports.add(module);
  }
  return { imports: [...imports] };
}
