/** What is under the cursor: its declaration and type with axes, its documentation and papers, what it costs. */
import { MarkupKind, type Hover, type Position } from "vscode-languageserver";
import { builtins } from "../../../compiler/1-check/index.js";
import { TOKENS, type TokenEntry } from "../../../grammar/index.js";
import type { NameSymbol, Occurrence } from "../names/index.js";
import { signatureOf, withPaperLinks } from "../show.js";
import { wordAt } from "../text.js";
import type { Workspace } from "../workspace.js";
import { costTitle, measured } from "./code-lens.js";
import { symbolAt } from "./navigation.js";
import { typeAt } from "./types.js";

export function hover(workspace: Workspace, file: string, position: Position): Hover | undefined {
  const text = workspace.text(file);
  const found = symbolAt(workspace, file, position);
  if (found) return { contents: markdown(symbolLines(workspace, found)), range: text.range(found.span) };
  const span = wordAt(text.text, text.offset(position));
  const word = text.slice(span);
  const range = text.range(span);
  if (isInComment(workspace, file, text.offset(position)) || word === "") return undefined;
  const builtin = builtins.get(word);
  if (builtin) {
    const type = typeAt(workspace, file, span);
    const result = type === undefined || type.startsWith("the function") ? [] : [`here: \`${type}\``];
    return { contents: markdown([code(builtin.signature), builtin.doc, ...result]), range };
  }
  const keyword = TOKENS.find((entry: TokenEntry) => entry.category === "keyword" && entry.pattern === word);
  return keyword && { contents: markdown([code(word), keyword.doc]), range };
}

function symbolLines(workspace: Workspace, { symbol, span }: Occurrence): readonly string[] {
  const real = symbol.target ?? symbol;
  const type = typeAt(workspace, span.file, span) ?? typeOfDeclared(workspace, real);
  const lines = [code(signatureOf(workspace, real, type))];
  if (type !== undefined && real.kind !== "let" && real.kind !== "declaration" && !type.startsWith("the axis")) {
    lines.push(`\`${type}\``);
  }
  if (real.kind === "axis") lines.push(axisOrigin(workspace, real, span.file, span));
  else if (real.container !== undefined) lines.push(`of ${contractOf(workspace, real)}\`${real.container}\``);
  if (real.doc !== undefined) lines.push(withPaperLinks(real.doc));
  const home = real.decl && workspace.load(real.span.file);
  const info = home?.diagnostics.length === 0 ? home.modules.get(real.name) : undefined;
  const cost = info && info.decl === real.decl ? costTitle(measured(info)) : undefined;
  if (cost !== undefined) lines.push(cost);
  if (symbol.target) lines.push(`imported as \`${symbol.name}\``);
  return lines;
}

/** The type of a name where it is declared: of what a `let` was given. */
function typeOfDeclared(workspace: Workspace, symbol: NameSymbol): string | undefined {
  if (!symbol.value) return undefined;
  return typeAt(workspace, symbol.span.file, { file: symbol.span.file, ...symbol.value.span });
}

function contractOf(workspace: Workspace, symbol: NameSymbol): string {
  const declared = workspace.names.names(symbol.span.file)?.exports.get(symbol.container ?? "");
  return declared?.decl ? `${declared.decl.contract} ` : "";
}

/** Where the size of an axis comes from. */
function axisOrigin(workspace: Workspace, symbol: NameSymbol, file: string, span: Occurrence["span"]): string {
  const type = typeAt(workspace, file, span);
  const size = type === undefined ? "" : ` ${type.replace(/^the axis /, "")}`;
  if (!symbol.implicit)
    return `an axis${size === ` ${symbol.name}` ? "" : size} of ${contractOf(workspace, symbol)}\`${symbol.container ?? ""}\``;
  const { line } = workspace.text(symbol.span.file).position(symbol.span.start);
  return `an axis introduced on line ${line + 1}; its size is what the input has`;
}

function isInComment(workspace: Workspace, file: string, offset: number): boolean {
  return workspace.load(file)?.tree.comments.some(({ span }) => span.start <= offset && offset < span.end) ?? false;
}

export function code(text: string): string {
  return `\`\`\`moe\n${text}\n\`\`\``;
}

export function markdown(parts: readonly string[]): { readonly kind: "markdown"; readonly value: string } {
  return { kind: MarkupKind.Markdown, value: parts.filter((part) => part !== "").join("\n\n") };
}
