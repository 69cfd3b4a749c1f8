/** The standard library as a list: what it declares, what is said about it, where it stands. Nothing is checked for it. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { ModuleDecl, TestDecl } from "../grammar/tree.js";
import { headOf, parse } from "../grammar/index.js";
import { packageRoot } from "./package-root.js";

/** One declaration of the library. */
export interface LibraryEntry {
  readonly name: string;
  /** The word in front of it: `router`, `expert`, … */
  readonly contract: string;
  /** The declaration as written, up to its body, on one line. */
  readonly signature: string;
  /** The whole doc comment; empty without one. */
  readonly doc: string;
  /** The first sentence of the doc comment. */
  readonly summary: string;
  /** Numbers of the papers that the doc comment names, such as `2401.04088`. */
  readonly papers: readonly string[];
  /** From the package's folder: `stdlib/routers.moe`. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** `import { TopK } from "std"`; undefined for helpers that only their own file uses. */
  readonly importLine?: string;
  /** The declaration's whole text with its doc comment. */
  readonly text: string;
  readonly decl: ModuleDecl;
}

/** A parsed file of the library. */
export interface LibraryFile {
  /** From the package's folder. */
  readonly path: string;
  readonly text: string;
  /** What the comment at the head of the file says about it; empty without one. */
  readonly about: string;
  readonly entries: readonly LibraryEntry[];
  readonly tests: readonly TestDecl[];
}

const folder = join(packageRoot, "stdlib");

/** Every `.moe` file of the library, by path. */
export function libraryFiles(): readonly LibraryFile[] {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".moe"));
  const exported = libraryNames();
  return paths.sort().map((path) => readFile(join(folder, path), exported));
}

/** Every declaration of the library. */
export const libraryEntries = (): readonly LibraryEntry[] => libraryFiles().flatMap(({ entries }) => entries);

/** What `import { … } from "std"` can name. */
export function libraryNames(): ReadonlySet<string> {
  const std = readFileSync(join(folder, "std.moe"), "utf8");
  return new Set(parse(std, "std.moe").tree.imports.flatMap(({ names }) => names.map(({ name }) => name.text)));
}

function readFile(path: string, exported: ReadonlySet<string>): LibraryFile {
  const text = readFileSync(path, "utf8");
  const file = relative(packageRoot, path).replaceAll("\\", "/");
  const { tree } = parse(text, file);
  const modules = tree.declarations.filter((decl) => decl.kind === "module");
  const head = /^(?:\/\/(?!\/).*\n)+/.exec(text)?.[0] ?? "";
  return {
    path: file,
    text,
    about: head
      .replace(/^\/\/ ?/gm, "")
      .replace(/\s+/g, " ")
      .trim(),
    entries: modules.map((decl) => entryOf(decl, text, file, exported)),
    tests: tree.declarations.filter((decl) => decl.kind === "test"),
  };
}

function entryOf(decl: ModuleDecl, text: string, file: string, exported: ReadonlySet<string>): LibraryEntry {
  const name = decl.name.text;
  const doc = decl.doc ?? "";
  const papers = [...doc.matchAll(/\b\d{4}\.\d{4,5}\b/g)].map(([number]) => number);
  return {
    name,
    contract: decl.contract,
    signature: headOf(decl, text),
    doc,
    summary: firstSentence(doc),
    papers: [...new Set(papers)],
    file,
    line: text.slice(0, decl.name.span.start).split("\n").length,
    ...(exported.has(name) ? { importLine: `import { ${name} } from "std"` } : {}),
    text: text.slice(startOfDoc(text, decl.span.start), decl.span.end),
    decl,
  };
}

/** Doc lines in front belong to the text. */
function startOfDoc(text: string, start: number): number {
  const before = /(?:^\/\/\/.*\n)+$/m.exec(text.slice(0, start));
  return before ? before.index : start;
}

/** The first sentence of a comment: up to a full stop outside of brackets that is not one of an abbreviation. */
function firstSentence(doc: string): string {
  const line = doc.replace(/\s+/g, " ").trim();
  let depth = 0;
  for (let at = 0; at < line.length; at++) {
    if ("([".includes(line[at]!)) depth++;
    else if (")]".includes(line[at]!)) depth--;
    else if (depth <= 0 && /^\.(\s|$)/.test(line.slice(at))) return line.slice(0, at + 1);
  }
  return line;
}
