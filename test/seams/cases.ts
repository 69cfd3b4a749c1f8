/**
 * The cases of the seams, for a GPU (threads) or a CPU (vectors): inputs at sizes that are no multiples of any tile, plain
 * references in f64, and bounds of the error of f32 arithmetic that follow from the formulas.
 */
import { random } from "../kernels/memory.js";
import { floats, fromBf16, fromF16, gamma, toBf16, toF16, u, type SeamCase } from "./case.js";
import { attention, keyTile } from "./kernels/attention.js";
import { expert, mostHidden, tileRows } from "./kernels/expert.js";
import { byteGemm, tiledGemm, vectorGemm } from "./kernels/gemm.js";
import { grouping, router } from "./kernels/router.js";
import type { Variant } from "./kernels/variant.js";

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function gemmCase(variant: Variant, rows: number, columns: number, inner: number): SeamCase {
  const gpu = variant.threads > 1;
  const a = floats(rows * inner, 1);
  const bits = toF16(floats(inner * columns, 2));
  const b = fromF16(bits);
  const values = new Float64Array(rows * columns);
  const sizes = new Float64Array(rows * columns);
  values.forEach((_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    for (let k = 0; k < inner; k++) {
      const product = a[i * inner + k]! * b[k * columns + j]!;
      values[at]! += product;
      sizes[at]! += Math.abs(product);
    }
  });
  return {
    title: `gemm ${rows} x ${columns} x ${inner}`,
    kernel: gpu ? tiledGemm() : vectorGemm(variant.lanes),
    buffers: [a, bits, new Float32Array(rows * columns)],
    scalars: [rows, columns, inner],
    blocks: gpu ? Math.ceil(rows / 32) * Math.ceil(columns / 32) : Math.ceil(rows / 4),
    // A sum of n products, in any order and with or without fma: gamma(n) times the sum of their sizes.
    expected: [{ buffer: 2, values, bounds: sizes.map((size) => gamma(inner) * size) }],
  };
}

function byteCase(variant: Variant, rows: number, columns: number, quads: number): SeamCase {
  const next = random(3);
  const { lanes, threads } = variant;
  const padded = Math.ceil(columns / lanes) * lanes;
  const a = Int8Array.from({ length: rows * quads * 4 }, () => Math.floor(next() * 256) - 128);
  const w = Uint8Array.from({ length: quads * padded * 4 }, () => Math.floor(next() * 128));
  const scale = Math.fround(0.37);
  const values = Float64Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let k = 0; k < quads * 4; k++) {
      sum += a[i * quads * 4 + k]! * w[((k >> 2) * padded + j) * 4 + (k & 3)]!;
    }
    return sum * scale;
  });
  return {
    title: `bytes ${rows} x ${columns} x ${quads * 4}`,
    kernel: byteGemm(variant),
    buffers: [a, w, new Float32Array(rows * columns)],
    scalars: [rows, columns, quads, { f32: scale }],
    blocks: Math.ceil(columns / (threads * lanes)),
    // The sum is exact and below 2^24; only the product with the scale rounds.
    expected: [{ buffer: 2, values, bounds: values.map((value) => u * Math.abs(value)) }],
  };
}

interface Routing {
  readonly index: Int32Array;
  readonly weight: Float64Array;
  readonly counts: Int32Array;
}

/** Scores in steps of 1/8, so that many tie and no two are nearly equal; row 1 is -inf but for two. */
function routerScores(tokens: number, experts: number): Float32Array {
  const scores = floats(tokens * experts, 4).map((x) => Math.round(x * 32) / 8);
  scores.fill(-Infinity, experts, 2 * experts);
  scores[experts + 3] = 1;
  scores[experts + 5] = 1;
  return scores;
}

function routerReference(scores: Float32Array, tokens: number, experts: number, choices: number): Routing {
  const index = new Int32Array(tokens * choices);
  const weight = new Float64Array(tokens * choices);
  const counts = new Int32Array(experts);
  for (let t = 0; t < tokens; t++) {
    const row = scores.subarray(t * experts, (t + 1) * experts);
    const best = range(experts).sort((a, b) => (row[a] === row[b] ? a - b : row[b]! > row[a]! ? 1 : -1));
    const chosen = best.slice(0, choices);
    const powers = chosen.map((e) => Math.exp(row[e]! - row[best[0]!]!));
    const total = powers.reduce((a, b) => a + b, 0);
    chosen.forEach((e, i) => {
      index[t * choices + i] = e;
      weight[t * choices + i] = powers[i]! / total;
      counts[e]!++;
    });
  }
  return { index, weight, counts };
}

