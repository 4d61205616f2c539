import type { Change } from '@tenant-lint/analysis';
import type { Finding } from '@tenant-lint/model';
import { code, text } from './markdown.js';
import { plural } from './words.js';
import { failsReview, lineOf, type Review, type State } from './review.js';

/** So many lines of a section stand open; the rest is folded. */
const open = 20;

/** The review for the pull request: what a reviewer has to look at comes first, and can be read in a minute. */
export function reviewMarkdown(review: Review): string {
  const { changes, introduced, fixed, unchecked, after, before } = review;
  const by = (effect: Change['effect']): readonly Change[] => changes.filter((c) => c.effect === effect);
  const lines = [
    '## tenant-lint review',
    '',
    `**${verdict(review)}**`,
    '',
    `Since ${code(review.since)}: ${plural(review.files, 'file')} changed, ${plural(by('weaker').length, 'place')} weaker, ${by('stricter').length} stricter, ${plural(introduced.length, 'finding')} introduced, ${fixed.length} fixed, ${unchecked.length} not checked.`,
    '',
    ...(before
      ? []
      : ['Nothing said before this change which rows belong to which tenant, so everything counts as introduced.', '']),
    ...section(
      'Weaker isolation',
      by('weaker').map((c) => changed(c, review)),
    ),
    ...section(
      'Introduced',
      introduced.map((f) => found(f, after)),
    ),
    ...section(
      'Could not be decided',
      by('unknown').map((c) => changed(c, review)),
    ),
    ...section(
      'Not checked',
      unchecked.map((u) => `- ${code(u.file)} ${text(u.detail === undefined ? u.reason : `${u.reason}: ${u.detail}`)}`),
    ),
    ...section(
      'Stricter isolation',
      by('stricter').map((c) => changed(c, review)),
    ),
    ...section('Fixed', before ? fixed.map((f) => found(f, before)) : [], true),
    ...section(
      'Other changes of the database',
      by('neutral').map((c) => changed(c, review)),
      true,
    ),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function verdict(review: Review): string {
  if (failsReview(review, 'error')) return 'This change lets one tenant nearer to the rows of another.';
  const undecided = review.unchecked.length + review.changes.filter((c) => c.effect === 'unknown').length;
  const rest = undecided > 0 ? ' Some of it could not be decided.' : '';
  return `Nothing in this change weakens the isolation of tenants, as far as it was checked.${rest}`;
}

function section(title: string, entries: readonly string[], folded = false): string[] {
  if (entries.length === 0) return [];
  const shown = folded ? [] : entries.slice(0, open);
  const rest = entries.slice(shown.length);
  return [
    ...(folded ? [] : [`### ${title}`, '']),
    ...shown,
    ...(rest.length > 0
      ? [
          '',
          `<details><summary>${folded ? `${title}: ${rest.length}` : `${rest.length} more`}</summary>`,
          '',
          ...rest,
          '',
          '</details>',
        ]
      : []),
    '',
  ];
}

function changed(c: Change, { after, before }: Review): string {
  const now = c.after ? ` ${code(lineOf(c.after, after))}` : '';
  const was = c.before && before ? `${now === '' ? ' ' : ', before '}${code(lineOf(c.before, before))}` : '';
  return `- ${text(c.text)}:${now}${was}`.replace(/:$/, '');
}

function found(f: Finding, state: State): string {
  const where = f.span ? code(lineOf(f.span, state)) : code(f.subject ?? f.rule);
  return `- **${f.severity}** ${code(f.rule)} ${where}${f.baselined ? ' (accepted)' : ''}  \n  ${text(f.text.what)} ${text(f.text.why)}`;
}
