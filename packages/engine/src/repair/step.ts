import type { Finding, TableId } from '@tenant-lint/model';

/** In which part of a corrective migration a step stands: columns before keys, keys before references, what is protected before privileges. */
export const phases = ['columns', 'keys', 'references', 'indexes', 'row security', 'functions', 'privileges'] as const;
export type Phase = (typeof phases)[number];

/**
 * What a schema language that declares the table as well has to say from then on, so that the next migration it generates takes nothing back.
 * Columns are those of the database. `instead`: the columns of what it takes the place of.
 */
export type Declaration = { readonly table: TableId } & (
  | { readonly kind: 'not null'; readonly column: string }
  | { readonly kind: 'index'; readonly columns: readonly string[]; readonly name: string }
  | {
      readonly kind: 'unique';
      readonly columns: readonly string[];
      readonly name: string;
      readonly instead?: readonly string[];
    }
  | {
      readonly kind: 'reference';
      readonly columns: readonly string[];
      readonly to: TableId;
      readonly references: readonly string[];
      readonly name: string;
      readonly instead: readonly string[];
    }
  /** ON DELETE RESTRICT. */
  | { readonly kind: 'restrict'; readonly columns: readonly string[] }
  /** A key like that of another table. */
  | { readonly kind: 'column'; readonly column: string; readonly like: TableId }
);

/** One part of a corrective migration: statements that belong together, and the findings they are there for. */
export interface RepairStep {
  /** Equal for equal repairs, so that two findings with one repair share it. */
  readonly id: string;
  readonly phase: Phase;
  /** The folder of the history that it continues. */
  readonly history: string;
  /** A line above the statements: what they do. */
  readonly title: string;
  /** Single statements without a semicolon. */
  readonly up: readonly string[];
  /** What takes them back; empty where nothing can or should. */
  readonly down: readonly string[];
  /** The statements are refused in a transaction where they say CONCURRENTLY. */
  readonly concurrent?: true;
  readonly table?: TableId;
  /** Fingerprints of the findings that are gone afterwards. */
  readonly claims: readonly string[];
  /** Steps without which this one has no sense. */
  readonly needs: readonly string[];
  readonly declares?: readonly Declaration[];
  /** What whoever applies it should know, a sentence each. */
  readonly notes: readonly string[];
}

/** A finding that no step repairs, and why. */
export interface Unrepaired {
  readonly finding: Finding;
  readonly reason: string;
}

export interface RepairPlan {
  readonly steps: readonly RepairStep[];
  readonly unrepaired: readonly Unrepaired[];
}

/** What a maker answers for one finding: its steps, or why there are none. */
export type Repair = { readonly steps: readonly RepairStep[] } | { readonly reason: string };
