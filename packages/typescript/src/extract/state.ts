import type TS from 'typescript';
import type {
  Block,
  CallChain,
  ClassFacts,
  Entry,
  Export,
  FunctionFacts,
  Import,
  Kept,
  Span,
  TypeName,
  Unchecked,
  Value,
} from '@tenant-lint/model';
import { skipTrivia } from './positions.js';

/** A type with its fields open for construction. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

/** A name in a scope and the value it has at the point the walk has reached. */
export interface Variable {
  readonly name: string;
  /** `module`: read as a `binding`, its value goes to facts.bindings. `constant`: a module-level enum or `as const`, read through. */
  readonly kind: 'local' | 'module' | 'symbolic';
  value: Value;
  /** Properties assigned to a value that is no object literal. */
  added?: readonly Entry[] | undefined;
  type?: TypeName | undefined;
  /** A module-level enum or `as const` object: constants in it are read through. */
  readThrough?: boolean;
}

export interface Scope {
  readonly parent?: Scope | undefined;
  readonly variables: Map<string, Variable>;
}

/** How a path ended early: it left the function, or only the nearest loop or switch. */
export type Exit = 'function' | 'loop';

/** The state of a variable at the end of a branch. */
export interface Change {
  readonly variable: Variable;
  readonly value: Value;
  readonly added: readonly Entry[] | undefined;
}
export type Changes = readonly Change[];

/** The function being walked. */
export interface FunctionState {
  readonly facts: Mutable<FunctionFacts> & { blocks: Mutable<Block>[] };
  readonly scope: Scope;
  block: number;
  exit: Exit | undefined;
  /** The open loops and switches, the open try blocks, and what paths that left them early had changed. */
  readonly breaks: Leaving[];
  readonly throws: Leaving[];
}

export interface Leaving {
  /** The length of the trail where it began. */
  readonly mark: number;
  readonly ways: Changes[];
}

/** How surely a value is there: not undefined; neither undefined nor null; truthy. */
export type Presence = 'defined' | 'not null' | 'truthy';

/** Everything known while one file is walked. */
export interface Extraction {
  readonly file: string;
  readonly text: string;
  readonly source: TS.SourceFile;
  /** 'use client': its components do not run on the server. */
  readonly isClient: boolean;
  readonly chains: Mutable<CallChain>[];
  readonly functions: (Mutable<FunctionFacts> & { blocks: Mutable<Block>[] })[];
  /** Ids handed out before the body is walked, for hoisted functions. */
  readonly functionIds: Map<TS.Node, string>;
  readonly functionById: Map<string, FunctionFacts>;
  readonly classes: Mutable<ClassFacts>[];
  readonly imports: Import[];
  readonly exports: Export[];
  readonly unchecked: Unchecked[];
  /** Assignments to what outlives the function. */
  readonly kept: Kept[];
  /** Interfaces and type aliases of the file. */
  readonly types: Map<string, TS.InterfaceDeclaration | TS.TypeAliasDeclaration>;
  /** Types that comments declare, by the parameter, variable or field they are of. */
  readonly commented: Map<TS.Node, TS.TypeNode>;
  /** What the conversions of the platform gave, by function, name and arguments. */
  readonly converted: Map<string, Value>;
  /** Declared types of variables that hold what a call gives. */
  readonly typed: { readonly value: Value; readonly type: TypeName }[];
  /** What was found in them, by how deep in another type they were named. */
  readonly membersOfTypes: Map<TS.Node, (Readonly<Record<string, TypeName>> | 'none' | undefined)[]>;
  /** Bindings that no variable stands for: `default`, `module.exports`. */
  readonly extraBindings: Record<string, Value>;
  /** Functions of the file that surely never return. */
  readonly neverReturns: Map<TS.Node, boolean>;
  readonly declarations: Map<Variable, TS.Node>;
  /** Functions whose body begins with 'use server'. */
  readonly serverActions: string[];
  fn: FunctionState;
  scope: Scope;
  thisClass: string | undefined;
  /** Old states of variables, newest last: a branch is undone by going back. */
  readonly trail: { variable: Variable; value: Value; added: readonly Entry[] | undefined }[];
  /** What is known to be present on the path to here, and the log that undoes it. */
  readonly present: Map<string, Presence>;
  readonly presentLog: { key: string; before: Presence | undefined }[];
  /** Asked at the end of each call chain, while names hold what they hold there. */
  readonly atChain: ((x: Extraction, chain: CallChain) => void) | undefined;
  /** Variables assigned in each loop, found once for a nest of loops. */
  readonly loopAssignments: Map<TS.Node, ReadonlySet<string>>;
}

export const span = (x: Extraction, start: number, end: number): Span => ({ file: x.file, start, end });

/** Where the text of a node starts, comments and white space before it left out. */
export const startOf = (x: Extraction, node: TS.Node): number => skipTrivia(x.text, node.pos);

export const spanOf = (x: Extraction, node: TS.Node): Span => ({
  file: x.file,
  start: skipTrivia(x.text, node.pos),
  end: node.end,
});

/** The text of a node, shortened. */
export function textOf(x: Extraction, node: TS.Node, limit: number): string {
  const start = startOf(x, node);
  return x.text.slice(start, Math.min(node.end, start + limit));
}
