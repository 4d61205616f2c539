/** What the workspace knows of the project besides the facts of its files; plain data. */
export interface ProjectFacts {
  /** Workspace packages, the root package included. */
  readonly packages: readonly PackageFacts[];
  /** Compiler configurations that say something about module resolution, deepest folder first. */
  readonly compilers: readonly CompilerFacts[];
  /** All code files that exist, analysed or not: resolution needs to know. */
  readonly files: ReadonlySet<string>;
  /** Lists that migration tools keep of their files. */
  readonly journals?: readonly Journal[];
}

/** The order of the migrations in a folder, as the tool's own list has it: Drizzle's `meta/_journal.json`. */
export interface Journal {
  /** The folder of the migrations. */
  readonly folder: string;
  /** Names without extension, in the order in which they apply. */
  readonly names: readonly string[];
}

export interface PackageFacts {
  readonly name?: string;
  /** Folder relative to the root, '' for the root. */
  readonly folder: string;
  /** Names of direct dependencies, with the installed version where node_modules or a lockfile shows it, else the range. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** `exports`, `main`, `module`, `types` as in package.json. */
  readonly entries: {
    readonly exports?: unknown;
    readonly main?: string;
    readonly module?: string;
    readonly types?: string;
    readonly source?: string;
  };
}

export interface CompilerFacts {
  readonly folder: string;
  readonly baseUrl?: string;
  /** Relative to `baseUrl` or, without it, to `folder`; both already made relative to the root. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
}
