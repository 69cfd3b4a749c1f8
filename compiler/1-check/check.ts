/** Checks a project: all files that the root imports, each declaration by itself, all errors in order. */
import type { Declaration } from "../../grammar/tree.js";
import type { Diagnostic } from "../errors/diagnostic.js";
import { divisorsOf, rememberDivisors } from "./assumptions.js";
import { inheritMemory } from "./call-memory.js";
import { checkModule } from "./check-module.js";
import { checkTest } from "./check-test.js";
import { offerImports } from "./library-imports.js";
import { keepHelpfulFixes } from "./fixes.js";
import { FileInfo, InfoSink, LazyInfo, type Info, type InfoPart } from "./info.js";
import { LibraryFile } from "./library-file.js";
import { isSyntax, Loader, type LoadedFile, type SourceHost } from "./project.js";
import {
  DeclarationKeys,
  declarationKeys,
  declarationName,
  Moved,
  type DeclarationResult,
  type DeclarationResults,
} from "./reuse.js";
import type { Finding } from "./reporter.js";

export interface CheckOptions {
  /** An earlier result: files that did not change, and whose imports did not, are not checked again. */
  readonly previous?: CheckedProject;
  /** Candidate fixes are kept without trying them, and no imports are offered. For the trials themselves. */
  readonly keepAllFixes?: boolean;
}

export interface CheckedFile extends LoadedFile {
  /** Everything wrong in this file, in source order. */
  readonly all: readonly Diagnostic[];
  readonly info: FileInfo;
  /** False for a file of the library that is only used. */
  readonly checked: boolean;
  /** By declaration, for the next check. */
  readonly results: DeclarationResults;
}

export interface CheckedProject {
  readonly root: string;
  readonly files: ReadonlyMap<string, CheckedFile>;
  /** Of all files, the root first. */
  readonly diagnostics: readonly Diagnostic[];
  /** Types and definitions by place, for editors. */
  info(file: string): FileInfo | undefined;
}

/**
 * Checks `root` and everything it imports. Never throws for what a file says; a root that cannot be read is MOE2002.
 */
export function check(root: string, host: SourceHost, options: CheckOptions = {}): CheckedProject {
  const loader = new Loader(host, options.previous?.files);
  const loaded = loader.load(root, false);
  if (!loaded) return unreadable(root);
  const files = new Map<string, CheckedFile>();
  for (const file of loader.files.values()) {
    if (file instanceof LibraryFile && file.file !== root) {
      files.set(file.file, file);
      continue;
    }
    const before = options.previous?.files.get(file.file);
    files.set(
      file.file,
      before && before.key === file.key && before.text === file.text && (before.checked || file.file !== root)
        ? before
        : checkFile(file, file.file === root, before, keysIn(loader.files)),
    );
  }
  const checked = files.get(root)!;
  const all = options.keepAllFixes ? checked.all : offerImports(checked.all, checked, host);
  const own = all === checked.all ? checked : { ...checked, all };
  files.set(root, own);
  const ordered = [own, ...[...files.values()].filter((file) => file !== own)];
  const project: CheckedProject = {
    root,
    files,
    diagnostics: ordered.flatMap((file) => file.all),
    info: (file) => files.get(file)?.info,
  };
  return options.keepAllFixes ? project : keepHelpfulFixes(project, host);
}

function unreadable(root: string): CheckedProject {
  const span = { file: root, start: 0, end: 0 };
  const diagnostic: Diagnostic = {
    code: "MOE2002",
    severity: "error",
    message: `can't read \`${root}\``,
    span,
    labels: [],
    fixes: [],
  };
  return { root, files: new Map(), diagnostics: [diagnostic], info: () => undefined };
}

/** Keeps the files and nothing else alive, for keys that are asked for later. */
function keysIn(files: ReadonlyMap<string, LoadedFile>): (imported: string) => string {
  return (name) => files.get(name)?.key ?? "";
}

