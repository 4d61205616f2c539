/** What a type check reads, all of it through whoever asks for it. Paths are absolute, with forward slashes. */
export interface TypeSources {
  /** The folder of the project. */
  readonly root: string;
  /** The text of a file; undefined where there is none that can be read. */
  read(path: string): string | undefined;
  isFile(path: string): boolean;
  isFolder(path: string): boolean;
  /** The names of the folders in a folder. */
  folders(path: string): readonly string[];
  /** Where a path leads through links. */
  real(path: string): string;
  /** The declaration files (`.d.ts`) of the project below a folder. */
  declarations(folder: string): readonly string[];
  /** The file of the project that a specifier means, both relative to the root; undefined where it is none of the project. */
  resolve(from: string, specifier: string): string | undefined;
  /** Code files, relative to the root, that declare something for others: augmentations of modules and globals, classes that implement. */
  readonly augmenting: readonly string[];
}

export const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));
