/** Files and imports: every file is parsed once, and its scope holds what it declares and what it imports. */
import { outline } from "../../grammar/outline.js";
import { parse, type ParseResult } from "../../grammar/parse.js";
import { reparse } from "../../grammar/reparse.js";
import type { Identifier, ImportDecl, ModuleDecl, SourceFile, Span, TestDecl } from "../../grammar/tree.js";
import { closest } from "../errors/closest.js";
import type { Diagnostic, SourceSpan } from "../errors/diagnostic.js";
import { hashText, otherHashOfText } from "../ops/text-hash.js";
import { identifiersIn } from "./elaborate/closures.js";
import { LibraryFile } from "./library-file.js";
import { Reporter } from "./reporter.js";
import { Scope } from "./scope.js";
import type { ModuleInfo } from "./values.js";

/** How the checker gets at files; the core itself reads nothing. */
export interface SourceHost {
  /** The text of a file, or undefined when there is none. */
  read(file: string): string | undefined;
  /** The file that an import names: `"std"`, or a path relative to `from`. */
  resolve(from: string, specifier: string): string;
}

export interface LoadedFile {
  readonly file: string;
  readonly text: string;
  readonly tree: SourceFile;
  readonly scope: Scope;
  readonly modules: ReadonlyMap<string, ModuleInfo>;
  readonly tests: readonly TestDecl[];
  /** Files imported, in order of appearance. */
  readonly imports: readonly string[];
  /** Of the parser and of names and imports. */
  readonly diagnostics: readonly Diagnostic[];
  /** Changes when the text of this file or of anything it imports does. */
  readonly key: string;
  /** Reached through `"std"`: checked with the library's own tests, not with each user of it. */
  readonly library: boolean;
}

/** The length and two 32-bit hashes side by side: enough to tell versions of one file apart. */
export function textKey(text: string): string {
  return `${text.length}.${hashText(text).toString(36)}.${otherHashOfText(text).toString(36)}`;
}

/** Parses a text, after an edit of a good one only what the edit touches. */
function parsedAfter(before: LoadedFile | undefined, text: string, file: string): ParseResult {
  const good = before && !(before instanceof LibraryFile) && !before.diagnostics.some(isSyntax) ? before : undefined;
  return (good && reparse(good, text, file)) ?? parse(text, file);
}

/** True for what the parser says: of the text, not of its meaning. */
export function isSyntax({ code }: Diagnostic): boolean {
  return code.startsWith("MOE1");
}

/** A key of keys that does not grow with the depth of imports. */
function mixed(keys: readonly string[]): string {
  return `${keys[0]!} ${textKey(keys.join(" "))}`;
}

interface Parsed {
  readonly text: string;
  readonly tree: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
}

/** Library files as they were read last: what an earlier check parsed of them is not parsed again. */
const libraries = new Map<string, LibraryFile>();

/** Where the rest of a file writes a name. */
type Uses = (name: string) => readonly Span[];

interface Imports {
  readonly targets: readonly { readonly declaration: ImportDecl; readonly target: LoadedFile | undefined }[];
  readonly files: readonly LoadedFile[];
  readonly reporter: Reporter;
}

export class Loader {
  readonly files = new Map<string, LoadedFile>();
  private readonly loading: string[] = [];

  /**
   * @param host Reads files.
   * @param previous Files of an earlier check: those whose text and imports are the same are kept as they are.
   */
  constructor(
    private readonly host: SourceHost,
    private readonly previous: ReadonlyMap<string, LoadedFile> | undefined,
  ) {}

  /** Loads a file and what it imports; undefined when it cannot be read. */
  load(file: string, library: boolean): LoadedFile | undefined {
    const known = this.files.get(file);
    if (known) return known;
    const text = this.host.read(file);
    if (text === undefined) return undefined;
    this.loading.push(file);
    const loaded = library ? this.loadLibrary(file, text) : this.loadWhole(file, text);
    this.loading.pop();
    this.files.set(file, loaded);
    return loaded;
  }

  private loadLibrary(file: string, text: string): LibraryFile {
    const known = libraries.get(file);
    const same = known?.text === text ? known : undefined;
    const read = same?.outline ?? outline(text);
    const loaded = this.importsOf(file, text, read.imports, true);
    const kept = same?.imported;
    if (kept?.length === loaded.files.length && kept.every((imported, index) => imported === loaded.files[index]))
      return same!;
    const key = [same ? same.key.split(" ")[0]! : textKey(text), ...loaded.files.map((imported) => imported.key)];
    const scope = this.scopeOf(file, loaded, () => []);
    const early = loaded.reporter.findings.map((finding) => finding.diagnostic);
    const made = new LibraryFile(file, text, mixed(key), scope, read, loaded.files, early);
    libraries.set(file, made);
    return made;
  }

  private loadWhole(file: string, text: string): LoadedFile {
    const before = this.previous?.get(file);
    const parsed: Parsed =
      before?.text === text
        ? { text, tree: before.tree, diagnostics: [] }
        : { text, ...parsedAfter(before, text, file) };
    return this.assemble(file, parsed, before);
  }

  /** Loads what a file imports. */
  private importsOf(file: string, text: string, declarations: readonly ImportDecl[], library: boolean): Imports {
    const reporter = new Reporter({ file, start: 0, end: text.length });
    const files: LoadedFile[] = [];
    const targets = declarations.map((declaration) => {
      const specifier = declaration.from.value;
      const target = this.importedFile(
        file,
        declaration,
        this.host.resolve(file, specifier),
        library || specifier === "std",
        reporter,
      );
      if (target) files.push(target);
      return { declaration, target };
    });
    return { targets, files, reporter };
  }