function routerCase({ threads }: Variant, tokens: number, experts: number, choices: number): SeamCase {
  const scores = routerScores(tokens, experts);
  const { index, weight, counts } = routerReference(scores, tokens, experts, choices);
  // The differences of the scores are exact. exp errs by 3u (1.5 ulp), the sum of E powers by gamma(E) more, a division by
  // at most 5u (2.5 ulp, which WGSL allows); then the same over k choices. All factors are relative.
  const relative = gamma(2 * (3 + 5) + experts + choices);
  return {
    title: `router ${tokens} x ${experts}, best ${choices}`,
    kernel: router(threads),
    buffers: [scores, new Int32Array(index.length), new Float32Array(index.length), new Int32Array(experts)],
    scalars: [experts, choices],
    blocks: tokens,
    expected: [
      { buffer: 1, values: index, bounds: new Float64Array(index.length) },
      { buffer: 2, values: weight, bounds: weight.map((value) => relative * value) },
      { buffer: 3, values: counts, bounds: new Float64Array(experts) },
    ],
  };
}

interface Grouped {
  readonly offsets: Int32Array;
  readonly slots: Int32Array;
}

function grouped(index: Int32Array, experts: number): Grouped {
  const slots = Int32Array.from(range(experts).flatMap((e) => range(index.length).filter((pair) => index[pair] === e)));
  const offsets = Int32Array.from({ length: experts + 1 }, (_, e) => index.filter((other) => other < e).length);
  return { offsets, slots };
}

function groupingCase({ threads }: Variant, tokens: number, experts: number, choices: number): SeamCase {
  const { index, counts } = routerReference(routerScores(tokens, experts), tokens, experts, choices);
  const { offsets, slots } = grouped(index, experts);
  return {
    title: `grouping ${index.length} pairs of ${experts} experts`,
    kernel: grouping(threads),
    buffers: [index, counts, new Int32Array(experts + 1), new Int32Array(index.length)],
    scalars: [experts, index.length],
    blocks: 1,
    expected: [
      { buffer: 2, values: offsets, bounds: new Float64Array(offsets.length) },
      { buffer: 3, values: slots, bounds: new Float64Array(slots.length) },
    ],
  };
}

interface ExpertSizes {
  readonly tokens: number;
  readonly choices: number;
  readonly experts: number;
  readonly width: number;
  readonly hidden: number;
}

/** Choices by which expert 1 gets no token and expert 2 most of them. */
function raggedIndex({ tokens, choices, experts }: ExpertSizes): Int32Array {
  return Int32Array.from({ length: tokens * choices }, (_, pair) => {
    const token = Math.floor(pair / choices);
    if (pair % choices === 0) return 2;
    return token % (experts - 2) === 1 ? experts - 1 : token % 2 === 0 ? 0 : 3;
  });
}

function expertCase(variant: Variant, sizes: ExpertSizes): SeamCase {
  const { tokens, choices, experts, width, hidden } = sizes;
  if (hidden > mostHidden) throw new RangeError("the hidden layer is too wide for the kernel");
  const index = raggedIndex(sizes);
  const { offsets, slots } = grouped(index, experts);
  const x = floats(tokens * width, 5);
  const weight = floats(index.length, 6);
  const bits = [7, 8, 9].map((seed) => toF16(floats(experts * hidden * width, seed)));
  const [gate, up, down] = bits.map(fromF16) as [Float64Array, Float64Array, Float64Array];
  const values = new Float64Array(index.length * width);
  const bounds = new Float64Array(index.length * width);
  index.forEach((e, pair) => {
    const token = Math.floor(pair / choices);
    const middle = range(hidden).map((h) => {
      const start = (e * hidden + h) * width;
      const [g, u0] = [gate, up].map((matrix) => {
        const products = range(width).map((d) => x[token * width + d]! * matrix[start + d]!);
        const size = products.reduce((sum, product) => sum + Math.abs(product), 0);
        return { value: products.reduce((a, b) => a + b, 0), error: gamma(width) * size };
      }) as [{ value: number; error: number }, { value: number; error: number }];
      const silu = g.value / (1 + Math.exp(-g.value));
      // |silu'| < 1.1. Of its own, silu errs by exp (3u), the sum (u) and the division (5u).
      const siluError = 1.1 * g.error + gamma(9) * (Math.abs(silu) + 1.1 * g.error);
      const value = silu * u0.value;
      const error = Math.abs(u0.value) * siluError + (Math.abs(silu) + siluError) * u0.error;
      return { value, error: error + u * (Math.abs(value) + error) };
    });
    for (let d = 0; d < width; d++) {
      const row = down.subarray((e * width + d) * hidden, (e * width + d + 1) * hidden);
      let [sum, size, error] = [0, 0, 0];
      middle.forEach((each, h) => {
        sum += each.value * row[h]!;
        size += (Math.abs(each.value) + each.error) * Math.abs(row[h]!);
        error += each.error * Math.abs(row[h]!);
      });
      values[pair * width + d] = sum * weight[pair]!;
      bounds[pair * width + d] = Math.abs(weight[pair]!) * (error + gamma(hidden + 1) * size);
    }
  });
  const tiles = Math.ceil(tokens / tileRows);
  return {
    title: `expert ${tokens} tokens, ${experts} experts, ${width} -> ${hidden} -> ${width}`,
    kernel: expert(variant),
    buffers: [x, ...bits, slots, offsets, weight, new Float32Array(values.length)],
    scalars: [choices, width, hidden, tiles],
    blocks: experts * tiles,
    expected: [{ buffer: 7, values, bounds }],
  };
}

