/** Texts side by side: the names of their places, and what two of them share. */
import { moecError } from "../../compiler/errors/raise.js";

/** @throws MoecError MOE5323 for a text that the model was not loaded for. */
export function textAt<T>(texts: readonly T[], text: number): T {
  const found = texts[text];
  if (found !== undefined) return found;
  const expected = `a whole number from 0 to ${texts.length - 1}; load with { texts: n } for more`;
  throw moecError("MOE5323", { name: "text", value: String(text), expected });
}

/** How many ids two texts have in common from their beginning. */
export function commonLength(a: readonly number[], b: readonly number[]): number {
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return same;
}
