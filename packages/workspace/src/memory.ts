import type { Discovered } from './discover.js';
import { kindOf, type SourceKind } from './discover.js';
import type { Read } from './read.js';

/** Where files come from: a folder, the index of git, or texts at hand. */
export interface Source {
  list(): Discovered;
  read(file: string): Read;
  /** What tells this state of all files from any other, where that is known without reading them. */
  state?(): string;
}

/** Texts by path, for tests, examples and hosts that hold the text of an editor. */
export function memorySource(texts: Readonly<Record<string, string>>): Source {
  return {
    list() {
      const files = new Map<string, SourceKind>();
      for (const file of Object.keys(texts).sort()) {
        const kind = kindOf(file);
        if (kind) files.set(file, kind);
      }
      return { files, unchecked: [] };
    },
    read(file) {
      const text = texts[file];
      return text === undefined ? { gone: true } : { text };
    },
  };
}