interface AttentionSizes {
  readonly tokens: number;
  readonly past: number;
  readonly window: number;
  readonly heads: number;
  readonly groups: number;
  readonly width: number;
}

function attentionCase(variant: Variant, sizes: AttentionSizes): SeamCase {
  const { tokens, past, window, heads, groups, width } = sizes;
  const all = past + tokens;
  const q = floats(tokens * heads * width, 10).map((x) => 4 * x);
  const keyBits = toF16(floats(all * groups * width, 11));
  const valueBits = toBf16(floats(all * groups * width, 12));
  const [keys, valueRows] = [fromF16(keyBits), fromBf16(valueBits)];
  const scale = Math.fround(1 / Math.sqrt(width));
  const values = new Float64Array(q.length);
  const bounds = new Float64Array(q.length);
  for (let t = 0; t < tokens; t++) {
    for (let head = 0; head < heads; head++) {
      const start = (t * heads + head) * width;
      const group = Math.floor(head / (heads / groups));
      const seen = range(all).filter((j) => j <= past + t && j > past + t - window);
      const row = (j: number): number => (j * groups + group) * width;
      const products = seen.map((j) => range(width).map((c) => q[start + c]! * keys[row(j) + c]!));
      const scores = products.map((each) => scale * each.reduce((a, b) => a + b, 0));
      const scoreError = Math.max(
        ...products.map((each) => gamma(width + 1) * scale * each.reduce((a, b) => a + Math.abs(b), 0)),
      );
      const top = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - top));
      const total = powers.reduce((a, b) => a + b, 0);
      // A weight is a product of at most n + 1 powers. The errors of their arguments add up: each difference errs by
      // u times its size, the sizes add up to at most the range of the scores, and two scores differ by 2 errors. Each
      // power errs by 3u and is multiplied once (u); then n additions, and in the quotient both sides and 5u.
      const spread = top - Math.min(...scores);
      const argument = 2 * scoreError + u * (spread + 2 * scoreError);
      const relative = 2 * (Math.expm1(argument) + gamma(5 * (seen.length + 1))) + gamma(6);
      for (let c = 0; c < width; c++) {
        const parts = seen.map((j, i) => (powers[i]! / total) * valueRows[row(j) + c]!);
        values[start + c] = parts.reduce((a, b) => a + b, 0);
        bounds[start + c] = relative * parts.reduce((a, b) => a + Math.abs(b), 0);
      }
    }
  }
  const across = Math.ceil(tokens / variant.threads);
  const visited = range(across).reduce((sum, tile) => {
    const first = Math.max(0, past + tile * variant.threads - window + 1);
    const last = past + Math.min((tile + 1) * variant.threads, tokens) - 1;
    return sum + Math.floor(last / keyTile) - Math.floor(first / keyTile) + 1;
  }, 0);
  return {
    title: `attention ${tokens} after ${past}, window ${window}, width ${width}`,
    kernel: attention(width, variant),
    buffers: [q, keyBits, valueBits, new Float32Array(q.length), new Int32Array(1)],
    scalars: [tokens, past, window, heads, groups, { f32: scale }],
    blocks: heads * across,
    expected: [
      { buffer: 3, values, bounds },
      { buffer: 4, values: [visited * heads], bounds: [0] },
    ],
  };
}

/** All cases for one machine. */
export function seamCases(variant: Variant): readonly SeamCase[] {
  const gpu = variant.threads > 1;
  const narrow: Variant = gpu ? { ...variant, threads: 32 } : variant;
  return [
    gemmCase(variant, 37, 53, 41),
    byteCase(narrow, 5, 45, 9),
    routerCase(narrow, 9, 40, 3),
    groupingCase(narrow, 23, 40, 3),
    expertCase(narrow, { tokens: 13, choices: 2, experts: 6, width: 37, hidden: 43 }),
    attentionCase(narrow, { tokens: 37, past: 45, window: 29, heads: 4, groups: 2, width: 21 }),
  ];
}
