import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import type {
  Confidence,
  Directive,
  Evidence,
  FileFacts,
  Fix,
  Policy,
  Related,
  SchemaEvent,
  SchemaFunction,
  Severity,
  Span,
  Table,
  Target,
  View,
} from '@tenant-lint/model';

/** Languages in which a rule has something to report. */
export type RuleHost = 'typescript' | 'sql';

/** What must be known of a project before a rule can say anything. */
export type Need = 'schema' | 'migrations' | 'code';

/** The three sentences of a finding, with `{placeholders}` for the data of the draft. The fix begins with a verb. */
export interface MessageTemplate {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  /** Where this message weighs more or less than the rule. */
  readonly severity?: Exclude<Severity, 'off'>;
}

/** The only place where anything about a rule is written down; index, docs, presets, SARIF and explain texts are generated from it. */
export interface RuleMeta<M extends string = string> {
  /** kebab-case, the name of its folder. */
  readonly id: string;
  /** The folder above. */
  readonly group: string;
  /** One line without a full stop, for tables. */
  readonly summary: string;
  /** 'next' until it is released. */
  readonly since: string;
  readonly severity: Exclude<Severity, 'off'>;
  /** On without configuration. */
  readonly recommended: boolean;
  readonly hosts: readonly RuleHost[];
  readonly messages: Readonly<Record<M, MessageTemplate>>;
  /** The platform it is about; only the presets of that platform turn it on. */
  readonly platform?: 'supabase';
  /** Entries of the defect catalogue whose bad form it must report: 'C-1', 'T01'. */
  readonly catalogue: readonly string[];
  readonly needs?: readonly Need[];
  /** JSON schema of the options object. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Former names; suppressions and configuration may still use them. */
  readonly aliases?: readonly string[];
}

/** One table reached by one access of code or of a query file. */
export interface TargetSubject {
  readonly access: LinkedAccess;
  readonly target: Target;
}

export interface PolicySubject {
  readonly table: Table;
  readonly policy: Policy;
}

/** A statement of a migration, or an entry of a declared schema. */
export interface StatementSubject {
  readonly facts: FileFacts;
  readonly event: SchemaEvent;
}

/** A suppression comment and what became of it; looked at after all other rules have run. */
export interface SuppressionSubject {
  readonly file: string;
  readonly directive: Directive;
  /** Whether a finding was suppressed by it. */
  readonly used: boolean;
  /** Whether all rules it names (or, naming none, all rules) ran, so that `used` says something. */
  readonly judged: boolean;
  /** Rules it names that do not exist, each with the nearest name that does. */
  readonly unknown: readonly { readonly name: string; readonly nearest?: string }[];
}

export interface Subjects {
  readonly target: TargetSubject;
  readonly access: LinkedAccess;
  readonly table: Table;
  readonly view: View;
  readonly policy: PolicySubject;
  readonly function: SchemaFunction;
  readonly statement: StatementSubject;
  readonly project: Model;
  readonly suppression: SuppressionSubject;
}
export type SubjectKind = keyof Subjects;

/** A finding before it is judged: what a rule yields. */
export interface Draft<M extends string = string> {
  readonly message: M;
  readonly data: Readonly<Record<string, string | number>>;
  /** The whole access or statement, from where its conditions are put together. */
  readonly span?: Span;
  /** The access alone, where `span` begins before it: a comment there suppresses the finding as well. */
  readonly access?: Span;
  /** Says what the finding is about where there is no file: 'policy public.orders/isolate'. */
  readonly subject?: string;
  readonly confidence: Confidence;
  /**
   * What the finding is about without its place: table, policy, enclosing function, shape of the access. Goes into the fingerprint, so
   * it must not depend on line numbers, and an edit elsewhere must not change it.
   */
  readonly key: string;
  /** Findings of different rules with one cause are one finding, see `isMoreSpecific`. For targets and policies the engine sets it. */
  readonly cause?: string | readonly string[];
  readonly evidence?: Evidence;
  readonly witness?: string;
  readonly table?: string;
  readonly related?: readonly Related[];
  readonly fixes?: readonly Fix[];
}

/** Options of a rule as configured, `{}` if nothing is. */
export type RuleOptions = Readonly<Record<string, unknown>>;

/** A rule: pure, a function from the model to drafts. It never prints, reads files or throws for what users write. */
export interface Rule<S extends SubjectKind = SubjectKind, M extends string = string> {
  readonly meta: RuleMeta<M>;
  /** What `check` looks at; it is called once for each. */
  readonly subject: S;
  // A method, not a property: rules of different subjects go into one list.
  check(subject: Subjects[S], model: Model, options: RuleOptions): Iterable<Draft<M>>;
}

/** Types a rule: its subject by `subject`, the message ids of its drafts by `meta.messages`. */
export const defineRule = <const S extends SubjectKind, const M extends string>(rule: Rule<S, M>): Rule<S, M> => rule;
