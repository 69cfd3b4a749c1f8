/** Completion: what may stand at the cursor, the likeliest first, with documentation and the import it needs. */
import { CompletionItemKind, type CompletionItem, type Position } from "vscode-languageserver";
import { builtins } from "../../../../compiler/1-check/index.js";
import { CONTRACTS } from "../../../../grammar/tree.js";
import { cursorAt, expressionOf, type Cursor, type OpenBracket } from "../../cursor.js";
import { moduleOf, parametersOf, type NameSymbol } from "../../names/index.js";
import type { Workspace } from "../../workspace.js";
import { autoImports } from "../auto-import.js";
import { typedAround } from "../types.js";
import { argumentItem, builtinItems, keywordItems, symbolItem } from "./items.js";
import { declarationSnippets } from "./snippets.js";

const MEMBER_WORDS = ["param", "state", "knob", "use", "stack", "schedule", "axis", "let", "grad", "weights"];
const EXPRESSION_WORDS = ["let", "if", "fold", "scan", "train", "infer", "prefill", "decode", "true", "false", "of"];
const TYPE_NAMES = ["f32", "int", "float", "bool", "string", "uint", "routes", "cache", "csr"];

export function completion(workspace: Workspace, file: string, position: Position): CompletionItem[] {
  const { text } = workspace.text(file);
  const offset = workspace.text(file).offset(position);
  const cursor = cursorAt(text, offset, file);
  if (cursor.inComment) return [];
  if (cursor.inString) return cursor.first === "import" ? importedFiles(workspace, file) : [];
  const inner = cursor.brackets.at(-1);
  if (cursor.first === "import" && inner?.kind === "{") return exportedNames(workspace, file, text, offset);
  if (cursor.object) return members(workspace, file, text, cursor);
  if (cursor.before === "." || cursor.before === "..") return [];
  if (cursor.brackets.length === 0 && isAtLineStart(text, cursor)) {
    const starts = new Set(declarationSnippets.map(({ label }) => label));
    const rest = CONTRACTS.filter((word) => !starts.has(word));
    return [...declarationSnippets, ...keywordItems(["import", ...rest])];
  }
  const names = visible(workspace, file, offset);
  const isMember = cursor.brackets.length === 1 && inner?.kind === "{" && isAtLineStart(text, cursor);
  if (isMember && isModuleBody(text, inner)) return keywordItems(MEMBER_WORDS, 0);
  if (isTypePlace(text, cursor, inner)) return typeItems(workspace, names);
  if (inner?.kind === "(" && wantsAxes(inner.name)) return axisItems(workspace, file, text, inner, names);
  const args = inner?.kind === "(" && !inner.name ? argumentNames(workspace, file, text, inner) : [];
  const axesFirst = inner?.kind === "[" && inner.callee !== undefined;
  return [
    ...args,
    ...names.map((symbol) => symbolItem(workspace, symbol, axesFirst && symbol.kind === "axis" ? 0 : rankOf(symbol))),
    ...builtinItems(),
    ...keywordItems(EXPRESSION_WORDS),
    ...imports(workspace, file),
  ];
}

function rankOf(symbol: NameSymbol): 1 | 2 {
  return symbol.kind === "declaration" || symbol.kind === "alias" ? 2 : 1;
}

function isAtLineStart(text: string, cursor: Cursor): boolean {
  return /(^|\n)[ \t]*$/.test(text.slice(0, cursor.start));
}

/** The braces of a declaration, not those of a test or a body. */
function isModuleBody(text: string, bracket: OpenBracket): boolean {
  const line = text.slice(text.lastIndexOf("\n", bracket.open) + 1, bracket.open);
  return !line.includes("=>") && CONTRACTS.some((word) => line.startsWith(`${word} `));
}

/** Names in force, with those declared behind the cursor left out where order counts. */
function visible(workspace: Workspace, file: string, offset: number): readonly NameSymbol[] {
  const names = new Map<string, NameSymbol>();
  const { text } = workspace.text(file);
  let scope = workspace.names.names(file)?.scope.at(offset);
  for (; scope; scope = scope.parent) {
    for (const [name, symbol] of scope.names) {
      // In its own `let` a name is not there yet, nor above it.
      const isOpen = symbol.span.start < offset && !text.slice(symbol.span.end, offset).includes("\n");
      const isBehind = symbol.span.start > offset;
      const isHidden = symbol.kind === "let" && scope.start > 0 && (isOpen || isBehind);
      if (!names.has(name) && !isHidden) names.set(name, symbol);
    }
  }
  return [...names.values()];
}

