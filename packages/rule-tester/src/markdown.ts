/** A fenced block of a Markdown file. */
export interface Fence {
  /** The words after the fence: `ts src/x.ts` is ['ts', 'src/x.ts']. */
  readonly info: readonly string[];
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

/** A heading with what stands below it, up to the next heading of any level. */
export interface Section {
  readonly title: string;
  /** Titles of the headings around it, outermost first. */
  readonly parents: readonly string[];
  readonly prose: string;
  readonly fences: readonly Fence[];
  readonly line: number;
}

/** Splits Markdown at its headings. Fences may hold anything but a line that begins with three backticks. Throws on an unclosed fence. */
export function sectionsOf(markdown: string): Section[] {
  const sections: { title: string; parents: string[]; level: number; prose: string; fences: Fence[]; line: number }[] =
    [];
  const lines = markdown.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const current = sections.at(-1);
    const heading = /^(#{1,6}) (.+)$/.exec(line);
    if (heading) {
      const level = heading[1]?.length ?? 1;
      const around = sections.filter(
        (s, at) => s.level < level && sections.slice(at + 1).every((t) => t.level > s.level),
      );
      const title = heading[2]?.trim() ?? '';
      sections.push({ title, parents: around.map((s) => s.title), level, prose: '', fences: [], line: i + 1 });
    } else if (line.startsWith('```')) {
      const end = lines.findIndex((l, at) => at > i && l.startsWith('```'));
      if (end < 0) throw new Error(`line ${i + 1}: the fence is not closed`);
      current?.fences.push({
        info: line.slice(3).trim().split(/\s+/).filter(Boolean),
        text: `${lines.slice(i + 1, end).join('\n')}\n`,
        line: i + 1,
      });
      i = end;
    } else if (current) current.prose += `${line}\n`;
  }
  return sections.map(({ title, parents, prose, fences, line }) => ({
    title,
    parents,
    prose: prose.trim(),
    fences,
    line,
  }));
}
