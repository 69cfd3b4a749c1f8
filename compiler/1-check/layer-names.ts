/**
 * What lies inside a stack, by the numbers of its layers: `layers.{i}.norm.weight` for all of them, `{i+3}` in a run that
 * starts at layer 3, `{i*3+1}` for the second of three layers that take turns.
 */
import type { Repetition } from "./emitter.js";

/** Names of the turns in patterns, outermost stack first. */
const LETTERS = ["i", "j", "k", "l"];

/**
 * The path with a place for the number of each layer around it.
 *
 * @param repetitions What is around it, outermost first; banks and stacks that the path does not lie in add nothing.
 */
export function layerPattern(path: string, repetitions: readonly Repetition[]): string {
  const layers = repetitions.flatMap((repetition) => repetition.layers ?? []);
  // From the innermost stack outwards, so that the places before it stay where they are.
  return layers.reduceRight((name, { stack, first, step }, depth) => {
    if (!name.startsWith(`${stack}.`)) return name;
    const behind = name.slice(stack.length);
    // `layers.3.attn.q` has its number already: that of the first turn.
    const own = first === undefined ? /^\.(\d+)/.exec(behind) : null;
    const from = Number(own?.[1] ?? first ?? 0);
    const index = `${LETTERS[depth]}${step === 1 ? "" : `*${step}`}${from === 0 ? "" : `+${from}`}`;
    return `${stack}.{${index}}${behind.slice(own?.[0].length ?? 0)}`;
  }, path);
}

/** The name at one turn of each stack around, outermost first. Places of stacks that `turns` lacks stay as they are. */
export function layerName(pattern: string, turns: readonly number[]): string {
  return pattern.replace(
    /\{([ijkl])(?:\*(\d+))?(?:\+(\d+))?\}/g,
    (whole, letter: string, step: string | undefined, first: string | undefined) => {
      const turn = turns[LETTERS.indexOf(letter)];
      return turn === undefined ? whole : String(turn * Number(step ?? 1) + Number(first ?? 0));
    },
  );
}

/** Whether each of so many stacks around has a place in the pattern, so that no two layers are called the same. */
export function namesLayers(pattern: string, stacks: number): boolean {
  const places = [...pattern.matchAll(/\{([ijkl])[*+}]/g)].map(([, letter]) => letter);
  return places.length === stacks && LETTERS.slice(0, stacks).every((letter) => places.includes(letter));
}
