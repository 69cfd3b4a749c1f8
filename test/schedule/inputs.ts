/** Numbers for the inputs of an entry and for what has a name. */
import type { Program } from "../../compiler/2-graph/ir.js";
import type { DType } from "../../compiler/ops/types.js";

/** A whole number from 0 that belongs to a text: seeds by names. */
export function seedOf(text: string, { start = 7, below = 65521 } = {}): number {
  return [...text].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % below, start);
}

export interface WantedInput {
  readonly name: string;
  readonly position: number;
  readonly count: number;
  readonly dtype: DType;
}

/** Values of all inputs of an entry for a call of these sizes. */
export function entryInputs(
  program: Program,
  entry: number,
  sizes: Readonly<Record<string, number>>,
  valuesOf: (input: WantedInput) => readonly number[],
): Readonly<Record<string, readonly number[]>> {
  const { inputs, body } = program.entries[entry]!;
  return Object.fromEntries(
    inputs.map((name, position) => {
      const { type } = body.params[position]!;
      if (type.kind !== "tensor") throw new Error("an entry takes no routes");
      const count = type.axes.reduce((product, { size }) => product * size.evaluate(sizes), 1);
      return [name, valuesOf({ name, position, count, dtype: type.dtype })];
    }),
  );
}
