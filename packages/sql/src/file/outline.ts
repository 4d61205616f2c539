import { splitScript, type Comment, type Piece } from '../parser/split.js';

/** Where the statements and the comments of a script are, in order, whatever they say. Never throws. */
export function outlineOf(text: string): {
  readonly statements: readonly Piece[];
  readonly comments: readonly Comment[];
} {
  const { pieces, comments } = splitScript(text, () => true);
  return { statements: pieces.filter((piece) => piece.kind === 'statement'), comments };
}
