/**
 * What a well-formed file imports and declares, found without parsing it: enough to know where a name comes from. A
 * library of thousands of lines is read this way, and only the files that a program takes something from are parsed.
 */
import { CONTRACTS, type Identifier, type ImportDecl, type Span } from "./tree.js";

export interface Outline {
  readonly imports: readonly ImportDecl[];
  /** Names of the declarations, in order; tests have none. */
  readonly names: readonly string[];
  /** Where each declaration lies, with its documentation: enough text to parse it alone. */
  readonly pieces: ReadonlyMap<string, Span>;
}

/** Files of a library begin their declarations at the line's first column, as the formatter writes them. */
const IMPORT = /^import\s*\{([^}]*)\}\s*from\s*"([^"\n]*)"/gm;
const ITEM = new RegExp(`^(?:(?:${CONTRACTS.join("|")})\\s+([A-Za-z_]\\w*)|test\\b|import\\b)`, "gm");
const IMPORTED = /([A-Za-z_]\w*)(?:(\s+as\s+)([A-Za-z_]\w*))?/g;

/** @param text A file as the formatter writes it. */
export function outline(text: string): Outline {
  const plain = text.includes("/*") ? text.replace(/\/\*[^]*?\*\//g, (comment) => " ".repeat(comment.length)) : text;
  const items = [...plain.matchAll(ITEM)].map((match) => ({ name: match[1], start: aboveDoc(plain, match.index) }));
  const names: string[] = [];
  const pieces = new Map<string, Span>();
  for (const [index, { name, start }] of items.entries()) {
    if (name === undefined) continue;
    names.push(name);
    // Of two declarations of one name the first one counts.
    if (!pieces.has(name)) pieces.set(name, { start, end: items[index + 1]?.start ?? text.length });
  }
  return { imports: [...plain.matchAll(IMPORT)].map(importOf), names, pieces };
}

/** Where the documentation above a line begins; the line itself when it has none. */
function aboveDoc(text: string, line: number): number {
  let start = line;
  while (start > 0) {
    const above = text.lastIndexOf("\n", start - 2) + 1;
    if (!text.startsWith("///", above)) break;
    start = above;
  }
  return start;
}

function importOf(match: RegExpExecArray | RegExpMatchArray): ImportDecl {
  const start = match.index!;
  const end = start + match[0].length;
  const list = start + match[0].indexOf("{") + 1;
  const names = [...match[1]!.matchAll(IMPORTED)].map((item) => {
    const at = list + item.index;
    const name = identifier(item[1]!, at);
    const alias = item[3] === undefined ? undefined : identifier(item[3], at + item[1]!.length + item[2]!.length);
    return {
      kind: "import-name" as const,
      name,
      ...(alias ? { alias } : {}),
      span: { start: at, end: at + item[0].length },
    };
  });
  const from = { start: end - match[2]!.length - 2, end };
  return {
    kind: "import",
    names,
    from: { kind: "string", value: match[2]!, span: from },
    span: { start, end },
  };
}

function identifier(text: string, start: number): Identifier {
  return { kind: "identifier", text, span: { start, end: start + text.length } };
}
