/**
 * Doc comments: the unbroken run of `///` lines directly above a declaration or member is its `doc`.
 */
import type { MoeToken } from "./lexer.js";
import type { Comment } from "./tree.js";

/** A run of doc comments and the token it stands above. */
export interface DocRun {
  readonly comments: readonly Comment[];
  /** Offset of the token below. */
  readonly target: number;
  readonly text: string;
}

/** Finds the runs that stand above a token with no blank line between. */
export function docRuns(
  text: string,
  comments: readonly Comment[],
  tokens: readonly MoeToken[],
): ReadonlyMap<number, DocRun> {
  const runs = new Map<number, DocRun>();
  let at = 0;
  for (let i = 0; i < comments.length; i += 1) {
    if (comments[i]!.style !== "doc") continue;
    const run = [comments[i]!];
    while (comments[i + 1]?.style === "doc" && adjacent(text, comments[i]!.span.end, comments[i + 1]!.span.start)) {
      i += 1;
      run.push(comments[i]!);
    }
    const end = run.at(-1)!.span.end;
    while (at < tokens.length && tokens[at]!.startOffset < end) at += 1;
    const target = tokens[at];
    if (target === undefined || !adjacent(text, end, target.startOffset)) continue;
    const lines = run.map((comment) => (comment.text.startsWith(" ") ? comment.text.slice(1) : comment.text));
    runs.set(target.startOffset, { comments: run, target: target.startOffset, text: lines.join("\n") });
  }
  return runs;
}

/** Nothing but white space without a blank line. */
function adjacent(text: string, from: number, to: number): boolean {
  const between = text.slice(from, to);
  return between.trim() === "" && between.split("\n").length <= 2;
}
