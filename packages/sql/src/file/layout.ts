import type { Comment } from '../parser/index.js';

type Direction = 'up' | 'down';

const downPaths: readonly RegExp[] = [
  /(?:[._-])(?:down|undo|rollback|revert)\.sql$/i,
  /(?:^|\/)(?:down|undo|rollback|revert)\.sql$/i,
  // Flyway's undo migrations.
  /(?:^|\/)U\d+(?:[._]\d+)*__[^/]+\.sql$/,
  /(?:^|\/)(?:revert|rollbacks?|down)\/(?:.*\/)?[^/]+\.sql$/i,
];

/** Whether the whole file undoes a migration. */
export const isDownFile = (file: string): boolean =>
  downPaths.some((pattern) => pattern.test(file.replaceAll('\\', '/')));

/** Comments that begin a section: of dbmate, goose, sql-migrate, node-pg-migrate, and a bare `-- up`. */
const tools: readonly (readonly [RegExp, string])[] = [
  [/^--\s*migrate:(up|down)\b/i, 'dbmate section'],
  [/^--\s*\+goose\s+(up|down)\b/i, 'goose section'],
  [/^--\s*\+migrate\s+(up|down)\b/i, 'sql-migrate section'],
  [/^-{2,}\s*(up|down)\s+migration\b/i, 'node-pg-migrate section'],
  [/^-{2,}[\s=*#!@/+-]*(up|down|undo|rollback)[\s:=*#-]*$/i, 'up and down sections'],
];

/** The tool whose section markers the text has, in words. */
export function sectionMarkers(text: string): string | undefined {
  if (!/^--.*\b(?:up|down)\b/im.test(text)) return undefined;
  for (const [, line] of text.matchAll(/^[ \t]*(--[^\r\n]*)/gm)) {
    const tool = tools.slice(0, -1).find(([pattern]) => pattern.test(line ?? ''));
    if (tool) return tool[1];
  }
  return undefined;
}

/** A function from an offset to the direction of the section it lies in. */
export function directionOf(file: string, text: string, comments: readonly Comment[]): (offset: number) => Direction {
  const whole: Direction = isDownFile(file) ? 'down' : 'up';
  const sections: { start: number; direction: Direction }[] = [];
  for (const { start, end } of comments) {
    const comment = text.slice(start, Math.min(end, start + 200));
    for (const [pattern] of tools) {
      const found = pattern.exec(comment);
      if (!found) continue;
      sections.push({ start, direction: found[1]?.toLowerCase() === 'up' ? 'up' : 'down' });
      break;
    }
  }
  return (offset) => sections.findLast((section) => section.start <= offset)?.direction ?? whole;
}
