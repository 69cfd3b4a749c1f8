/** Which machine a kernel is written for: a GPU shares the work among threads, a CPU among the lanes of a vector. */
import type { KernelBuilder, BufferHandle } from "../../../compiler/4-schedule/kernel-builder.js";
import { add, fma, mul, reduce, splat, sub, rem } from "../../../compiler/4-schedule/kernel-expressions.js";
import type { Expression } from "../../../compiler/4-schedule/kernel-ir.js";

export interface Variant {
  readonly threads: number;
  /** Lanes of an f32 vector; 1 where threads replace vectors. */
  readonly lanes: number;
}

export interface Row {
  readonly buffer: BufferHandle;
  /** Index of its first element. */
  readonly start: Expression;
}

/**
 * Sums of products of rows with one row, all of the same length: vectors first, then the rest one by one. Every left row
 * has an accumulator, so the right row is read once.
 */
export function dots(
  k: KernelBuilder,
  lanes: number,
  lefts: readonly Row[],
  rights: readonly Row[],
  length: Expression,
): readonly (readonly Expression[])[] {
  const pairs = rights.map(() => lefts.map(() => k.variable("sum", splat(0, lanes))));
  const whole = lanes === 1 ? length : k.let("whole", sub(length, rem(length, lanes)));
  const load = ({ buffer, start }: Row, i: Expression, width: number): Expression =>
    k.let("x", k.load(buffer, add(start, i), { lanes: width }));
  k.loop("i", 0, whole, lanes, (i) => {
    const left = lefts.map((row) => load(row, i, lanes));
    rights.forEach((row, r) => {
      const right = load(row, i, lanes);
      pairs[r]!.forEach((sum, l) => sum.set(fma(left[l]!, right, sum.get)));
    });
  });
  const sums = pairs.map((row) => row.map((sum) => k.variable("total", reduce("add", sum.get))));
  if (lanes > 1) {
    k.loop("i", whole, length, 1, (i) => {
      const left = lefts.map((row) => load(row, i, 1));
      rights.forEach((row, r) => {
        const right = load(row, i, 1);
        sums[r]!.forEach((sum, l) => sum.set(fma(left[l]!, right, sum.get)));
      });
    });
  }
  return sums.map((row) => row.map((sum) => sum.get));
}

/** x[i] with i = row * width + column. */
export const at = (row: Expression, width: Expression, column: Expression): Expression => add(mul(row, width), column);
