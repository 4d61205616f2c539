import type { Change } from '@tenant-lint/analysis';
import type { Finding } from '@tenant-lint/model';
import { code, text } from './markdown.js';
import { plural, uncheckedText } from './words.js';
import { wayText } from './proof-text.js';
import { failsReview, lineOf, type Executed, type ExecutedCell, type Review, type State } from './review.js';

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
    ...(review.executed ? executed(review.executed) : []),
    ...section(
      'Could not be decided',
      by('unknown').map((c) => changed(c, review)),
    ),
    ...section(
      'Not checked',
      unchecked.map((u) => `- ${code(u.file)} ${text(uncheckedText(u))}`),
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
  if (failsReview(review, 'error'))
    return isNearer(review)
      ? 'This change lets one tenant nearer to the rows of another.'
      : 'This change introduces errors, but lets no row through that was held back before.';
  const undecided = review.unchecked.length + review.changes.filter((c) => c.effect === 'unknown').length;
  const rest = undecided > 0 ? ' Some of it could not be decided.' : '';
  return `Nothing in this change weakens the isolation of tenants, as far as it was checked.${rest}`;
}

/** Whether something was held back before the change, or is new with it. */
function isNearer({ changes, introduced, executed: shown, before }: Review): boolean {
  // Policies of a table that was there are compared by meaning; where nothing isolated it before, nothing is lost.
  const wasOpen = ({ table, rule }: Finding): boolean => {
    const earlier = table === undefined ? undefined : before?.model.schema.tables.get(table);
    if (earlier === undefined) return false;
    return before?.model.databaseIsolates(earlier) === false || /^no-(?:leaking|fail-open)-/.test(rule);
  };
  return (
    changes.some((c) => c.effect === 'weaker') ||
    (shown !== undefined && 'cells' in shown && shown.cells.some((c) => c.isNew)) ||
    introduced.some((f) => f.severity === 'error' && !f.baselined && !wasOpen(f))
  );
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

/** What execution shows: leaks in full, the rest of the matrix folded. */
function executed(result: Executed): string[] {
  if ('failed' in result) return ['### Executed', '', `Nothing was executed: ${text(result.failed)}`, ''];
  const { cells, database, statements, about } = result;
  const leaks = cells.filter((c) => c.cell.outcome === 'leaked');
  const fresh = leaks.filter((c) => c.isNew).length;
  const tried = cells.filter((c) => c.cell.outcome !== 'not tried').length;
  return [
    '### Executed',
    '',
    `${text(database)}: ${statements.applied} of ${statements.total} statements ran; ${plural(tried, 'attempt')} to reach foreign rows of ${plural(about.length, 'changed table')}, ${leaks.length} reached some${leaks.length > 0 ? `, ${fresh} of them only since this change` : ''}.`,
    '',
    ...leaks.flatMap((c) => [leak(c)]),
    ...(leaks.length > 0 ? [''] : []),
    ...(cells.length > 0
      ? [
          `<details><summary>Matrix: ${plural(cells.length, 'cell')}</summary>`,
          '',
          '| Table | By | Command | Outcome |',
          '| --- | --- | --- | --- |',
          ...cells.map(({ cell: c }) => `| ${[c.table, wayText(c), c.command, c.outcome].map(text).join(' | ')} |`),
          '',
          '</details>',
          '',
        ]
      : []),
  ];
}

function leak({ cell, isNew, before }: ExecutedCell): string {
  const was = isNew
    ? ` _(${before === undefined ? 'new' : `before: ${before}`})_`
    : before === 'leaked'
      ? ' _(before too)_'
      : '';
  const statement = cell.attempt ? `  \n  ${code(cell.attempt.statement)}` : '';
  return `- **leaked** ${code(cell.table)} ${text(cell.command)} by ${text(wayText(cell))}${was}  \n  ${text(cell.reason)}${statement}`;
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
