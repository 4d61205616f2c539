const specifier =
  /(?:\bfrom\s*|\bimport\s*(?:\(\s*)?|\brequire\s*\(\s*)(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)?(?:"([^"\n\\]+)"|'([^'\n\\]+)'|`([^`$\n\\]+)`)/g;

/** The clause of a static import or of an export from elsewhere, up to the quote of its specifier. */
const clauses =
  /\b(import|export)\b\s*(type\b(?!\s*(?:,|from\b)))?\s*(?:([\w$]+)\s*,?\s*)?(?:\{([^{}]*)\}|(\*)(?:\s*as\s+([\w$]+))?)?\s*\bfrom\s*(?=["'])/g;

/** What a text takes from another module. */
export interface ScannedImport {
  readonly module: string;
  /** The names as the module exports them; absent: any of them (a namespace, `import()`, `require()`). */
  readonly names?: readonly string[];
  /** What those are called here that are called otherwise. */
  readonly locals?: Readonly<Record<string, string>>;
}

/** What a text exports again from another module, unused. */
export interface Passed {
  readonly module: string;
  /** By the name it has here, the name it has there; absent: everything, under its own name. `*` is the whole module. */
  readonly names?: Readonly<Record<string, string>>;
}

export interface PreScan {
  readonly imports: readonly ScannedImport[];
  readonly passed: readonly Passed[];
  /** All modules it names, those of types too. */
  readonly modules: ReadonlySet<string>;
}

/**
 * What a text seems to import and to export again, without parsing it. It may name too much (code in a comment or string), never too
 * little of what is literal. Types are left out: nothing of a module runs because of them.
 */
export function preScan(text: string): PreScan {
  const taken = new Map<string, Map<string, string> | undefined>();
  const passed: Passed[] = [];
  const modules = new Set<string>();
  const known = new Map<number, RegExpExecArray>();
  clauses.lastIndex = 0;
  for (let match = clauses.exec(text); match; match = clauses.exec(text))
    known.set(match.index + match[0].length, match);
  specifier.lastIndex = 0;
  for (let match = specifier.exec(text); match; match = specifier.exec(text)) {
    const module = match[1] ?? match[2] ?? match[3];
    if (module === undefined) continue;
    modules.add(module);
    const clause = known.get(match.index + match[0].length - module.length - 2);
    if (!clause) {
      taken.set(module, undefined);
      continue;
    }
    const [, keyword, type, own, braces, star, alias] = clause;
    if (type !== undefined) continue;
    const listed = braces === undefined ? [] : namesIn(braces);
    if (keyword === 'export') {
      if (star !== undefined) passed.push(alias === undefined ? { module } : { module, names: { [alias]: '*' } });
      else if (listed.length > 0)
        passed.push({ module, names: Object.fromEntries(listed.map(([there, here]) => [here, there])) });
    } else {
      const names: [string, string][] = own === undefined ? listed : [['default', own], ...listed];
      if (star !== undefined) taken.set(module, undefined);
      else if (names.length > 0) {
        const before = taken.has(module) ? taken.get(module) : new Map<string, string>();
        taken.set(module, before);
        for (const [there, here] of names) before?.set(there, here);
      }
    }
  }
  const imports = [...taken].map(([module, names]): ScannedImport => {
    if (!names) return { module };
    const renamed = [...names].filter(([there, here]) => there !== here);
    return {
      module,
      names: [...names.keys()],
      ...(renamed.length > 0 ? { locals: Object.fromEntries(renamed) } : {}),
    };
  });
  return { imports, passed, modules };
}

/** The names in braces that are no types: what they are called there, and here. */
function namesIn(braces: string): [there: string, here: string][] {
  const plain = braces.includes('/') ? braces.replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '') : braces;
  return plain.split(',').flatMap((part): [string, string][] => {
    const words = part.trim().split(/\s+/);
    const [first = '', second, third] = words;
    // `type X`, `type X as Y`; but `type as x` renames a value.
    if (first === '' || (first === 'type' && second !== undefined && second !== 'as')) return [];
    return [[first, second === 'as' && third !== undefined ? third : first]];
  });
}

/** The names that a text calls: `name(`, `new name(`, and `name<T>(`. */
export function calledNames(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  called.lastIndex = 0;
  for (let match = called.exec(text); match; match = called.exec(text)) names.add(match[1]!);
  return names;
}

const called = /(?<![.\w$])([A-Za-z_$][\w$]*)\s*(?:<[^<>()]*>\s*)?\(/g;

const declared =
  /\bexport\s+(?:(default)\b|(?:declare\s+)?(?:async\s+)?(?:const|let|var|function\s*\*?|(?:abstract\s+)?class|(?:const\s+)?enum|namespace|module)\s*([\w$]+|[[{])|(?:declare\s+)?(?:type|interface)\s+([\w$]+)|(type\s*)?\{([^{}]*)\}(?!\s*from\b))|\b(?:module\.exports|exports\.|export\s*=)/g;

/** What a text seems to export itself. A name may be both. */
export interface Exported {
  readonly values: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
}

/** The names that a text exports itself; undefined where that does not show without parsing (destructuring, CommonJS). */
export function exportedNames(text: string): Exported | undefined {
  const values = new Set<string>();
  const types = new Set<string>();
  declared.lastIndex = 0;
  for (let match = declared.exec(text); match; match = declared.exec(text)) {
    const [, byDefault, value, type, typeOnly, braces] = match;
    if (value === '{' || value === '[') return undefined;
    if (byDefault !== undefined) values.add('default');
    else if (value !== undefined) values.add(value);
    else if (type !== undefined) types.add(type);
    else if (braces === undefined) return undefined;
    else for (const [, here] of namesIn(braces)) (typeOnly === undefined ? values : types).add(here);
  }
  return { values, types };
}
