/**
 * Text to tree. `parse` never throws: what it cannot read becomes diagnostics and `error` expressions.
 */
import type { Diagnostic } from "../compiler/errors/diagnostic.js";
import { matchBrackets } from "./brackets.js";
import { DEPTH_LIMIT, tooDeep } from "./depth.js";
import { docRuns, type DocRun } from "./docs.js";
import { syntaxError } from "./errors.js";
import { lex } from "./lexer.js";
import { NESTING_LIMIT } from "./parser/base.js";
import { MoeParser } from "./parser/declarations.js";
import { DECLARATION_WORDS } from "./tokens.js";
import type { Comment, SourceFile, Span } from "./tree.js";

let parser: MoeParser | undefined;

/** The line of a declaration, with a word in front of it or none. */
const DECLARATION = new RegExp(`\\n(?:\\w+ )?(?:${DECLARATION_WORDS.join("|")}) `);

export interface ParseResult {
  readonly tree: SourceFile;
  /** Sorted by place. The tree is complete when there is none. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses the text of one file. */
export function parse(text: string, file: string): ParseResult {
  return parseWithDocs(text, file);
}

/** As `parse`, with the doc comments by the offset of what they stand above, for the printer. */
export function parseWithDocs(
  text: string,
  file: string,
): ParseResult & { readonly docs: ReadonlyMap<number, DocRun> } {
  parser ??= new MoeParser();
  const lexed = lex(text, file);
  const matched = matchBrackets(lexed.tokens, file);
  const docs = docRuns(text, lexed.comments, lexed.tokens);
  const texts = new Map([...docs].map(([offset, run]) => [offset, run.text]));
  const parsed = parser.parseFile({ text, file, tokens: matched.tokens, docs: texts });
  const open = matched.diagnostics.map((diagnostic) => cutByComment(diagnostic, lexed.comments, text));
  const early = [...lexed.diagnostics, ...open];
  const late = parsed.diagnostics.filter((diagnostic) => !echoes(diagnostic, early, matched.quiet, text));
  let { imports, declarations } = parsed;
  // Only a long row inside deep nesting can exceed the limit; measuring every tree would cost more than parsing it.
  if (parsed.longestRow * NESTING_LIMIT > DEPTH_LIMIT) {
    const kept: Diagnostic[] = [];
    const fits = (node: { readonly span: Span }) => {
      const span = tooDeep(node);
      if (span !== undefined) kept.push(syntaxError("MOE1010", { limit: DEPTH_LIMIT }, { file, ...span }));
      return span === undefined;
    };
    imports = imports.filter(fits);
    declarations = declarations.filter(fits);
    late.push(...kept);
  }
  const diagnostics = [...early, ...late].sort((a, b) => a.span.start - b.span.start);
  const span = { start: 0, end: text.length };
  return { tree: { kind: "file", imports, declarations, comments: lexed.comments, span }, diagnostics, docs };
}

/** A bracket that a comment on its line leaves open: who writes `D // H` means a quotient. */
function cutByComment(diagnostic: Diagnostic, comments: readonly Comment[], text: string): Diagnostic {
  const { start } = diagnostic.span;
  const cut = comments.find(({ style, span }) => style === "line" && span.start > start);
  if (diagnostic.code !== "MOE1004" || !cut || text.slice(start, cut.span.start).includes("\n")) return diagnostic;
  return { ...diagnostic, fixes: [], help: "`//` begins a comment; `floor(a / b)` rounds a quotient down" };
}

/** True when a lexical error or an unclosed bracket has already said what is wrong here. */
function echoes(diagnostic: Diagnostic, early: readonly Diagnostic[], quiet: readonly Span[], text: string): boolean {
  const { start } = diagnostic.span;
  if (quiet.some((span) => span.start <= start && start <= span.end)) return true;
  return early.some((other) => {
    if (other.span.start > start && other.code !== "MOE1005") return false;
    // A string or comment that never ends swallows what should follow, so errors up to the next declaration are its echo.
    if (other.code === "MOE1006") return !DECLARATION.test(text.slice(other.span.start, start));
    const between = text.slice(Math.min(other.span.start, start), Math.max(other.span.start, start));
    return !between.includes("\n") || (other.code === "MOE1005" && between.split("\n").length <= 2);
  });
}
