/** Names of all files: made when asked for, kept while the text of a file and of what it imports stays the same. */
import type { LoadedFile } from "../../../compiler/1-check/project.js";
import type { ModuleDecl } from "../../../grammar/tree.js";
import { membersOf, symbolMaker } from "./declare.js";
import type { NameSource } from "./modules.js";
import { Resolver } from "./resolve.js";
import { NameScope, type FileNames, type NameSymbol, type Occurrence } from "./symbols.js";

export { moduleOf, moduleOfSymbol, parametersOf, isFunction, type ModuleRef } from "./modules.js";
export type { FileNames, NameSymbol, Occurrence, SymbolKind } from "./symbols.js";
export { NameScope } from "./symbols.js";

export class NameTable implements NameSource {
  private readonly known = new Map<string, FileNames>();
  /** Files whose imports are being followed, against cycles. */
  private readonly open = new Set<string>();

  /**
   * @param load A file with its tree, or undefined when it cannot be read.
   * @param resolve The file that an import names.
   */
  constructor(
    private readonly load: (file: string) => LoadedFile | undefined,
    private readonly resolve: (from: string, specifier: string) => string,
  ) {}

  readonly names = (file: string): FileNames | undefined => {
    const before = this.known.get(file);
    // A file that imports itself in a circle sees what is known so far.
    if (this.open.has(file)) return before;
    const loaded = this.load(file);
    if (!loaded) return undefined;
    if (before?.key === loaded.key) return before;
    this.open.add(file);
    try {
      return this.bind(loaded);
    } finally {
      this.open.delete(file);
    }
  };

  readonly symbolAt = (file: string, name: string, offset: number): NameSymbol | undefined =>
    this.known.get(file)?.scope.at(offset).lookup(name) ?? this.names(file)?.scope.at(offset).lookup(name);

  /** The occurrence at an offset; at the end of a word counts as in it. */
  at(file: string, offset: number): Occurrence | undefined {
    const occurrences = this.names(file)?.occurrences ?? [];
    return (
      occurrences.find(({ span }) => span.start <= offset && offset < span.end) ??
      occurrences.find(({ span }) => span.end === offset)
    );
  }

  private bind(loaded: LoadedFile): FileNames {
    const { file, tree, key } = loaded;
    const make = symbolMaker(file);
    const scope = new NameScope(0, Number.MAX_SAFE_INTEGER);
    const members = new Map<ModuleDecl, ReadonlyMap<string, NameSymbol>>();
    const imports: Occurrence[] = [];
    for (const declaration of tree.imports) {
      const target = this.names(this.resolve(file, declaration.from.value));
      for (const item of declaration.names) {
        const found = target?.exports.get(item.name.text);
        const span = { file, ...item.name.span };
        if (found) imports.push({ span, symbol: found, role: "read" });
        if (item.alias) {
          const alias = make(item.alias, "alias", item, found ? { target: found } : {});
          scope.define(alias);
          imports.push({ span: alias.span, symbol: alias, role: "declaration" });
        } else if (found) scope.names.set(item.name.text, found);
      }
    }
    for (const declaration of tree.declarations) {
      if (declaration.kind !== "module") continue;
      members.set(declaration, membersOf(declaration, make));
      if (scope.names.has(declaration.name.text)) continue;
      const doc = declaration.doc === undefined ? {} : { doc: declaration.doc };
      scope.define(make(declaration.name, "declaration", declaration, { decl: declaration, ...doc }));
    }
    const partial: FileNames = { file, key, exports: scope.names, members, occurrences: [], scope };
    this.known.set(file, partial);
    const resolver = new Resolver(file, scope, members, this, make);
    resolver.walk(tree);
    const names: FileNames = { ...partial, occurrences: [...imports, ...resolver.occurrences] };
    this.known.set(file, names);
    return names;
  }
}