function checkFile(
  file: LoadedFile,
  isRoot: boolean,
  before: CheckedFile | undefined,
  keyOf: (imported: string) => string,
): CheckedFile {
  inheritDivisors(file, before);
  const parts: InfoPart[] = [];
  const findings: Finding[] = [];
  const results = new Map<string, DeclarationResult>();
  // The library is checked by its own tests; its users pay only for what they use.
  if (isRoot || !file.library) {
    // A first check compares with nothing: its keys are for the next one, if that comes.
    const keys = new DeclarationKeys(() => declarationKeys(file, keyOf));
    const moved = before && new Moved(file.file, before.tree.declarations, file.tree.declarations);
    for (const [name, module] of file.modules) {
      const known = before?.modules.get(name);
      const old = known && before?.results.get(name);
      if (old && moved && old.key() === keys.of(name)()) inheritMemory(known, module, moved);
    }
    for (const declaration of file.tree.declarations) {
      // What could not be read has been complained about; guessing at its meaning would only add noise.
      if (file.diagnostics.some((diagnostic) => isSyntaxIn(diagnostic, declaration.span))) continue;
      const name = declarationName(declaration);
      const old = results.has(name) ? undefined : before?.results.get(name);
      const result =
        old && moved && old.key() === keys.of(name)()
          ? moved.result(old, () => infoOf(file, declaration))
          : checkDeclaration(file, declaration, keys.of(name));
      // Of two declarations of one name the first one counts.
      if (!results.has(name)) results.set(name, result);
      findings.push(...result.findings);
      parts.push({ span: declaration.span, info: result.info });
    }
  }
  const all = [...file.diagnostics, ...withoutEchoes(findings, file)].sort(bySpan);
  return { ...file, all, info: new FileInfo(parts), checked: isRoot || !file.library, results };
}

function checkDeclaration(file: LoadedFile, declaration: Declaration, key: () => string): DeclarationResult {
  const findings = findingsOf(file, declaration, undefined);
  return { key, findings, info: new LazyInfo(() => infoOf(file, declaration)) };
}

function findingsOf(file: LoadedFile, declaration: Declaration, info: InfoSink | undefined): readonly Finding[] {
  if (declaration.kind === "test") return checkTest(file, declaration, info);
  const module = file.modules.get(declaration.name.text);
  // A second declaration of a name has been complained about.
  return module?.decl === declaration ? checkModule(module, info).findings : [];
}

function infoOf(file: LoadedFile, declaration: Declaration): Info {
  const info = new InfoSink(file.file);
  findingsOf(file, declaration, info);
  return info;
}

/** What a declaration of this name divided before an edit it most likely still does: one walk less. */
function inheritDivisors(file: LoadedFile, before: CheckedFile | undefined): void {
  for (const [name, info] of file.modules) {
    const old = before?.modules.get(name);
    const divisors = old && divisorsOf(old.decl);
    if (divisors && !divisorsOf(info.decl)) rememberDivisors(info.decl, divisors);
  }
}

function isSyntaxIn(diagnostic: Diagnostic, span: { readonly start: number; readonly end: number }): boolean {
  return isSyntax(diagnostic) && span.start <= diagnostic.span.start && diagnostic.span.start <= span.end;
}

/** A call into a declaration that has errors of its own repeats them: these are dropped. */
function withoutEchoes(findings: readonly Finding[], { file, tree }: LoadedFile): readonly Diagnostic[] {
  const direct = findings.filter((finding) => !finding.inner).map((finding) => finding.diagnostic.span);
  const broken = tree.declarations.filter(({ span }) =>
    direct.some((other) => other.file === file && span.start <= other.start && other.start <= span.end),
  );
  const kept = findings.filter(
    ({ inner }) =>
      inner?.file !== file || !broken.some(({ span }) => span.start <= inner.start && inner.start <= span.end),
  );
  const seen = new Set<string>();
  return kept
    .filter(({ diagnostic, inner }) => {
      // A circle of calls is one mistake, wherever one enters it.
      if (diagnostic.code === "MOE2116") {
        if (seen.has("circle")) return false;
        seen.add("circle");
      }
      const key = inner
        ? `${diagnostic.span.start}`
        : `${diagnostic.code} ${diagnostic.span.start} ${diagnostic.span.end}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .map(({ diagnostic }) => diagnostic);
}

function bySpan(a: Diagnostic, b: Diagnostic): number {
  return a.span.start - b.span.start || a.span.end - b.span.end;
}
