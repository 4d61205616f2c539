import type TS from 'typescript';
import { ts } from '../extract/typescript.js';

export type FunctionNode = TS.FunctionLikeDeclaration & { readonly body: TS.Node };

/** A member of a type that more classes implement than this is not followed. */
const maxImplementations = 8;

/** Finds the functions of a program that an expression in the place of a callee may be. */
export class Callees {
  #implementations: Map<TS.Symbol, TS.ClassLikeDeclaration[]> | undefined;

  constructor(
    private readonly program: TS.Program,
    private readonly checker: TS.TypeChecker,
    private readonly isOwn: (source: TS.SourceFile) => boolean,
  ) {}

  /** None where it is no function of the program; several for a member of a type that several classes implement. */
  of(callee: TS.Expression): readonly FunctionNode[] {
    const at = ts.skipPartiallyEmittedExpressions(bare(callee)) as TS.Expression;
    const name = ts.isPropertyAccessExpression(at)
      ? at.name
      : ts.isElementAccessExpression(at)
        ? at.argumentExpression
        : at;
    let symbol = this.checker.getSymbolAtLocation(name);
    if (symbol && (symbol.flags & ts.SymbolFlags.Alias) !== 0) symbol = this.checker.getAliasedSymbol(symbol);
    const declared = symbol && this.#bySymbol(symbol);
    if (declared && declared.length > 0) return declared;
    const signatures = this.checker.getTypeAtLocation(at).getCallSignatures();
    const [only] = signatures.length === 1 ? signatures : [];
    const found = this.#withBody(only?.declaration);
    return found ? [found] : [];
  }

  #bySymbol(symbol: TS.Symbol): readonly FunctionNode[] {
    for (const declaration of symbol.declarations ?? []) {
      const found = this.#withBody(declaration) ?? this.#withBody(initializerOf(declaration));
      if (found) return [found];
    }
    const [declaration] = symbol.declarations ?? [];
    return declaration ? this.#implemented(declaration, symbol.name) : [];
  }

  #withBody(node: TS.Node | undefined): FunctionNode | undefined {
    if (!node || !ts.isFunctionLike(node) || !('body' in node) || !node.body) return undefined;
    return this.isOwn(node.getSourceFile()) ? (node as FunctionNode) : undefined;
  }

  /** A member of an interface or abstract class, as the classes of the program implement it. */
  #implemented(declaration: TS.Declaration, name: string): readonly FunctionNode[] {
    const { parent } = declaration;
    if (!ts.isInterfaceDeclaration(parent) && !ts.isClassLike(parent)) return [];
    if (!this.isOwn(parent.getSourceFile())) return [];
    const of = parent.name && this.checker.getSymbolAtLocation(parent.name);
    const classes = of ? (this.#classes().get(of) ?? []) : [];
    const found = classes.flatMap((c) =>
      c.members.flatMap((m) => (m.name && ts.isIdentifier(m.name) && m.name.text === name ? [m] : [])),
    );
    const functions = found.flatMap((m) => this.#withBody(m) ?? this.#withBody(initializerOf(m)) ?? []);
    return functions.length <= maxImplementations ? functions : [];
  }

  /** The classes that implement or extend a type, at whatever distance. */
  #classes(): Map<TS.Symbol, TS.ClassLikeDeclaration[]> {
    if (this.#implementations) return this.#implementations;
    const found = new Map<TS.Symbol, TS.ClassLikeDeclaration[]>();
    const add = (of: TS.Type, made: TS.ClassLikeDeclaration, depth: number): void => {
      const { symbol } = of;
      if (!symbol || depth > 8) return;
      const list = found.get(symbol);
      if (!list) found.set(symbol, [made]);
      else if (!list.includes(made)) list.push(made);
      if (of.isClassOrInterface()) for (const base of this.checker.getBaseTypes(of)) add(base, made, depth + 1);
      for (const declaration of symbol.declarations ?? [])
        if (ts.isClassLike(declaration))
          for (const type of heritage(declaration, this.checker)) add(type, made, depth + 1);
    };
    const visit = (node: TS.Node): void => {
      if (ts.isClassLike(node)) for (const type of heritage(node, this.checker)) add(type, node, 0);
      ts.forEachChild(node, visit);
    };
    for (const source of this.program.getSourceFiles())
      if (this.isOwn(source) && /\b(?:implements|extends)\b/.test(source.text)) visit(source);
    return (this.#implementations = found);
  }
}

const heritage = (node: TS.ClassLikeDeclaration, checker: TS.TypeChecker): TS.Type[] =>
  (node.heritageClauses ?? []).flatMap((clause) => clause.types.map((t) => checker.getTypeAtLocation(t)));

function bare(node: TS.Expression): TS.Expression {
  let at = node;
  while (
    ts.isParenthesizedExpression(at) ||
    ts.isNonNullExpression(at) ||
    ts.isAsExpression(at) ||
    ts.isSatisfiesExpression(at)
  )
    at = at.expression;
  return at;
}

/** What a variable or property is declared with. */
function initializerOf(node: TS.Node): TS.Node | undefined {
  const initializer =
    ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node) || ts.isPropertyAssignment(node)
      ? node.initializer
      : undefined;
  return initializer && bare(initializer);
}
