/** Symbols and numbers as text for hovers and lists. */
import type { ModuleDecl } from "../../grammar/tree.js";
import type { NameSymbol } from "./names/index.js";
import type { Workspace } from "./workspace.js";

/** `router TopK[D, E](k: int = 2)`: the declaration as written, up to its body. */
export function headerOf(workspace: Workspace, decl: ModuleDecl, file: string): string {
  const text = workspace.text(file).text;
  const last = decl.params.at(-1) ?? decl.axes.at(-1) ?? decl.name;
  let end = last.span.end;
  // The bracket that closes the list belongs to the header.
  const closing = /^[\s,]*([\])])/.exec(text.slice(end));
  if (closing && last !== decl.name) end += closing[0].length;
  const rest = decl.batchDependent ? " batch dependent" : "";
  const short =
    decl.value && decl.value.kind !== "lambda" ? ` = ${text.slice(decl.value.span.start, decl.value.span.end)}` : "";
  return text.slice(decl.span.start, end).replace(/\s+/g, " ") + rest + short;
}

/** What a symbol is, in one line of the language. */
export function signatureOf(workspace: Workspace, symbol: NameSymbol, type?: string): string {
  const written = workspace.text(symbol.whole.file).slice(symbol.whole);
  const [line] = written.split("\n");
  switch (symbol.kind) {
    case "declaration":
      return headerOf(workspace, symbol.decl!, symbol.span.file);
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
