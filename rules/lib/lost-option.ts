import type { Model } from '@tenant-lint/analysis';
import type { Loss, View } from '@tenant-lint/model';

/** The statement after which a view no longer has what it had: the last one before which `has` held. */
export const lostOption = (model: Model, view: View, has: (before: View) => boolean): Loss | undefined =>
  model.schema.history?.findLast((loss) => loss.kind === 'view' && loss.before.id === view.id && has(loss.before));
