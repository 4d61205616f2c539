import type { Directive } from '@tenant-lint/model';
import type { Comment } from '../parser/index.js';

const directive =
  /^(?:--+|\/\*+)\s*tenant-lint-(disable-next-line|disable-line|disable|enable)(?![\w-])([\s\S]*?)(?:\*+\/)?$/;

/** The suppressions among a file's comments: `-- tenant-lint-disable-next-line rule, rule -- reason`. */
export function directivesIn(file: string, text: string, comments: readonly Comment[]): Directive[] {
  return comments.flatMap(({ start, end }) => {
    const found = directive.exec(text.slice(start, end));
    if (!found) return [];
    const [list = '', ...reasons] = (found[2] ?? '').split(/(?:^|\s)--+(?:\s|$)/);
    const reason = reasons.join(' -- ').trim();
    return [
      {
        kind: found[1] as Directive['kind'],
        rules: list.split(/[\s,]+/).filter((rule) => rule !== ''),
        ...(reason === '' ? {} : { reason }),
        span: { file, start, end },
      },
    ];
  });
}
