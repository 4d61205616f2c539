/**
 * The offset of the first character at or after `position` that is neither white space nor in a comment: where a node really starts.
 * The compiler's own getStart needs parents or does more; this is asked for every node that gets a span.
 */
export function skipTrivia(text: string, position: number): number {
  let at = position;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === 32 || (c >= 9 && c <= 13) || c === 0xa0 || c === 0xfeff || c === 0x2028 || c === 0x2029) {
      at++;
    } else if (c === 47 && text.charCodeAt(at + 1) === 47) {
      at = endOfLine(text, at);
    } else if (c === 47 && text.charCodeAt(at + 1) === 42) {
      const end = text.indexOf('*/', at + 2);
      at = end < 0 ? text.length : end + 2;
    } else if (c === 35 && at === 0 && text.charCodeAt(1) === 33) {
      at = endOfLine(text, at);
    } else if (c > 0x1fff && /\s/.test(text.charAt(at))) {
      at++;
    } else {
      return at;
    }
  }
}

function endOfLine(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === 10 || c === 13 || c === 0x2028 || c === 0x2029) return at;
  }
  return text.length;
}
