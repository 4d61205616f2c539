import { Lexer } from './lexer.js';

/**
 * Deeper texts are not handed to the parser: its recursion runs on the stack of JavaScript, and an overflow there costs the instance
 * (chains of 10,000 operators and 3,000 nested sub-selects overflow; 2,000 of each do not). Everything that walks the tree recursively relies on
 * the bound as well.
 */
export const maxNesting = 800;

/** Keywords that, like operators, make a tree one level deeper each time they are repeated in a chain. */
const chaining = new Set(
  'not is isnull notnull between in like ilike similar collate at union except intersect join case operator escape'.split(
    ' ',
  ),
);

/** An upper bound for the depth of the syntax tree of a statement: open brackets, and the longest chains of operators in each. */
export function nestingOf(text: string): number {
  // A level takes at least two characters.
  if (text.length < maxNesting * 2) return 0;
  const lexer = new Lexer(text);
  // Per open bracket: the operators since the last comma or semicolon.
  const chains: number[] = [0];
  let depth = 0;
  let deepest = 0;
  while (lexer.next()) {
    let link = lexer.kind === 'operator';
    if (lexer.kind === 'punctuation') {
      const c = text.charCodeAt(lexer.start);
      if (c === 40 || c === 91) {
        chains.push(0);
        depth++;
      } else if (c === 41 || c === 93) {
        if (chains.length > 1) depth -= (chains.pop() ?? 0) + 1;
      } else if (c === 44 || c === 59) {
        depth -= chains[chains.length - 1] ?? 0;
        chains[chains.length - 1] = 0;
      } else if (c === 58) link = true;
    } else if (lexer.kind === 'word' && lexer.end - lexer.start <= 9) link = chaining.has(lexer.value.toLowerCase());
    if (link) {
      chains[chains.length - 1] = (chains[chains.length - 1] ?? 0) + 1;
      depth++;
    }
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}
