/**
 * Contraction as a loop nest over strides, with sums in doubles. Every result is the sum of its products in the
 * row-major order of the contracted axes, whichever loop is innermost.
 */
import { alignAxes, makeTensor, stridesIn } from "./reference-tensor.js";
import type { ReferenceTensor } from "./types.js";

interface Loop {
  readonly size: number;
  /** Steps in a, b and the result. */
  readonly a: number;
  readonly b: number;
  readonly out: number;
}

/** Sum over the axes `over` of a * b, aligned by name. */
export function contractTensors(a: ReferenceTensor, b: ReferenceTensor, over: readonly string[]): ReferenceTensor {
  const all = alignAxes([a, b]);
  const kept = all.filter((axis) => !over.includes(axis.name));
  const summed = all.filter((axis) => over.includes(axis.name));
  const result = makeTensor("f32", kept);
  if (all.some((axis) => axis.size === 0)) return result;
  const axes = [...kept, ...summed];
  const steps = [stridesIn(a, axes), stridesIn(b, axes), stridesIn(result, axes)] as const;
  const loops = axes.flatMap((axis, i) =>
    axis.size === 1 ? [] : [{ size: axis.size, a: steps[0][i]!, b: steps[1][i]!, out: steps[2][i]! }],
  );
  run(withInnermost(joined(loops)), a.data, b.data, result.data);
  return result;
}

/** Neighbouring loops that walk all three as one become one. */
function joined(loops: readonly Loop[]): Loop[] {
  const result: Loop[] = [];
  for (const inner of loops) {
    const outer = result.at(-1);
    const { size } = inner;
    const fits = outer && outer.a === inner.a * size && outer.b === inner.b * size && outer.out === inner.out * size;
    if (fits) result[result.length - 1] = { ...inner, size: outer.size * size };
    else result.push(inner);
  }
  return result;
}

/** The loop that walks the larger operand without gaps goes inside; the order of the others stays. */
function withInnermost(loops: readonly Loop[]): readonly Loop[] {
  if (loops.length === 0) return [{ size: 1, a: 0, b: 0, out: 0 }];
  const gap = (loop: Loop): number => loop.a + loop.b + loop.out;
  const contracted = loops.filter((loop) => loop.out === 0);
  // Only a loop over results, or the last of the contracted ones, may move: sums keep their order.
  const movable = loops.filter((loop) => loop.out !== 0 || loop === contracted.at(-1));
  const inner = movable.reduce((best, loop) => (gap(loop) < gap(best) ? loop : best), movable[0]!);
  return [...loops.filter((loop) => loop !== inner), inner];
}

function run(loops: readonly Loop[], a: Float64Array, b: Float64Array, out: Float64Array): void {
  const inner = loops.at(-1)!;
  const next = loops.at(-2);
  const paired = next && kernelFor(next, inner);
  const outer = loops.slice(0, paired ? -2 : -1);
  const index = new Array<number>(outer.length).fill(0);
  let atA = 0;
  let atB = 0;
  let atOut = 0;
  for (;;) {
    if (paired) paired(next, inner, a, atA, b, atB, out, atOut);
    else single(inner, a, atA, b, atB, out, atOut);
    let level = outer.length - 1;
    for (; level >= 0; level--) {
      const loop = outer[level]!;
      atA += loop.a;
      atB += loop.b;
      atOut += loop.out;
      if (++index[level]! < loop.size) break;
      index[level] = 0;
      atA -= loop.a * loop.size;
      atB -= loop.b * loop.size;
      atOut -= loop.out * loop.size;
    }
    if (level < 0) return;
  }
}

function single(
  loop: Loop,
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  out: Float64Array,
  to: number,
): void {
  for (let i = 0; i < loop.size; i++) out[to + i * loop.out]! += a[atA + i * loop.a]! * b[atB + i * loop.b]!;
}

type PairKernel = (
  outer: Loop,
  inner: Loop,
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  out: Float64Array,
  to: number,
) => void;

/** The two innermost loops as one kernel, for the two forms that models are made of. */
function kernelFor(outer: Loop, inner: Loop): PairKernel | undefined {
  if (outer.out === 0 && inner.a === 0 && inner.b === 1 && inner.out === 1) return addRows;
  if (inner.out === 0 && outer.a === 0 && inner.a === 1 && inner.b === 1) return dotRows;
  return undefined;
}

/** out[i] += a[k] * b[k, i]: four rows k at a time, each added in its turn. */
function addRows(
  outer: Loop,
  inner: Loop,
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  out: Float64Array,
  to: number,
): void {
  const { size } = inner;
  const whole = outer.size - (outer.size % 4);
  for (let k = 0; k < whole; k += 4) {
    const f0 = a[atA + k * outer.a]!;
    const f1 = a[atA + (k + 1) * outer.a]!;
    const f2 = a[atA + (k + 2) * outer.a]!;
    const f3 = a[atA + (k + 3) * outer.a]!;
    const r0 = atB + k * outer.b;
    const r1 = r0 + outer.b;
    const r2 = r1 + outer.b;
    const r3 = r2 + outer.b;
    for (let i = 0; i < size; i++) {
      out[to + i] = out[to + i]! + f0 * b[r0 + i]! + f1 * b[r1 + i]! + f2 * b[r2 + i]! + f3 * b[r3 + i]!;
    }
  }
  for (let k = whole; k < outer.size; k++) {
    const factor = a[atA + k * outer.a]!;
    const row = atB + k * outer.b;
    for (let i = 0; i < size; i++) out[to + i]! += factor * b[row + i]!;
  }
}

/** out[j] += a[k] * b[j, k]: four sums side by side. */
function dotRows(
  outer: Loop,
  inner: Loop,
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  out: Float64Array,
  to: number,
): void {
  const { size } = inner;
  const whole = outer.size - (outer.size % 4);
  for (let j = 0; j < outer.size; j += j < whole ? 4 : 1) {
    const r0 = atB + j * outer.b;
    const o0 = to + j * outer.out;
    let s0 = out[o0]!;
    if (j >= whole) {
      for (let k = 0; k < size; k++) s0 += a[atA + k]! * b[r0 + k]!;
      out[o0] = s0;
      continue;
    }
    const r1 = r0 + outer.b;
    const r2 = r1 + outer.b;
    const r3 = r2 + outer.b;
    let s1 = out[o0 + outer.out]!;
    let s2 = out[o0 + 2 * outer.out]!;
    let s3 = out[o0 + 3 * outer.out]!;
    for (let k = 0; k < size; k++) {
      const x = a[atA + k]!;
      s0 += x * b[r0 + k]!;
      s1 += x * b[r1 + k]!;
      s2 += x * b[r2 + k]!;
      s3 += x * b[r3 + k]!;
    }
    out[o0] = s0;
    out[o0 + outer.out] = s1;
    out[o0 + 2 * outer.out] = s2;
    out[o0 + 3 * outer.out] = s3;
  }
}
