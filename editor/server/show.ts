/** Symbols and numbers as text for hovers and lists. */
import { headOf } from "../../grammar/index.js";
import type { ModuleDecl } from "../../grammar/tree.js";
import type { NameSymbol } from "./names/index.js";
import type { Workspace } from "./workspace.js";

/** What a symbol is, in one line of the language. */
export function signatureOf(workspace: Workspace, symbol: NameSymbol, type?: string): string {
  const written = workspace.text(symbol.whole.file).slice(symbol.whole);
  const [line] = written.split("\n");
  switch (symbol.kind) {
    case "declaration":
      return declarationText(symbol.decl!, workspace.text(symbol.span.file).text);
    case "alias":
      return symbol.target ? signatureOf(workspace, symbol.target) : symbol.name;
    case "param":
    case "state":
    case "knob":
    case "use":
    case "stack":
    case "schedule":
      return line!.replace(/\s*\{$/, "");
    case "axis":
      return symbol.implicit ? `axis ${symbol.name}` : `axis ${written.replace(/^axis\s+/, "")}`;
    case "parameter":
    case "carry":
    case "index":
      return type === undefined || written.includes(":") ? written : `${written}: ${type}`;
    case "let":
      return `let ${symbol.name}${type === undefined ? "" : `: ${type}`}`;
    case "method":
      return line!.replace(/\s*=>.*$/, "");
    default:
      return symbol.kind satisfies never;
  }
}

/** The head of a declaration, with what it is another name for. */
function declarationText(decl: ModuleDecl, text: string): string {
  const { value } = decl;
  const short = value && value.kind !== "lambda" ? ` = ${text.slice(value.span.start, value.span.end)}` : "";
  return headOf(decl, text) + short;
}

/** Links to the papers that a text names: `arXiv:2002.05202`. */
export function withPaperLinks(text: string): string {
  return text.replace(/arXiv:(\d{4}\.\d{4,5})/g, "[arXiv:$1](https://arxiv.org/abs/$1)");
}

/** `15.2 MiB`. */
export function bytesText(bytes: number): string {
  return scaled(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
}

/** `7.6 M`. */
export function countText(count: number): string {
  return scaled(count, 1000, ["", "k", "M", "G", "T"]);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (rest >= base && unit < units.length - 1) {
    rest /= base;
    unit++;
  }
  const digits = unit === 0 || rest >= 100 ? String(Math.round(rest)) : rest.toFixed(1);
  return `${digits} ${units[unit]!}`.trim();
}
