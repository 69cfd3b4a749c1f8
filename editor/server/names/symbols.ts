/** What a name stands for, and everywhere it is written: the ground of definition, references, rename and completion. */
import type { Declaration, Expression, ModuleDecl, TypeExpression } from "../../../grammar/tree.js";
import type { SourceSpan } from "../../../compiler/errors/diagnostic.js";

export type SymbolKind =
  | "declaration"
  | "alias"
  | "axis"
  | "parameter"
  | "param"
  | "state"
  | "knob"
  | "use"
  | "stack"
  | "schedule"
  | "let"
  | "method"
  | "index"
  | "carry";

/** One declared name. Equal names of different places are different symbols. */
export interface NameSymbol {
  /** `file:offset` of the declaring identifier. */
  readonly id: string;
  readonly name: string;
  readonly kind: SymbolKind;
  /** The declaring identifier. */
  readonly span: SourceSpan;
  /** All of what declares it, such as `param w: [D, E]`. */
  readonly whole: SourceSpan;
  readonly doc?: string;
  /** Name of the declaration that it belongs to. */
  readonly container?: string;
  /** For declarations. */
  readonly decl?: ModuleDecl;
  /** What it was given, or its declared type: how the modules behind `a.b` are found. */
  readonly value?: Expression;
  readonly type?: TypeExpression;
  /** For an alias (`TopK as Gate`): what it is another name for. */
  readonly target?: NameSymbol;
  /** An axis that a type or an operation introduces by using it: `T` in `(x: [T, D])`. */
  readonly implicit?: boolean;
}

/** One place where a symbol is written. */
export interface Occurrence {
  readonly span: SourceSpan;
  readonly symbol: NameSymbol;
  readonly role: "declaration" | "read" | "write";
  /** The top-level declaration around it. */
  readonly inside?: Declaration;
  /** Stands for an argument and its name at once: renaming it must keep the name, `k` becomes `k: count`. */
  readonly pun?: boolean;
}

/** The names that come into force in a part of a file. */
export class NameScope {
  readonly names = new Map<string, NameSymbol>();
  readonly children: NameScope[] = [];

  constructor(
    readonly start: number,
    readonly end: number,
    readonly parent?: NameScope,
  ) {
    parent?.children.push(this);
  }

  define(symbol: NameSymbol): void {
    if (symbol.name !== "") this.names.set(symbol.name, symbol);
  }

  lookup(name: string): NameSymbol | undefined {
    return this.names.get(name) ?? this.parent?.lookup(name);
  }

  /** The innermost scope around an offset. */
  at(offset: number): NameScope {
    const inner = this.children.find((child) => child.start <= offset && offset <= child.end);
    return inner ? inner.at(offset) : this;
  }
}

/** Names of one file. */
export interface FileNames {
  readonly file: string;
  readonly key: string;
  /** What the file declares and imports, by the name it has here: what others can import. */
  readonly exports: ReadonlyMap<string, NameSymbol>;
  /** Members of each declaration. */
  readonly members: ReadonlyMap<ModuleDecl, ReadonlyMap<string, NameSymbol>>;
  /** In source order. */
  readonly occurrences: readonly Occurrence[];
  readonly scope: NameScope;
}
