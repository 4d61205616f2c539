import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { noFacts, type FactsCache } from './cache.js';
import { decodeFacts } from './codec.js';
import { codeOf } from './discover.js';
import { Failure } from './failure.js';
import { keyOf, readStoredFacts, storedFacts, versionOfFacts, type Kept } from './stored-facts.js';

/** The one file of a folder of facts. It ends with the digest of what stands before, because caches of build tools carry it between machines. */
const fileName = 'facts.bin';
const digestLength = 32;

/** Facts that were written to folders, in front of the cache. */
export interface FactsFolders extends FactsCache {
  /** How many files had their facts from here. */
  readonly used: number;
  /** What is to be said of the folders: those of which nothing could be used. `listed`: the files of the project. */
  notices(listed: { has(file: string): boolean }): readonly string[];
}

/**
 * The facts of folders that `tenant-lint facts` wrote. A file has its facts from there only if path, content and version of the tool are the
 * same; of whatever else the folders hold, nothing is used. What they do not know is asked of `below`. Throws Failure where a folder holds no facts.
 */
export function factsOfFolders(folders: readonly string[], below: FactsCache = noFacts): FactsFolders {
  const opened = folders.map(opening);
  let used = 0;
  return {
    get used() {
      return used;
    },
    remembered(file, text, variant = '') {
      for (const folder of opened) {
        const entry = folder.kept.get(file);
        if (entry === undefined || !('bytes' in entry) || entry.key !== keyOf(text, variant)) continue;
        try {
          const facts = decodeFacts(entry.bytes);
          if (facts.file !== file) continue;
          used++;
          return facts;
        } catch {
          // The digest is right and the bytes are not: whoever wrote them was not this tool.
        }
      }
      return below.remembered(file, text, variant);
    },
    remember: (facts, text, variant, bytes) => below.remember(facts, text, variant, bytes),
    save: () => below.save(),
    notices: (listed) =>
      opened.flatMap(({ folder, problem, kept }) => {
        if (problem !== undefined) return [`${folder}: ${problem}; its files are read anew`];
        const [first] = kept.keys();
        return first === undefined || [...kept.keys()].some((file) => listed.has(file))
          ? []
          : [
              `${folder}: its facts are of other files (${first}); paths count from the folder of the configuration, in \`tenant-lint facts\` too`,
            ];
      }),
  };
}

interface Folder {
  readonly folder: string;
  readonly kept: ReadonlyMap<string, Kept>;
  readonly problem?: string;
}

function opening(folder: string): Folder {
  const file = path.join(folder, fileName);
  let all: Buffer;
  try {
    all = readFileSync(file);
  } catch (error) {
    throw new Failure(
      codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
        ? 'This folder holds no facts.'
        : `The facts of this folder cannot be read (${codeOf(error)}).`,
      { where: folder, advice: 'Write them with `tenant-lint facts --out DIR`, or check --facts.', cause: error },
    );
  }
  const content = all.subarray(0, Math.max(all.length - digestLength, 0));
  if (!digestOf(content).equals(all.subarray(content.length)))
    return { folder, kept: new Map(), problem: 'its facts are damaged, or no facts of tenant-lint' };
  try {
    const { version, kept } = readStoredFacts(content);
    if (version === versionOfFacts) return { folder, kept };
    return {
      folder,
      kept: new Map(),
      problem: `its facts are of another version of tenant-lint (${spelled(version)}, this is ${spelled(versionOfFacts)})`,
    };
  } catch {
    return { folder, kept: new Map(), problem: 'its facts are damaged, or no facts of tenant-lint' };
  }
}

/** The release, and the version of its facts: `0.1.0, facts 3`. */
const spelled = (version: string): string => version.replace(/^(\d+) (.*)$/, '$2, facts $1');

/** The bytes of a file that factsOfFolders reads. Equal facts are equal bytes. */
const folderFile = (kept: ReadonlyMap<string, Kept>): Uint8Array => {
  const content = storedFacts(kept);
  return Buffer.concat([content, digestOf(content)]);
};

/** Writes the facts of some files to a folder, which holds no others afterwards. Returns how many bytes they are; throws Failure. */
export function writeFactsFolder(folder: string, kept: ReadonlyMap<string, Kept>): number {
  const file = path.join(folder, fileName);
  const bytes = folderFile(kept);
  try {
    mkdirSync(folder, { recursive: true });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, bytes);
    renameSync(temporary, file);
  } catch (error) {
    throw new Failure(`The facts cannot be written (${codeOf(error)}).`, {
      where: folder,
      advice: 'Check --out.',
      cause: error,
    });
  }
  return bytes.length;
}

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
