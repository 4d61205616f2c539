import type TS from 'typescript';
import type { Directive, Span } from '@tenant-lint/model';
import { skipTrivia } from './positions.js';
import { ts } from './typescript.js';

const mark = 'tenant-lint-';
const comment = /(\/\/|\/\*)[ \t]*tenant-lint-(disable-next-line|disable-line|disable|enable)(?![\w-])/g;

/** The suppression comments of a file. A text that only looks like one, in a string or template, is none. */
export function directivesOf(text: string, source: TS.SourceFile, file: string): Directive[] {
  if (!text.includes(mark)) return [];
  const directives: Directive[] = [];
  comment.lastIndex = 0;
  for (let match = comment.exec(text); match; match = comment.exec(text)) {
    if (!isComment(text, source, match.index)) continue;
    const from = match.index + match[0].length;
    const end = match[1] === '//' ? lineEnd(text, from) : text.indexOf('*/', from);
    const body = text.slice(from, end < 0 ? text.length : end);
    const closed = match[1] === '//' || end < 0 ? end : end + 2;
    const span: Span = { file, start: match.index, end: closed < 0 ? text.length : closed };
    directives.push(parseDirective(match[2] as Directive['kind'], body, span));
  }
  return directives;
}

/** The rules and the reason of a suppression comment, from the text after its keyword. */
export function parseDirective(kind: Directive['kind'], body: string, span: Span): Directive {
  const dash = /(^|\s)--(\s|$)/.exec(body);
  const rules = (dash ? body.slice(0, dash.index) : body).split(/[\s,]+/).filter((rule) => rule !== '');
  const reason = dash
    ? body
        .slice(dash.index + dash[0].length)
        .replace(/\s+/g, ' ')
        .trim()
    : '';
  return { kind, rules, ...(reason === '' ? {} : { reason }), span };
}

function lineEnd(text: string, from: number): number {
  const end = text.slice(from).search(/[\r\n]/);
  return end < 0 ? text.length : from + end;
}

/** Whether the offset lies between tokens: the innermost node around it is no literal, or begins only after it. */
function isComment(text: string, source: TS.SourceFile, offset: number): boolean {
  let node: TS.Node = source;
  for (;;) {
    const inside: TS.Node | undefined = ts.forEachChild(node, (child) =>
      child.pos <= offset && offset < child.end ? child : undefined,
    );
    if (!inside) break;
    node = inside;
    if (skipTrivia(text, node.pos) > offset) return true;
  }
  return (
    !ts.isLiteralExpression(node) &&
    !ts.isTemplateMiddleOrTemplateTail(node) &&
    !ts.isTemplateHead(node) &&
    !ts.isJsxText(node)
  );
}