  /** A scope with what the imports name. */
  private scopeOf(
    file: string,
    { targets, reporter }: Imports,
    uses: Uses,
    imported = new Map<string, SourceSpan>(),
  ): Scope {
    const scope = new Scope();
    for (const { declaration, target } of targets)
      this.bindImports(file, declaration, target, imported, scope, reporter, uses);
    return scope;
  }

  private assemble(file: string, parsed: Parsed, before: LoadedFile | undefined): LoadedFile {
    const { tree, text } = parsed;
    const loaded = this.importsOf(file, text, tree.imports, false);
    const { reporter } = loaded;
    const imports = loaded.files.map((target) => target.file);
    const key = [textKey(text), ...loaded.files.map((target) => target.key)].join(" ");
    if (before?.text === text && before.key === key && !(before instanceof LibraryFile)) return before;
    const imported = new Map<string, SourceSpan>();
    const scope = this.scopeOf(file, loaded, (name) => usesOf(tree, name), imported);
    const modules = new Map<string, ModuleInfo>();
    const tests: TestDecl[] = [];
    for (const declaration of tree.declarations) {
      if (declaration.kind !== "test") declare(file, declaration, imported, scope, modules, reporter);
      else if (isNewTest(file, declaration, tests, reporter)) tests.push(declaration);
    }
    const syntax = before?.text === text ? before.diagnostics.filter(isSyntax) : parsed.diagnostics;
    const diagnostics = [...syntax, ...reporter.findings.map((finding) => finding.diagnostic)];
    return { file, text, tree, scope, modules, tests, imports, diagnostics, key, library: false };
  }

  private importedFile(
    file: string,
    declaration: ImportDecl,
    target: string,
    library: boolean,
    reporter: Reporter,
  ): LoadedFile | undefined {
    const span = { file, ...declaration.from.span };
    if (this.loading.includes(target)) {
      const cycle = [...this.loading.slice(this.loading.indexOf(target)), target];
      reporter.report("MOE2003", { cycle: cycle.map(baseName).join(" -> ") }, span);
      return undefined;
    }
    const loaded = this.load(target, library);
    if (!loaded) {
      reporter.report("MOE2002", { name: declaration.from.value, file: target }, span);
    }
    return loaded;
  }

  private bindImports(
    file: string,
    declaration: ImportDecl,
    target: LoadedFile | undefined,
    imported: Map<string, SourceSpan>,
    scope: Scope,
    reporter: Reporter,
    uses: Uses,
  ): void {
    for (const item of declaration.names) {
      const local = item.alias ?? item.name;
      if (local.text === "") continue;
      const span = { file, ...item.name.span };
      const before = imported.get(local.text);
      if (before) {
        const labels = [{ span: before, text: "imported here" }];
        reporter.report("MOE2005", { name: local.text }, { file, ...local.span }, { labels });
        continue;
      }
      imported.set(local.text, { file, ...local.span });
      const binding = target?.scope.own(item.name.text);
      if (binding) scope.define(local.text, binding);
      else {
        scope.defineMissing(local.text, span);
        if (!target) continue;
        const near = closest(item.name.text, target.scope.ownNames(), 3);
        reporter.report("MOE2004", { name: item.name.text, file: baseName(target.file) }, span, {
          // Also where the fix is not offered, since behind the right name other errors come to light.
          ...(near[0] === undefined ? {} : { help: `did you mean to write \`${near[0]}\`?` }),
          fixes: near.map((text) => ({
            title: `write \`${text}\``,
            // Under a name of its own it is used by that; else all its uses are misspelled alike.
            edits: [span, ...(item.alias ? [] : uses(item.name.text).map((use) => ({ file, ...use })))].map(
              (place) => ({
                span: place,
                text,
              }),
            ),
          })),
        });
      }
    }
  }
}

function declare(
  file: string,
  decl: ModuleDecl,
  imported: ReadonlyMap<string, SourceSpan>,
  scope: Scope,
  modules: Map<string, ModuleInfo>,
  reporter: Reporter,
): void {
  const name = decl.name.text;
  if (name === "") return;
  const span = { file, ...decl.name.span };
  const before = scope.own(name);
  if (before) {
    const there = imported.get(name);
    const first = there ? { span: there, text: "imported here" } : { span: before.span, text: "declared here before" };
    reporter.report("MOE2005", { name }, span, { labels: first.span ? [{ span: first.span, text: first.text }] : [] });
    return;
  }
  const info: ModuleInfo = { decl, file, scope, names: () => identifiersIn(decl) };
  modules.set(name, info);
  scope.define(name, {
    value: () => ({ kind: "declaration", info }),
    span,
    ...(decl.doc === undefined ? {} : { doc: decl.doc }),
  });
}

/** The names of a file's declarations that are written `name`. */
function usesOf(tree: SourceFile, name: string): readonly Span[] {
  const found: Span[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === "object" && value !== null) {
      const node = value as Partial<Identifier>;
      if (node.kind === "identifier" && node.text === name && node.span) found.push(node.span);
      else Object.values(value).forEach(visit);
    }
  };
  visit(tree.declarations);
  // The list of a short form's parameters is in the tree twice.
  return found.filter((span, index) => found.findIndex((other) => other.start === span.start) === index);
}

/** Tests are told apart by their names. */
function isNewTest(file: string, test: TestDecl, before: readonly TestDecl[], reporter: Reporter): boolean {
  const same = before.find((other) => other.name.value === test.name.value);
  if (same) {
    const labels = [{ span: { file, ...same.name.span }, text: "declared here before" }];
    reporter.report("MOE2005", { name: test.name.value }, { file, ...test.name.span }, { labels });
  }
  return !same;
}

export function baseName(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}
