/**
 * A language model of two kernels that a person can follow: the caches hold the token ids, and the logits of token t are
 * the sum over all positions s up to it of `table[id_s, v] * (s + 1)`, in whole numbers that f32 holds exactly.
 */
import { add, block, constant, convert, div, fma, mul, rem } from "../../compiler/4-schedule/kernel-expressions.js";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { f32 } from "../../compiler/4-schedule/kernel-types.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";

export const V = 32;
export const CONTEXT = 24;
export const MOST = 8;

/** `table[id, v]`, small whole numbers. */
export const table = Float32Array.from({ length: V * V }, (_, i) => ((i * 7919) % 13) - 6);

function appendKernel(): Kernel {
  const k = new KernelBuilder("append", { doc: "cache[past + t] = tokens[t]" });
  const tokens = k.buffer("tokens", "i32", "read");
  const cache = k.buffer("cache", "i32", "write");
  const past = k.scalar("past", "i32");
  k.store(cache, add(past, block), k.load(tokens, block));
  return k.finish();
}

function scoreKernel(): Kernel {
  const k = new KernelBuilder("score", { doc: "logits[t, v] = sum over s of table[cache[s], v] * (s + 1)" });
  const weights = k.buffer("table", "f32", "read");
  const cache = k.buffer("cache", "i32", "read");
  const logits = k.buffer("logits", "f32", "write");
  const past = k.scalar("past", "i32");
  const t = k.let("t", div(block, V));
  const v = k.let("v", rem(block, V));
  const sum = k.variable("sum", constant(0, f32));
  k.loop("s", 0, add(add(past, t), 1), 1, (s) => {
    const place = convert(add(s, 1), "f32");
    sum.set(fma(k.load(weights, add(mul(k.load(cache, s), V), v)), place, sum.get));
  });
  k.store(logits, block, sum.get);
  return k.finish();
}

export const kernels: readonly Kernel[] = [appendKernel(), scoreKernel()];

export const plan: Plan = {
  limits: { T: MOST, context: CONTEXT },
  spaces: { weights: V * V * 4, state: 2 * 128, arena: 64, io: 64 + MOST * V * 4 },
  buffers: [
    { id: "table", space: "weights", offset: 0, bytes: V * V * 4 },
    { id: "cache", space: "state", offset: 0, bytes: 2 * 128 },
    { id: "tokens", space: "io", offset: 0, bytes: 64 },
    { id: "logits", space: "io", offset: 64, bytes: MOST * V * 4 },
  ],
  weights: [
    {
      buffer: "table",
      path: "table",
      storage: "f32",
      layout: "rows",
      axes: [
        { name: "U", size: V },
        { name: "V", size: V },
      ],
      layerAxes: 0,
      layerStride: 0,
    },
  ],
  states: [
    {
      buffer: "cache",
      path: "cache",
      kind: "cache",
      dtype: "i32",
      init: 0,
      positionBytes: 4,
      runs: 1,
      runStride: 0,
      layers: 2,
      layerStride: 128,
    },
  ],
  knobs: [],
  entries: [
    {
      name: "forward",
      inputs: [{ name: "tokens", dtype: "i32", axes: [{ name: "T", size: "T" }], buffer: "tokens" }],
      outputs: [
        {
          name: "logits",
          dtype: "f32",
          axes: [
            { name: "T", size: "T" },
            { name: "V", size: String(V) },
          ],
          buffer: "logits",
        },
      ],
      steps: [
        {
          kind: "loop",
          name: "layer",
          count: 2,
          steps: [
            {
              kind: "launch",
              kernel: "append",
              grid: "T",
              buffers: [
                { buffer: "tokens", offset: "0", strides: {} },
                { buffer: "cache", offset: "0", strides: { layer: 128 } },
              ],
              scalars: [{ type: "i32", value: "past" }],
              label: "append",
            },
          ],
        },
        {
          kind: "launch",
          kernel: "score",
          grid: `T*${V}`,
          buffers: [
            { buffer: "table", offset: "0", strides: {} },
            { buffer: "cache", offset: "128", strides: {} },
            { buffer: "logits", offset: "0", strides: {} },
          ],
          scalars: [{ type: "i32", value: "past" }],
          label: "score",
        },
      ],
      traces: [],
    },
  ],
};

/** The logits of the last token of a text, by the definition. */
export function expectedLogits(ids: readonly number[]): number[] {
  return Array.from({ length: V }, (_, v) => ids.reduce((sum, id, s) => sum + table[id * V + v]! * (s + 1), 0));
}
