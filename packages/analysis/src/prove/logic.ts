/**
 * Outcomes of a condition in SQL's three-valued logic, plus the error, as a set in bits. A set with several members means that the outcome
 * is not determined by what has been fixed so far.
 */
export type Outcomes = number;
export const TRUE = 1;
export const FALSE = 2;
export const NULL = 4;
/** Evaluation raises an error: no row gets through, and nothing else happens either. */
export const ERROR = 8;
export const ANY = TRUE | FALSE | NULL;

const bits = [TRUE, FALSE, NULL, ERROR];

type Connective = (a: number, b: number) => number;

/** AND of two single outcomes, evaluated from left to right: a false left side hides an error on the right, not the other way round. */
const andOne: Connective = (a, b) => {
  if (a === FALSE || a === ERROR) return a;
  if (a === TRUE || b === FALSE || b === ERROR) return b;
  return NULL;
};
const orOne: Connective = (a, b) => {
  if (a === TRUE || a === ERROR) return a;
  if (a === FALSE || b === TRUE || b === ERROR) return b;
  return NULL;
};

function table(connective: Connective): Uint8Array {
  const result = new Uint8Array(256);
  for (let a = 0; a < 16; a++)
    for (let b = 0; b < 16; b++)
      for (const x of bits) for (const y of bits) if (a & x && b & y) result[a * 16 + b]! |= connective(x, y);
  return result;
}

const andTable = table(andOne);
const orTable = table(orOne);

export const andOf = (a: Outcomes, b: Outcomes): Outcomes => andTable[a * 16 + b]!;
export const orOf = (a: Outcomes, b: Outcomes): Outcomes => orTable[a * 16 + b]!;
export const notOf = (a: Outcomes): Outcomes => (a & (NULL | ERROR)) | (a & TRUE ? FALSE : 0) | (a & FALSE ? TRUE : 0);
/** `a IS TRUE`, `IS FALSE`, `IS UNKNOWN`. */
export function isOf(a: Outcomes, test: boolean | null): Outcomes {
  const wanted = test === null ? NULL : test ? TRUE : FALSE;
  return (a & wanted ? TRUE : 0) | (a & ANY & ~wanted ? FALSE : 0) | (a & ERROR);
}
export const truth = (value: boolean): Outcomes => (value ? TRUE : FALSE);

/** What a search needs to know of a set of outcomes. */
export const verdictOf = (a: Outcomes): { canBeTrue: boolean; onlyTrue: boolean } => ({
  canBeTrue: (a & TRUE) !== 0,
  onlyTrue: a === TRUE,
});
