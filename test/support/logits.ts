/** Logits of the example on a GPU and on the interpreter, which runs the same kernels. */
import { expect } from "vitest";
import type { Model } from "../../runtime/model/model.js";

/** Compares them, and sees that the GPU tells the routes of two experts for each token in each of four layers. */
export async function expectLogits(gpu: Model, interpreted: Model, tokens: readonly number[]): Promise<void> {
  const traced = await gpu.call("forward", { tokens }, { trace: true });
  const plain = await interpreted.call("forward", { tokens });
  const [found, expected] = [traced, plain].map(({ outputs }) => Array.from(Object.values(outputs)[0]!.data));
  const rms = (at: (i: number) => number): number =>
    Math.sqrt(expected!.reduce((sum, _, i) => sum + at(i) ** 2, 0) / expected!.length);
  // A GPU may round a * b + c once where the interpreter rounds twice: half an ulp for each of 256 terms, in seven
  // products behind one another of each of four layers and one at the end.
  const bound = (4 * 7 + 1) * 256 * 2 ** -24;
  expect(rms((i) => found![i]! - expected![i]!)).toBeLessThanOrEqual(bound * rms((i) => expected![i]!));
  expect(traced.routes[0]!.index).toHaveLength(4 * tokens.length * 2);
}
