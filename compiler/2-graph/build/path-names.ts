/** What a checkpoint calls the parameters of a model that gives no names: their own paths. */
import type { StoredValue } from "../../1-check/emitter.js";
import type { WeightSource } from "../ir.js";

/** Index names in patterns, outermost stack first. */
const LETTERS = ["i", "j", "k", "l"];

/** By path of each parameter its tensor: `layers.{i}.norm.weight`, one for each layer, with all experts of a bank. */
export function pathNames(params: readonly StoredValue[]): Readonly<Record<string, WeightSource>> {
  return Object.fromEntries(params.map((param) => [param.path, { pattern: patternOf(param) }]));
}

function patternOf({ path, repetitions }: StoredValue): string {
  const layers = repetitions.flatMap((repetition) => repetition.layers ?? []);
  // From the innermost stack outwards, so that the places before it stay where they are.
  return layers.reduceRight((name, { stack, first, step }, depth) => {
    const behind = name.slice(stack.length);
    // `layers.3.attn.q` has its number already: that of the first turn.
    const own = first === undefined ? /^\.(\d+)/.exec(behind) : null;
    const from = Number(own?.[1] ?? first ?? 0);
    const index = `${LETTERS[depth]}${step === 1 ? "" : `*${step}`}${from === 0 ? "" : `+${from}`}`;
    return `${stack}.{${index}}${behind.slice(own?.[0].length ?? 0)}`;
  }, path);
}
