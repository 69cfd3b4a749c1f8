/**
 * A file reached through `"std"`. Its names are known from its outline; each of its declarations is parsed when it is
 * used, so that a program pays for what it takes from the library and not for the library.
 */
import type { Outline } from "../../grammar/outline.js";
import { parse } from "../../grammar/parse.js";
import type { Declaration, ModuleDecl, SourceFile, TestDecl } from "../../grammar/tree.js";
import type { Diagnostic, SourceSpan } from "../errors/diagnostic.js";
import { identifiersIn } from "./elaborate/closures.js";
import { FileInfo } from "./info.js";
import type { LoadedFile } from "./project.js";
import type { DeclarationResults } from "./reuse.js";
import type { Binding, Scope } from "./scope.js";
import { unknown, type ModuleInfo, type Value } from "./values.js";

interface Parsed {
  readonly tree: SourceFile;
  readonly modules: ReadonlyMap<string, ModuleInfo>;
  readonly tests: readonly TestDecl[];
  readonly diagnostics: readonly Diagnostic[];
}

export class LibraryFile implements LoadedFile {
  readonly library = true;
  /** The library is checked by its own tests, not with each user of it. */
  readonly checked = false;
  readonly results: DeclarationResults = new Map();
  readonly info = new FileInfo([]);
  private parsed: Parsed | undefined;
  /** Declarations parsed alone so far. */
  private readonly pieces = new Map<string, ModuleInfo>();

  /**
   * @param scope Holds what the file imports; the names it declares are put in here.
   * @param imported The files it imports, whose scopes are bound in its own.
   * @param early What is wrong with its imports.
   */
  constructor(
    readonly file: string,
    readonly text: string,
    readonly key: string,
    readonly scope: Scope,
    readonly outline: Outline,
    readonly imported: readonly LoadedFile[],
    private readonly early: readonly Diagnostic[],
  ) {
    for (const name of outline.names) if (!scope.own(name)) scope.define(name, new LibraryBinding(this, name));
  }

  get imports(): readonly string[] {
    return this.imported.map(({ file }) => file);
  }

  get tree(): SourceFile {
    return this.parse().tree;
  }

  get modules(): ReadonlyMap<string, ModuleInfo> {
    return this.parse().modules;
  }

  get tests(): readonly TestDecl[] {
    return this.parse().tests;
  }

  get diagnostics(): readonly Diagnostic[] {
    return [...this.parse().diagnostics, ...this.early];
  }

  /** What is known to be wrong with the file, as far as it was looked at. */
  get all(): readonly Diagnostic[] {
    return this.parsed ? this.diagnostics : this.early;
  }

  /** One declaration, without reading the rest of the file. */
  module(name: string): ModuleInfo | undefined {
    if (this.parsed) return this.parsed.modules.get(name);
    const known = this.pieces.get(name);
    if (known) return known;
    const decl = this.parsePiece(name);
    if (!decl) return this.parse().modules.get(name);
    const info = this.infoOf(decl);
    this.pieces.set(name, info);
    return info;
  }

  /** Undefined where the piece does not make sense by itself: then the whole file is asked. */
  private parsePiece(name: string): ModuleDecl | undefined {
    const piece = this.outline.pieces.get(name);
    if (!piece) return undefined;
    // A line of blanks in front keeps every place where it is in the file.
    const before = piece.start === 0 ? "" : `${" ".repeat(piece.start - 1)}\n`;
    const { tree, diagnostics } = parse(before + this.text.slice(piece.start, piece.end), this.file);
    const [decl] = tree.declarations;
    const isAlone = diagnostics.length === 0 && tree.declarations.length === 1 && tree.imports.length === 0;
    return isAlone && decl && decl.kind !== "test" && decl.name.text === name ? decl : undefined;
  }

  private infoOf(decl: ModuleDecl): ModuleInfo {
    return { decl, file: this.file, scope: this.scope, names: () => identifiersIn(decl) };
  }

  private parse(): Parsed {
    if (this.parsed) return this.parsed;
    const { tree, diagnostics } = parse(this.text, this.file);
    const modules = new Map<string, ModuleInfo>();
    const tests: TestDecl[] = [];
    // What was parsed alone stays what it is: much is remembered by it.
    const declarations = tree.declarations.map((decl): Declaration => {
      if (decl.kind === "test") {
        tests.push(decl);
        return decl;
      }
      if (modules.has(decl.name.text)) return decl;
      const info = this.pieces.get(decl.name.text) ?? this.infoOf(decl);
      modules.set(decl.name.text, info);
      return info.decl;
    });
    return (this.parsed = { tree: { ...tree, declarations }, modules, tests, diagnostics });
  }
}

/** A declaration of a library file that may not have been parsed yet. */
class LibraryBinding implements Binding {
  constructor(
    private readonly home: LibraryFile,
    private readonly name: string,
  ) {}

  private get module(): ModuleInfo | undefined {
    return this.home.module(this.name);
  }

  value(): Value {
    const info = this.module;
    return info ? { kind: "declaration", info } : unknown;
  }

  get span(): SourceSpan {
    return { file: this.home.file, ...(this.module?.decl.name.span ?? { start: 0, end: 0 }) };
  }

  get doc(): string {
    return this.module?.decl.doc ?? "";
  }
}
