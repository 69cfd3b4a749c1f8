/** Colours by meaning: axes, parameters, modules and values are told apart wherever they are written. */
import type { Range, SemanticTokens } from "vscode-languageserver";
import { builtins } from "../../../compiler/1-check/index.js";
import { lex } from "../../../grammar/lexer.js";
import type { Occurrence, SymbolKind } from "../names/index.js";
import type { Workspace } from "../workspace.js";

export const TOKEN_TYPES = [
  "class",
  "typeParameter",
  "parameter",
  "property",
  "variable",
  "function",
  "method",
] as const;
export const TOKEN_MODIFIERS = ["declaration", "readonly", "modification", "defaultLibrary"] as const;
type TokenType = (typeof TOKEN_TYPES)[number];

const TYPES: Readonly<Record<SymbolKind, TokenType>> = {
  declaration: "class",
  alias: "class",
  axis: "typeParameter",
  parameter: "parameter",
  param: "property",
  state: "property",
  knob: "property",
  use: "property",
  stack: "property",
  schedule: "property",
  let: "variable",
  method: "method",
  index: "variable",
  carry: "variable",
};

interface Token {
  readonly start: number;
  readonly length: number;
  readonly type: TokenType;
  readonly modifiers: number;
}

export function semanticTokens(workspace: Workspace, file: string, range?: Range): SemanticTokens {
  const text = workspace.text(file);
  const occurrences = workspace.names.names(file)?.occurrences ?? [];
  const taken = new Set(occurrences.map(({ span }) => span.start));
  const tokens = [...occurrences.map((each) => named(workspace, each)), ...calls(text.text, file, taken)];
  tokens.sort((a, b) => a.start - b.start);
  const from = range ? text.offset(range.start) : 0;
  const to = range ? text.offset(range.end) : text.text.length;
  const data: number[] = [];
  let before = { line: 0, character: 0 };
  let last = -1;
  for (const { start, length, type, modifiers } of tokens) {
    // A name declared twice is one token.
    if (start < from || start > to || start === last || length === 0) continue;
    last = start;
    const place = text.position(start);
    const column = place.line === before.line ? place.character - before.character : place.character;
    data.push(place.line - before.line, column, length, TOKEN_TYPES.indexOf(type), modifiers);
    before = place;
  }
  return { data };
}

function bit(modifier: (typeof TOKEN_MODIFIERS)[number]): number {
  return 1 << TOKEN_MODIFIERS.indexOf(modifier);
}

function named(workspace: Workspace, { span, symbol, role }: Occurrence): Token {
  const real = symbol.target ?? symbol;
  const isFunction = real.decl && (real.decl.contract === "fn" || real.decl.contract === "loss");
  const modifiers =
    (role === "declaration" ? bit("declaration") : 0) |
    (role === "write" ? bit("modification") : 0) |
    (workspace.host.isLibrary(real.span.file) ? bit("defaultLibrary") : 0);
  return {
    start: span.start,
    length: span.end - span.start,
    type: isFunction ? "function" : TYPES[real.kind],
    modifiers,
  };
}

/** Functions of the language where they are called. */
function calls(text: string, file: string, taken: ReadonlySet<number>): readonly Token[] {
  const { tokens } = lex(text, file);
  return tokens.flatMap((token, index) => {
    const isCall = tokens[index + 1]?.image === "(" && tokens[index - 1]?.image !== ".";
    if (!isCall || taken.has(token.startOffset) || !builtins.has(token.image)) return [];
    const modifiers = bit("defaultLibrary");
    return [{ start: token.startOffset, length: token.image.length, type: "function" as const, modifiers }];
  });
}
