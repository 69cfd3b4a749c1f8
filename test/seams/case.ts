/** One kernel with inputs and what must come out, for any machine that can run it. */
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from "../../compiler/checkpoints/half.js";
import { random } from "../kernels/memory.js";

export type Data = Float32Array | Int32Array | Uint16Array | Int8Array | Uint8Array;
export type ScalarValue = number | { readonly f32: number };

/** What a buffer holds after the launch: every element within its bound of the value. */
export interface Expected {
  readonly buffer: number;
  readonly values: ArrayLike<number>;
  /** Largest absolute error; zero where nothing may differ. */
  readonly bounds: ArrayLike<number>;
}

export interface SeamCase {
  readonly title: string;
  readonly kernel: Kernel;
  /** In the order of the kernel's buffers; launches get copies. */
  readonly buffers: readonly Data[];
  readonly scalars: readonly ScalarValue[];
  readonly blocks: number;
  readonly expected: readonly Expected[];
}

/** Half the distance from 1 to the next f32: the largest relative error of one rounding. */
export const u = 2 ** -24;
/** Largest relative error of n roundings in a row (Higham, Accuracy and Stability, lemma 3.1). */
export const gamma = (n: number): number => (n * u) / (1 - n * u);

/** f32 numbers in -1..1. */
export function floats(count: number, seed: number): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: count }, () => 2 * next() - 1);
}

export const toF16 = (values: Float32Array): Uint16Array => Uint16Array.from(values, f32ToF16);
export const toBf16 = (values: Float32Array): Uint16Array => Uint16Array.from(values, f32ToBf16);
export const fromF16 = (bits: Uint16Array): Float64Array => Float64Array.from(bits, f16ToF32);
export const fromBf16 = (bits: Uint16Array): Float64Array => Float64Array.from(bits, bf16ToF32);

/** Where a result is not what it must be; nothing when all of it is. */
export function mistakes(seam: SeamCase, results: readonly Data[]): readonly string[] {
  return seam.expected.flatMap(({ buffer, values, bounds }) => {
    const found = results[buffer]!;
    const name = seam.kernel.buffers[buffer]!.name;
    const wrong = Array.from({ length: values.length }, (_, i) => i).filter(
      (i) => !(Math.abs(found[i]! - values[i]!) <= bounds[i]!),
    );
    const first = wrong[0];
    if (first === undefined) return [];
    const line = `${name}[${first}] is ${found[first]}, not ${values[first]} within ${bounds[first]}`;
    return [`${seam.title}: ${line}; ${wrong.length} of ${values.length} differ`];
  });
}

/** Copies that a launch may write. */
export const copies = (seam: SeamCase): Data[] => seam.buffers.map((data) => data.slice());

/** Where two machines differ by more than twice the bound: each of them may be off by it. */
export function disagreement(seam: SeamCase, found: readonly Data[], other: readonly Data[]): readonly string[] {
  const expected = seam.expected.map(({ buffer, values, bounds }) => ({
    buffer,
    values: Array.from({ length: values.length }, (_, i) => other[buffer]![i]!),
    bounds: Array.from({ length: values.length }, (_, i) => 2 * bounds[i]!),
  }));
  return mistakes({ ...seam, title: `${seam.title} against the interpreter`, expected }, found);
}
