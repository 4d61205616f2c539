import { always, type LowerContext, type Predicate, type Span, type Value } from '@tenant-lint/model';
import { chosen } from '../prisma/drops.js';
import { newLowering, unknownCondition, type Lowering, type Rows } from '../prisma/lowering.js';
import { asChoice, settled } from '../prisma/shape.js';

/** What decides how MongoDB's clients read a filter. */
export interface Mongo extends Lowering {
  /** The ODM drops empty lists of conditions and, with `strictQuery`, what its schema does not know. */
  readonly odm: boolean;
  /** The driver leaves keys out whose value is undefined, instead of sending null. */
  readonly ignoreUndefined: boolean;
  /** Keys that the schema of the rows does not know are taken out of a filter. */
  strips(rows: Rows): boolean;
}

export interface MongoSettings {
  readonly odm: boolean;
  readonly ignoreUndefined: boolean;
  readonly strips: (rows: Rows) => boolean;
}

export const mongoLowering = (context: LowerContext, span: Span, settings: MongoSettings): Mongo =>
  Object.assign(newLowering(context, span), settings);

export const noFilter: Predicate = always('no condition');

/** What each kind of value is lowered to. */
export interface Shapes {
  readonly absent: Predicate;
  readonly isNull: () => Predicate;
  readonly leaf: (value: Value) => Predicate;
  /** What becomes of a missing value, in words. */
  readonly why: string;
  readonly span?: Span | undefined;
}

/** Lowers a value that may be missing, or one of several. */
export function shaped(value: Value, l: Mongo, to: Shapes): Predicate {
  return l.deeper(
    () => unknownCondition('nested too deeply'),
    () => {
      const v = settled(value, l);
      if (v.kind === 'undefined') return to.absent;
      if (v.kind === 'constant' && v.value === null) return to.isNull();
      if (v.kind === 'missing-able') {
        const of = shaped(v.of, l, to);
        if (v.how === 'empty') return of;
        const otherwise = v.how === 'null' ? to.isNull() : to.absent;
        if (of.kind === otherwise.kind && of.kind === 'always') return of;
        return { kind: 'optional', of, on: v, otherwise, why: to.why, ...(to.span ? { span: to.span } : {}) };
      }
      const choice = asChoice(v);
      if (!choice) return to.leaf(v);
      return chosen(
        choice.of.map((one) => shaped(one, l, to)),
        choice.test,
        to.span,
      );
    },
  );
}
