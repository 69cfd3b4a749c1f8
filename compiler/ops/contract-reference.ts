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
  const outer = loops.slice(0, -1);
  const inner = loops.at(-1)!;
  const index = new Array<number>(outer.length).fill(0);
  let atA = 0;
  let atB = 0;
  let atOut = 0;
  for (;;) {
    if (inner.out === 0) out[atOut] = dot(inner, a, atA, b, atB, out[atOut]!);
    else spread(inner, a, atA, b, atB, out, atOut);
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

function dot(loop: Loop, a: Float64Array, atA: number, b: Float64Array, atB: number, start: number): number {
  const { size, a: stepA, b: stepB } = loop;
  let sum = start;
  for (let i = 0; i < size; i++) {
    sum += a[atA]! * b[atB]!;
    atA += stepA;
    atB += stepB;
  }
  return sum;
}

function spread(
  loop: Loop,
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  out: Float64Array,
  to: number,
): void {
  const { size, a: stepA, b: stepB, out: stepOut } = loop;
  if (stepA === 0 && stepB === 1 && stepOut === 1) {
    const factor = a[atA]!;
    for (let i = 0; i < size; i++) out[to + i]! += factor * b[atB + i]!;
    return;
  }
  for (let i = 0; i < size; i++) {
    out[to]! += a[atA]! * b[atB]!;
    atA += stepA;
    atB += stepB;
    to += stepOut;
  }
}
