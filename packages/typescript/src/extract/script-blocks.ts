/** What begins something in a component that is looked at: a comment, or the tag of a script with its attributes. */
const opening = /<!--|<script\b((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const closing = /<\/script\s*>/gi;

/** Components whose code stands in blocks between markup and styles. */
export const isComponent = (file: string): boolean => /\.(?:vue|svelte)$/i.test(file);

export interface ScriptBlocks {
  /** As long as the text it comes from: everything but the code of the blocks is white space, and offsets and lines are the same. */
  readonly code: string;
  /** The language that the blocks name: 'ts', 'tsx'; '' where none does. */
  readonly language: string;
}

/** The script blocks of a Vue or Svelte component. Blocks in comments, and ones that hold data, are none. Never throws. */
export function scriptBlocks(text: string): ScriptBlocks {
  let code = '';
  let language = '';
  opening.lastIndex = 0;
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    const from = opening.lastIndex;
    if (found[0] === '<!--') {
      const end = text.indexOf('-->', from);
      opening.lastIndex = end < 0 ? text.length : end + 3;
      continue;
    }
    closing.lastIndex = from;
    const end = closing.exec(text);
    const to = end?.index ?? text.length;
    const attributes = found[1] ?? '';
    const type = attribute(attributes, 'type');
    if (type === undefined || /^(?:module|ts|tsx|(?:text|application)\/(?:java|type|ecma)script)$/i.test(type)) {
      code += blank(text.slice(code.length, from)) + text.slice(from, to);
      language ||= attribute(attributes, 'lang') ?? (type && /ts|typescript$/i.test(type) ? 'ts' : '');
    }
    opening.lastIndex = end ? to + end[0].length : text.length;
  }
  return { code: code + blank(text.slice(code.length)), language: language.toLowerCase() };
}

const attribute = (attributes: string, name: string): string | undefined =>
  new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i')
    .exec(attributes)
    ?.slice(1)
    .find((v) => v !== undefined);

const blank = (text: string): string => text.replace(/[^\r\n]/g, ' ');
