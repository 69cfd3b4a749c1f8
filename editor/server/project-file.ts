/**
 * `moec.yaml` in an editor. What the file may say is the command line's to know; it is handed in as a check and a JSON
 * Schema, so that the server has no list of keys of its own.
 */
import {
  CompletionItemKind,
  type CompletionItem,
  type Diagnostic as Shown,
  type Hover,
  type Position,
} from "vscode-languageserver";
import type { Diagnostic } from "../../compiler/errors/diagnostic.js";
import { Text, wordAt } from "./text.js";

/** A JSON Schema as far as keys and choices go. */
export interface ProjectSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, ProjectSchema>>;
  readonly items?: ProjectSchema;
}

export interface ProjectFiles {
  readonly check: (text: string, file: string) => readonly Diagnostic[];
  readonly schema: ProjectSchema;
}

export function isProjectFile(uri: string): boolean {
  return /(?:^|\/)moec\.ya?ml$/.test(uri);
}

/** What is wrong with the file, at the place of the wrong key or value. */
export function projectDiagnostics(
  { check }: ProjectFiles,
  source: string,
  file: string,
  show: (diagnostic: Diagnostic, text: Text) => Shown,
): Shown[] {
  const text = new Text(source);
  return check(source, file).map((diagnostic) => show(diagnostic, text));
}

const indentOf = (line: string): number => /^ */.exec(line)![0].length;
const keyOf = (line: string): string | undefined => /^\s*([A-Za-z]\w*)\s*:/.exec(line)?.[1];

/** The schema of the object that a line stands in, found by the keys above that are less indented. */
function around({ schema }: ProjectFiles, lines: readonly string[], line: number): ProjectSchema | undefined {
  const path: string[] = [];
  let indent = indentOf(lines[line] ?? "");
  for (let at = line - 1; at >= 0 && indent > 0; at--) {
    const key = keyOf(lines[at]!);
    if (key === undefined || indentOf(lines[at]!) >= indent) continue;
    path.unshift(key);
    indent = indentOf(lines[at]!);
  }
  return path.reduce<ProjectSchema | undefined>((inner, key) => inner?.properties?.[key], schema);
}

/** Keys that are not there yet, or the values that a key may have. */
export function projectCompletion(
  files: ProjectFiles,
  source: string,
  { line, character }: Position,
): CompletionItem[] {
  const lines = source.split("\n");
  const before = (lines[line] ?? "").slice(0, character);
  const object = around(files, lines, line);
  const value = /^\s*([A-Za-z]\w*)\s*:\s/.exec(before);
  if (value) {
    const found = object?.properties?.[value[1]!];
    const inList = /:\s*\[[^\]]*$/.test(before);
    return ((inList ? found?.items : found)?.enum ?? []).map((label) => ({
      label,
      kind: CompletionItemKind.EnumMember,
    }));
  }
  if (/^\s*-\s/.test(before)) {
    return (object?.items?.enum ?? []).map((label) => ({ label, kind: CompletionItemKind.EnumMember }));
  }
  if (!/^\s*\w*$/.test(before)) return [];
  const indent = indentOf(before);
  const present = new Set(
    lines.filter((each, at) => at !== line && indentOf(each) === indent).flatMap((each) => keyOf(each) ?? []),
  );
  return Object.entries(object?.properties ?? {})
    .filter(([key]) => !present.has(key))
    .map(([key, inner]) => ({
      label: key,
      kind: CompletionItemKind.Property,
      insertText: inner.properties ? `${key}:\n${" ".repeat(indent + 2)}` : `${key}: `,
      ...(inner.description === undefined ? {} : { documentation: { kind: "markdown", value: inner.description } }),
    }));
}

/** The sentence about a key, and what it may be. */
export function projectHover(files: ProjectFiles, source: string, position: Position): Hover | null {
  const lines = source.split("\n");
  const line = lines[position.line] ?? "";
  const key = keyOf(line);
  if (key === undefined || position.character > line.indexOf(":")) return null;
  const found = around(files, lines, position.line)?.properties?.[key];
  if (!found) return null;
  const choices = found.enum ?? found.items?.enum;
  const text = new Text(source);
  const said = [
    `**${key}**`,
    found.description,
    choices && `One of ${choices.map((each) => `\`${each}\``).join(", ")}.`,
  ];
  return {
    contents: { kind: "markdown", value: said.filter(Boolean).join("\n\n") },
    range: text.range(wordAt(source, text.offset({ line: position.line, character: line.indexOf(key) }))),
  };
}
