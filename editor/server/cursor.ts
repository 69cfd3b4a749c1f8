/** Where the cursor stands, told from the tokens before it: the text around may not parse while it is being typed. */
import type { Expression, Span } from "../../grammar/tree.js";
import { parse } from "../../grammar/index.js";
import { lex, type MoeToken } from "../../grammar/lexer.js";

/** The call or index whose brackets are open at the cursor. */
export interface OpenBracket {
  readonly kind: "(" | "[" | "{";
  /** What stands before the bracket: `layers.moe` of `layers.moe(`; empty for a group or a list. */
  readonly callee?: Span;
  readonly open: number;
  /** Commas passed since the bracket. */
  readonly argument: number;
  /** Names of arguments written so far. */
  readonly named: readonly string[];
  /** The name of the argument at the cursor: `over` in `over: |`. */
  readonly name?: string;
}

export interface Cursor {
  /** The word being typed, up to the cursor. */
  readonly prefix: string;
  /** Offset where the word starts. */
  readonly start: number;
  /** Text of the token before that word. */
  readonly before: string;
  /** What stands before a dot: `layers.moe` in `layers.moe.|`. */
  readonly object?: Span;
  /** Open brackets, innermost last. */
  readonly brackets: readonly OpenBracket[];
  /** First token of the line or statement and its place. */
  readonly first: string;
  readonly inComment: boolean;
  readonly inString: boolean;
}

export function cursorAt(text: string, offset: number, file: string): Cursor {
  const { tokens, comments } = lex(text.slice(0, offset), file);
  const inComment = comments.some(
    ({ span, style, text: inner }) =>
      span.end === offset && (style !== "block" || !inner.includes("*/") || text[offset - 1] !== "/"),
  );
  const last = tokens.at(-1);
  const inString = last !== undefined && /^"/.test(last.image) && !/^"(?:[^"\\]|\\.)*"$/.test(last.image);
  const isWord = last !== undefined && /^\w/.test(last.image) && endOf(last) === offset;
  const start = isWord ? last.startOffset : offset;
  const rest = isWord ? tokens.slice(0, -1) : tokens;
  const before = rest.at(-1);
  const object = before?.image === "." ? chainBefore(rest, rest.length - 1) : undefined;
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  return {
    prefix: isWord ? last.image : "",
    start,
    before: before?.image ?? "",
    ...(object ? { object } : {}),
    brackets: openBrackets(rest),
    first: tokens.find((token) => token.startOffset >= lineStart)?.image ?? "",
    inComment,
    inString,
  };
}

function endOf(token: MoeToken): number {
  return token.startOffset + token.image.length;
}

function openBrackets(tokens: readonly MoeToken[]): readonly OpenBracket[] {
  const open: { index: number; argument: number; named: string[]; from: number }[] = [];
  for (const [index, { image }] of tokens.entries()) {
    if (image === "(" || image === "[" || image === "{") open.push({ index, argument: 0, named: [], from: index });
    else if (image === ")" || image === "]" || image === "}") open.pop();
    else if (image === ",") {
      const top = open.at(-1);
      if (top) {
        top.argument++;
        top.from = index;
      }
    } else if (image === ":" && open.length > 0) open.at(-1)!.named.push(tokens[index - 1]?.image ?? "");
  }
  return open.map(({ index, argument, named, from }) => {
    const callee = chainBefore(tokens, index);
    const isNamed = tokens[from + 2]?.image === ":";
    return {
      kind: tokens[index]!.image as OpenBracket["kind"],
      ...(callee ? { callee } : {}),
      open: tokens[index]!.startOffset,
      argument,
      named,
      ...(isNamed ? { name: tokens[from + 1]!.image } : {}),
    };
  });
}

/** The chain of names, members, indices and calls that ends before token `end`. */
function chainBefore(tokens: readonly MoeToken[], end: number): Span | undefined {
  let at = end - 1;
  const last = tokens[at];
  if (!last) return undefined;
  for (;;) {
    const token = tokens[at];
    if (!token) return undefined;
    if (token.image === "]" || token.image === ")") {
      const opening = openingOf(tokens, at);
      if (opening === undefined || opening === 0) return undefined;
      at = opening - 1;
      continue;
    }
    if (!/^[A-Za-z_]/.test(token.image)) return undefined;
    if (tokens[at - 1]?.image !== ".") return { start: token.startOffset, end: endOf(last) };
    at -= 2;
  }
}

function openingOf(tokens: readonly MoeToken[], closing: number): number | undefined {
  let depth = 0;
  for (let at = closing; at >= 0; at--) {
    const { image } = tokens[at]!;
    if (image === ")" || image === "]" || image === "}") depth++;
    else if (image === "(" || image === "[" || image === "{") depth--;
    if (depth === 0) return at;
  }
  return undefined;
}

const LEAD = "fn f() => ";

/** A piece of a file as an expression, its spans those of the file. */
export function expressionOf(text: string, span: Span): Expression | undefined {
  const { tree } = parse(LEAD + text.slice(span.start, span.end), "piece.moe");
  const [declaration] = tree.declarations;
  if (declaration?.kind !== "module" || declaration.value?.kind !== "lambda") return undefined;
  return shifted(declaration.value.body, span.start - LEAD.length);
}

function shifted<N>(node: N, by: number): N {
  if (Array.isArray(node)) return node.map((item: unknown) => shifted(item, by)) as N;
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => {
    if (key !== "span" && key !== "operatorSpan") return [key, shifted<unknown>(value, by)] as const;
    const { start, end } = value as Span;
    return [key, { start: start + by, end: end + by }] as const;
  });
  return Object.fromEntries(entries) as N;
}
