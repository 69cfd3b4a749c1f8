/** The beginning of a declaration, as people know it by. */
import type { ModuleDecl } from "./tree.js";

/**
 * `router TopK[D, E](k: int = 2)`: the declaration as written, up to its body, on one line.
 *
 * @param text The file that the declaration was parsed from.
 */
export function headOf(decl: ModuleDecl, text: string): string {
  const last = decl.params.at(-1) ?? decl.axes.at(-1) ?? decl.name;
  // The bracket that closes the list belongs to the head.
  const closing = last === decl.name ? null : /^[\s,]*([\])])/.exec(text.slice(last.span.end));
  const end = last.span.end + (closing?.[0].length ?? 0);
  const head = text
    .slice(decl.span.start, end)
    .replace(/\s+/g, " ")
    .replace(/([[(]) /g, "$1")
    .replace(/,? ([\])])$/, "$1");
  return decl.batchDependent ? `${head} batch dependent` : head;
}
