import picomatch from 'picomatch';
import type { TenancyArea, TenancyOptions, TrustOptions } from '@tenant-lint/analysis';
import type { Override, RuleSetting } from '@tenant-lint/engine';
import type { SqlRole } from '@tenant-lint/model';
import type { SqlParser } from '@tenant-lint/sql';
import type { Config } from './schema.js';
import { isSeedCode, isTestCode } from './vocabulary.js';

/** The configuration as questions, patterns compiled. */
export interface Settings {
  readonly config: Config;
  readonly tenancy: TenancyOptions;
  /** Parts of the repository with a tenancy of their own. */
  readonly areas: readonly TenancyArea[];
  readonly libraries: Readonly<Record<string, unknown>>;
  readonly trust: TrustOptions;
  /** Whether a schema file is one to read; every one is where the configuration names none. */
  isSchema(file: string): boolean;
  /** What reads SQL text. */
  readonly sqlParser: SqlParser;
  isIgnored(file: string): boolean;
  /** Whether a code file is product code to be analysed. */
  isCode(file: string): boolean;
  /** The role of a `.sql` file where the configuration says it. */
  sqlRole(file: string): { readonly role?: SqlRole };
  /** Why a file may cross tenants; undefined where nothing declares it. */
  intended(file: string): string | undefined;
  /** Settings of rules that hold in some files only. */
  readonly overrides: readonly Override[];
  /** Keys that are set and change nothing in this version, so that nobody relies on them. */
  readonly withoutEffect: readonly string[];
  /** Patterns of the configuration that matched none of these files, with the key they stand under. */
  unmatched(files: Iterable<string>): readonly { readonly key: string; readonly pattern: string }[];
}

/**
 * Compiles a configuration. `base` is the folder of the configuration relative to the root, '' where they are the same.
 */
export function settingsOf(config: Config, base = ''): Settings {
  const matcher = (patterns: readonly string[] | undefined): ((file: string) => boolean) | undefined =>
    patterns === undefined ? undefined : (file) => compiled(patterns).some((m) => m(file));
  const memo = new Map<string, (file: string) => boolean>();
  const compiled = (patterns: readonly string[]): readonly ((file: string) => boolean)[] =>
    patterns.map((pattern) => {
      const known = memo.get(pattern);
      if (known) return known;
      const inRoot = base === '' ? pattern.replace(/^\.\//, '') : `${base}/${pattern.replace(/^\.\//, '')}`;
      // A folder means everything below it.
      const match = picomatch([inRoot, `${inRoot.replace(/\/$/, '')}/**`], { dot: true });
      memo.set(pattern, match);
      return match;
    });
  const ignored = matcher(config.sources?.ignore);
  const code = matcher(config.sources?.code);
  const schema = matcher(config.sources?.schema);
  const migrations = matcher(config.sources?.migrations);
  const intended = (config.intended ?? []).map((area) => ({ match: matcher(area.files)!, reason: area.reason }));
  const keyed: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['sources.code', config.sources?.code],
    ['sources.migrations', config.sources?.migrations],
    ['sources.schema', config.sources?.schema],
    ['sources.ignore', config.sources?.ignore],
    ...(config.intended ?? []).map((area, i) => [`intended.${i}.files`, area.files] as const),
    ...(config.overrides ?? []).map((area, i) => [`overrides.${i}.files`, area.files] as const),
  ];
  return {
    config,
    tenancy: (config.tenancy ?? {}) as TenancyOptions,
    areas: (config.overrides ?? []).flatMap((override, i) =>
      override.tenancy === undefined
        ? []
        : [
            {
              option: `overrides.${i}.tenancy`,
              files: override.files.join(', '),
              matches: matcher(override.files)!,
              options: override.tenancy as TenancyOptions,
            },
          ],
    ),
    libraries: config.libraries ?? {},
    trust: (config.trust ?? {}) as TrustOptions,
    isSchema: (file) => schema?.(file) ?? true,
    sqlParser: config.sqlParser ?? 'libpg-query',
    isIgnored: (file) => ignored?.(file) ?? false,
    isCode: (file) => (code ? code(file) : !isTestCode(file) && !isSeedCode(file)),
    sqlRole: (file) => (migrations?.(file) ? { role: 'migration' } : schema?.(file) ? { role: 'dump' } : {}),
    overrides: (config.overrides ?? []).map((o) => ({
      matches: matcher(o.files)!,
      settings: (o.rules ?? {}) as Readonly<Record<string, RuleSetting>>,
    })),
    withoutEffect: [
      ...Object.entries(config.tenancy?.tables ?? {}).flatMap(([name, table]) =>
        table.append === undefined ? [] : [`tenancy.tables.${name}.append`],
      ),
    ],
    intended: (file) => intended.find((area) => area.match(file))?.reason,
    unmatched(files) {
      const all = [...files];
      return keyed.flatMap(([key, patterns]) =>
        (patterns ?? []).flatMap((pattern) => (compiled([pattern]).some((m) => all.some(m)) ? [] : [{ key, pattern }])),
      );
    },
  };
}
