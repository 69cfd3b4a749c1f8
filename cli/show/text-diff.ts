/** Changed lines of a file, in the form that `patch` and `git apply` read. */
import { createTwoFilesPatch } from "diff";
import type { Palette } from "../../compiler/errors/palette.js";

/** The lines of a unified diff from `before` to `after`; empty when they are equal. */
export function textDiff(name: string, before: string, after: string, palette: Palette): readonly string[] {
  if (before === after) return [];
  const patch = createTwoFilesPatch(`a/${name}`, `b/${name}`, before, after, undefined, undefined, {
    context: 2,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  });
  return patch
    .trimEnd()
    .split("\n")
    .map((line) => {
      if (line.startsWith("+++") || line.startsWith("---")) return palette.strong(line.trimEnd());
      if (line.startsWith("+")) return palette.added(line);
      if (line.startsWith("-")) return palette.error(line);
      return line.startsWith("@@") ? palette.dim(line) : line;
    });
}
