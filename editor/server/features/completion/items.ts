/** Completion items of each sort. */
import { CompletionItemKind, InsertTextFormat, type CompletionItem } from "vscode-languageserver";
import { builtins } from "../../../../compiler/1-check/index.js";
import { TOKENS, type TokenEntry } from "../../../../grammar/index.js";
import type { NameSymbol, SymbolKind } from "../../names/index.js";
import { signatureOf, withPaperLinks } from "../../show.js";
import type { Workspace } from "../../workspace.js";
import { code, markdown } from "../hover.js";

const KINDS: Readonly<Record<SymbolKind, CompletionItemKind>> = {
  declaration: CompletionItemKind.Class,
  alias: CompletionItemKind.Class,
  axis: CompletionItemKind.TypeParameter,
  parameter: CompletionItemKind.Variable,
  param: CompletionItemKind.Field,
  state: CompletionItemKind.Field,
  knob: CompletionItemKind.Property,
  use: CompletionItemKind.Module,
  stack: CompletionItemKind.Module,
  schedule: CompletionItemKind.Property,
  let: CompletionItemKind.Variable,
  method: CompletionItemKind.Method,
  index: CompletionItemKind.Variable,
  carry: CompletionItemKind.Variable,
};

/** Nearer things first: names of the body, of the file, of the language, of the library. */
export type Rank = 0 | 1 | 2 | 3 | 4;

export function symbolItem(workspace: Workspace, symbol: NameSymbol, rank: Rank): CompletionItem {
  const real = symbol.target ?? symbol;
  return {
    label: symbol.name,
    kind: KINDS[real.kind],
    ...descriptionOf(workspace, real),
    sortText: `${rank}${symbol.name}`,
  };
}

type Description = Pick<CompletionItem, "detail" | "documentation">;

/** A symbol is made anew when its file changes; those of the library, some hundreds in each list, last. */
const descriptions = new WeakMap<NameSymbol, Description>();

function descriptionOf(workspace: Workspace, symbol: NameSymbol): Description {
  const known = descriptions.get(symbol);
  if (known) return known;
  const detail = signatureOf(workspace, symbol);
  const doc = symbol.doc === undefined ? "" : withPaperLinks(symbol.doc);
  const made = { detail, documentation: markdown([code(detail), doc]) };
  descriptions.set(symbol, made);
  return made;
}

const functions: readonly CompletionItem[] = [...builtins.values()].map((builtin) => ({
  label: builtin.name,
  kind: CompletionItemKind.Function,
  detail: builtin.signature,
  documentation: markdown([code(builtin.signature), builtin.doc]),
  sortText: `3${builtin.name}`,
}));

export const builtinItems = (): readonly CompletionItem[] => functions;

export function keywordItems(words: readonly string[], rank: Rank = 2): CompletionItem[] {
  const entries: readonly TokenEntry[] = TOKENS;
  return words.flatMap((label) => {
    const entry = entries.find(({ pattern, category }) => category === "keyword" && pattern === label);
    if (!entry) return [];
    return [
      { label, kind: CompletionItemKind.Keyword, documentation: markdown([entry.doc]), sortText: `${rank}${label}` },
    ];
  });
}

/** A name of an argument: `over: `. */
export function argumentItem(name: string, detail: string): CompletionItem {
  return {
    label: `${name}:`,
    filterText: name,
    insertText: `${name}: `,
    kind: CompletionItemKind.Property,
    detail,
    sortText: `0${name}`,
  };
}

export function snippetItem(label: string, body: string, doc: string): CompletionItem {
  return {
    label,
    kind: CompletionItemKind.Snippet,
    insertText: body,
    insertTextFormat: InsertTextFormat.Snippet,
    documentation: markdown([doc]),
    sortText: `1${label}`,
  };
}
