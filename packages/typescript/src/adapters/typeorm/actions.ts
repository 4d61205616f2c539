import type { LinkContext, ReferenceAction, Value } from '@tenant-lint/model';
import { text } from '../entities/options.js';

const actions: readonly ReferenceAction[] = ['no action', 'restrict', 'cascade', 'set null', 'set default'];

/** `'CASCADE'` as what a foreign key does. */
export function actionOf(value: Value | undefined, context: LinkContext): ReferenceAction | undefined {
  const written = text(value, context)?.toLowerCase();
  return actions.find((a) => a === written);
}
