/** Which of the stacks around a use a state belongs to. */
import type { StateDecl } from "./ir.js";

/**
 * Of the turns of stacks around, outermost first, those that choose the piece of a state: of the stacks that hold it, by
 * its path, where paths say so (a module with layers of its own may be called from the layers of another stack), else the
 * outermost ones.
 */
export function layersOf<Turn extends { readonly stack: string }>(
  { path, layerAxes }: StateDecl,
  turns: readonly Turn[],
): readonly Turn[] {
  const holding = turns.filter(({ stack }) => path.startsWith(`${stack}.`));
  return (holding.length >= layerAxes ? holding : turns).slice(0, layerAxes);
}
