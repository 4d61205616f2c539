import type {
  Confidence,
  FunctionId,
  Predicate,
  Reason,
  SchemaFunction,
  TableId,
  Target,
  Tenancy,
  Value,
  Witness,
} from '@tenant-lint/model';
import type { StaffWorld } from './staff.js';

/**
 * What a column says about who owns its row.
 * - `key`: holds the owner itself;
 * - `user`: names a user, in a table whose rows belong to the tenant of that user (a membership);
 * - `reference`: identifies a row of `to`, which belongs to the same tenant as this row. `ties`: by the schema (a table's own primary key,
 *   the reference of a child table, a foreign key that carries the tenant key), or only `assumed`: every writer keeps it within a tenant;
 * - `plain`: says nothing about the owner.
 */
export interface ColumnFact {
  readonly role: 'key' | 'user' | 'reference' | 'plain';
  readonly to?: TableId;
  readonly ties?: 'certain' | 'assumed';
  readonly type?: string;
  readonly notNull?: boolean;
  /** All columns of the table are known, and this is none of them: what names it was made for an earlier table of that name. */
  readonly absent?: true;
}

/**
 * What a value is to the question.
 * - `tenant-verified`: the current tenant, or an identifier that only rows of the current tenant carry;
 * - `tenant-unverified`: the current tenant as somebody claims it: compared with a key (or a membership's user) it is taken at its word, and
 *   the proof says so; compared with anything else it says nothing;
 * - `foreign-possible`: whoever asks may choose it;
 * - `caller`: the identity of the caller;
 * - `role`: the database role (or role claim) under which the statement runs;
 * - `free`: says nothing about tenancy.
 */
export type ValueClass = 'tenant-verified' | 'tenant-unverified' | 'foreign-possible' | 'caller' | 'role' | 'free';

/** What is known of the tables and names that a predicate involves. */
export interface World {
  tenancy(target: Target): Tenancy;
  column(target: Target, column: string): ColumnFact;
  /** The function that a call of this (lower case, perhaps qualified) name with so many arguments reaches. */
  function?(name: string, args: number): SchemaFunction | undefined;
  /** The columns of a target's table where all are known: binds the names of function bodies that are read through. */
  columns?(target: Target): ReadonlySet<string> | undefined;
  /** The known body of a function with its columns bound, where the world remembers it. */
  bound?(f: SchemaFunction): Value | undefined;
  /** Settings that carry the tenant, beside those that the predicate itself compares with a key. */
  readonly settings?: ReadonlySet<string>;
  /** Undefined: decided by the kind of the value. */
  classify?(value: Value): ValueClass | undefined;
  /** The condition, over `self`, under which the rows of a looked-up table are visible at all; undefined: all are. */
  rowSecurity?(target: Target): Predicate | undefined;
  /** How the operator's own people are told from the administrators of tenants; undefined: nobody is taken for staff. */
  readonly staff?: StaffWorld;
  /** Roles under which the application runs; undefined: not known. */
  readonly roles?: ReadonlySet<string>;
  /** What a target is called in words; its alias or table name by default. */
  name?(target: Target): string;
  /** The name of a parameter, for words; 'parameter 2' where absent. */
  parameter?(f: FunctionId, index: number): string | undefined;
}

/** Can `predicate` be true for a row of `target` that belongs to another tenant than the current one? */
export interface ProofQuestion {
  /** Columns in the predicate are bound to targets; values are traced. */
  readonly target: Target;
  readonly predicate: Predicate;
  /** The other targets of the same access: their rows exist together with this one, under their own predicates. */
  readonly others?: readonly Target[];
  readonly world: World;
  /**
   * Rows whose (nullable) key is NULL: `shared` by all tenants, so reaching them is no leak, or `foreign`, a leak of cause 'fail-open'.
   * Default: shared for reads, foreign for everything else.
   */
  readonly nullRows?: 'shared' | 'foreign';
  /** Rows that name the caller in a column of their own count as the caller's, whatever tenant they belong to. */
  readonly named?: boolean;
  /** What is left for this question and others like it; see Budget. */
  readonly budget?: Budget;
}

/**
 * How many conditions may be evaluated for several questions together (those of one table's policies, of one function): many hard ones must
 * not add up. Counted down; where nothing is left, the answer is unknown.
 */
export interface Budget {
  left: number;
}

/** Isolated: no row of another tenant gets through. */
export interface Isolated {
  readonly kind: 'isolated';
  /** `unverified`: it rests on values that only claim to be the tenant, `restsOn`. */
  readonly evidence: 'isolated' | 'unverified';
  readonly restsOn: readonly Value[];
  /** With `unverified`: it is not known whether a value of another tenant would get through; something unknown may refuse it. */
  readonly open?: true;
  /** What has to hold besides, in words: "every writer keeps orders.customer_id within one tenant". Empty: nothing. */
  readonly assumptions: readonly string[];
  /** References that tie the row to the tenant, 'orders.customer_id'; empty: its own key does. */
  readonly references: readonly string[];
  readonly because: readonly Reason[];
}

/** A row of another tenant that gets through. */
export interface Leak {
  readonly kind: 'leak';
  /** `none`: the condition does not mention the key; `vanishing`: only when a value is missing; `negated`: it mentions the key, in vain. */
  readonly evidence: 'negated' | 'vanishing' | 'none';
  /** `fail-open`: only with an unset, empty or self-made setting, without an identity, or for a row with an empty key. */
  readonly cause: 'leak' | 'fail-open';
  readonly confidence: Confidence;
  /** In one phrase, how the condition lets it through: "one branch of an OR does not bind the tenant". */
  readonly why: string;
  readonly witness: Witness;
  readonly assumptions: readonly string[];
  readonly because: readonly Reason[];
}

/** The verdict depends on something that is not known. */
export interface Undecided {
  readonly kind: 'unknown';
  readonly evidence: 'unknown';
  readonly hangsOn: readonly Reason[];
  /** It was too much to look at. */
  readonly exhausted?: true;
}

export type Proof = Isolated | Leak | Undecided;
