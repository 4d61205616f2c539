import { relink, type Model } from '@tenant-lint/analysis';
import type { FileFacts } from '@tenant-lint/model';
import { adapters, extractTypescript } from '@tenant-lint/typescript';
import type { FactsCache } from './cache.js';
import type { Built } from './pipeline.js';
import { kindOf } from './discover.js';
import type { Settings } from './settings.js';
import { contextVocabulary } from './vocabulary.js';

/** A code file with a text of its own, in the place of what a model was made of. */
export interface Edited {
  readonly file: string;
  readonly text: string;
}

/**
 * What an edit of code files makes of a model, for answers about these files: the model with them linked anew (see `relink`), or the model
 * as it is where they hold nothing of interest and held nothing before. Undefined where the whole project has to be linked again.
 */
export function liveModel(
  built: Built,
  edited: readonly Edited[],
  settings: Settings,
  cache: FactsCache,
): Model | undefined {
  const { model } = built;
  const facts: FileFacts[] = [];
  for (const { file, text } of edited) {
    if (kindOf(file) !== 'code' || settings.isIgnored(file) || !settings.isCode(file)) return undefined;
    if (!model.files.has(file) && !isOfInterest(text)) continue;
    facts.push(factsOf(file, text, cache));
  }
  return facts.length === 0 ? model : relink(model, facts);
}

function factsOf(file: string, text: string, cache: FactsCache): FileFacts {
  const before = cache.remembered(file, text);
  if (before) return before;
  const made = extractTypescript(text, { file });
  cache.remember(made, text);
  return made;
}

/** Whether a file may hold an access, or is a part of how sessions are made. */
const isOfInterest = (text: string): boolean =>
  adapters.some((a) => a.vocabulary.test(text)) || contextVocabulary.test(text) || text.includes('tenant-lint-');