function importedFiles(workspace: Workspace, file: string): CompletionItem[] {
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  const near = workspace.allFiles().filter((other) => other !== file && other.startsWith(folder));
  const labels = ["std", ...near.map((other) => `./${other.slice(folder.length)}`)];
  return labels.map((label) => ({ label, kind: CompletionItemKind.File }));
}

/** Inside `import { … }`: what the named file has, or the library when no file is named yet. */
function exportedNames(workspace: Workspace, file: string, text: string, offset: number): CompletionItem[] {
  const rest = text.slice(offset, text.indexOf("\n", offset) < 0 ? undefined : text.indexOf("\n", offset));
  const from = /from\s*"([^"]*)"/.exec(rest)?.[1] ?? "std";
  const names = workspace.names.names(workspace.host.resolve(file, from))?.exports;
  return [...(names?.values() ?? [])].map((symbol) => symbolItem(workspace, symbol, 1));
}

function members(workspace: Workspace, file: string, text: string, cursor: Cursor): CompletionItem[] {
  const object = expressionOf(text, cursor.object!);
  const module = object && moduleOf(workspace.names, object, file);
  const found = module && workspace.names.names(module.file)?.members.get(module.decl);
  return [...(found?.values() ?? [])]
    .filter(({ kind }) => kind !== "axis")
    .map((symbol) => symbolItem(workspace, symbol, 1));
}

function isTypePlace(text: string, cursor: Cursor, inner: OpenBracket | undefined): boolean {
  if (cursor.before !== ":") return false;
  if (["param", "state", "knob", "let"].includes(cursor.first) && inner?.kind !== "(") return true;
  if (inner?.kind !== "(") return false;
  // Parameters of a declaration or a method, not arguments of a call.
  const line = text.slice(text.lastIndexOf("\n", inner.open) + 1, inner.open);
  const around = cursor.brackets.at(-2);
  const isMethod = around?.kind === "{" && isModuleBody(text, around) && /^\s*\w*\s*$/.test(line);
  return isMethod || CONTRACTS.some((word) => line.startsWith(`${word} `) && !line.includes("=>"));
}

function typeItems(workspace: Workspace, names: readonly NameSymbol[]): CompletionItem[] {
  const types = [...TYPE_NAMES, "mask", "router", "expert", "block", "matrix"];
  return [
    ...types.map((label) => ({ label, kind: CompletionItemKind.Struct, sortText: `0${label}` })),
    ...names.filter(({ kind }) => kind === "declaration").map((symbol) => symbolItem(workspace, symbol, 1)),
  ];
}

function wantsAxes(name: string | undefined): boolean {
  return name === "over" || name === "axis";
}

/** Axes of the value that the call works on, as far as its type is known; else all axes in force. */
function axisItems(
  workspace: Workspace,
  file: string,
  text: string,
  call: OpenBracket,
  names: readonly NameSymbol[],
): CompletionItem[] {
  const start = call.open + 1 + /^\s*/.exec(text.slice(call.open + 1))![0].length;
  const type = typedAround(workspace, file, start)?.type() ?? "";
  const listed =
    /\[([^\]]*)\]/
      .exec(type)?.[1]
      ?.split(",")
      .map((axis) => axis.trim().split(" ")[0]!) ?? [];
  const own = listed.map((label) => ({
    label,
    kind: CompletionItemKind.TypeParameter,
    detail: `an axis of ${type}`,
    sortText: `0${label}`,
  }));
  const others = names.filter(({ kind, name }) => kind === "axis" && !listed.includes(name));
  return [...own, ...others.map((symbol) => symbolItem(workspace, symbol, 1))];
}

function argumentNames(workspace: Workspace, file: string, text: string, call: OpenBracket): CompletionItem[] {
  if (!call.callee) return [];
  const callee = expressionOf(text, call.callee);
  const fresh = (name: string): boolean => !call.named.includes(name);
  const module = callee && moduleOf(workspace.names, callee, file);
  if (module) {
    const source = workspace.text(module.file);
    return parametersOf(module)
      .filter(({ name }) => fresh(name.text))
      .map((param) => argumentItem(param.name.text, source.slice(param.span)));
  }
  const builtin = callee?.kind === "name" ? builtins.get(callee.name.text) : undefined;
  return (builtin?.params ?? [])
    .filter(({ name }) => fresh(name))
    .map(({ name, optional }) => argumentItem(name, optional ? "optional" : "required"));
}

function imports(workspace: Workspace, file: string): CompletionItem[] {
  return autoImports(workspace, file).map(({ symbol, from, edits }) => ({
    ...symbolItem(workspace, symbol, 4),
    additionalTextEdits: [...edits],
    labelDetails: { description: from },
  }));
}
