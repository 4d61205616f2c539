import { subjectAt, type FileFacts, type Finding, type Span, type Unchecked } from '@tenant-lint/model';

type Files = ReadonlyMap<string, FileFacts>;

/** What a place in the catalogue of a database is about; undefined for places in files. */
const subjectOf = (span: Span, files: Files): string | undefined => {
  const live = files.get(span.file)?.live;
  return live && subjectAt(live, span);
};

/** A finding as it is reported: what stands in no file has a subject in the place of a place. */
export function withoutLivePlaces(finding: Finding, files: Files): Finding {
  const { span, related, fixes, ...rest } = finding;
  const subject = span && subjectOf(span, files);
  return {
    ...rest,
    ...(span && subject === undefined ? { span } : {}),
    ...(subject === undefined ? {} : { subject: finding.subject ?? subject }),
    related: related.map((r) => {
      const about = r.span && subjectOf(r.span, files);
      return about === undefined ? r : { subject: about, text: r.text };
    }),
    fixes: fixes.filter(({ edits }) => edits.every((edit) => files.get(edit.file)?.live === undefined)),
  };
}

/** Likewise of what was not checked, which always names a file: the subject goes into the text. */
export function uncheckedWithoutLivePlaces(unchecked: Unchecked, files: Files): Unchecked {
  const { span, detail, ...rest } = unchecked;
  const subject = span && subjectOf(span, files);
  if (subject === undefined) return unchecked;
  return { ...rest, detail: detail === undefined ? subject : `${subject}: ${detail}` };
}
