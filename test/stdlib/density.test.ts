/**
 * How many pairs each mask of positions keeps, counted on the reference for random sizes and numbers, against its closed
 * formula. A mask without a formula here fails.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate } from "../../compiler/2-graph/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import { testHost } from "../check/host.js";
import { libraryDeclarations } from "./wasm/declarations.js";

/** Pairs with key <= query and query - key < w, of n positions. */
const window = (n: number, w: number): number => {
  const full = Math.min(w, n);
  return n * full - (full * (full - 1)) / 2;
};
const triangle = (n: number): number => (n * (n + 1)) / 2;
/** Sum over i < n of f(i). */
const rows = (n: number, f: (i: number) => number): number =>
  Array.from({ length: n }, (_, i) => f(i)).reduce((a, b) => a + b, 0);

interface Density {
  /** Settings, as the mask takes them. */
  readonly settings: readonly string[];
  /** How many pairs of n positions are kept. */
  readonly pairs: (n: number, ...settings: number[]) => number;
}

/** Masks of positions, alone: without Causal they look ahead too. */
const densities: Readonly<Record<string, Density>> = {
  Causal: { settings: [], pairs: triangle },
  Everything: { settings: [], pairs: (n) => n * n },
  // All but the pairs that lie at least w behind.
  Window: { settings: ["width"], pairs: (n, w) => n * n - triangle(Math.max(n - w, 0)) },
  Sinks: { settings: ["count"], pairs: (n, s) => n * Math.min(s, n) },
  Chunked: {
    settings: ["size"],
    pairs: (n, c) => Math.floor(n / c) * c ** 2 + (n % c) ** 2,
  },
  // The near ones and the future, then every stride-th behind.
  Strided: {
    settings: ["stride"],
    pairs: (n, l) => n * n - triangle(Math.max(n - l, 0)) + rows(n, (i) => Math.floor(i / l)),
  },
  // Squares on the diagonal, and the last columns of all other blocks for all rows.
  Fixed: {
    settings: ["stride", "columns"],
    pairs: (n, l, c) => {
      const columns = rows(n, (k) => (k % l >= l - c ? 1 : 0));
      const own = rows(n, (k) => (k % l >= l - c ? Math.min(l, n - Math.floor(k / l) * l) : 0));
      return Math.floor(n / l) * l ** 2 + (n % l) ** 2 + columns * n - own;
    },
  },
  // Behind: the own one and each d-th, w in all; ahead: each d-th.
  Dilated: {
    settings: ["width", "dilation"],
    pairs: (n, w, d) => rows(n, (i) => Math.min(w, Math.floor(i / d) + 1) + Math.floor((n - 1 - i) / d)),
  },
  Band: {
    settings: ["before", "after"],
    pairs: (n, a, b) => window(n, a + 1) + window(n, b + 1) - n,
  },
  Global: { settings: ["count"], pairs: (n, g) => 2 * Math.min(g, n) * n - Math.min(g, n) ** 2 },
  Prefix: { settings: ["length"], pairs: (n, p) => triangle(n) + triangle(Math.min(p, n)) - Math.min(p, n) },
  BlockCausal: {
    settings: ["size"],
    pairs: (n, b) => triangle(n) + (Math.floor(n / b) * b * (b - 1) + (n % b) * ((n % b) - 1)) / 2,
  },
  Streaming: {
    settings: ["sinks", "window"],
    pairs: (n, s, w) => window(n, s + w),
  },
  ChunkedSinks: {
    settings: ["size", "sinks"],
    pairs: (n, c, s) => rows(n, (i) => (i % c) + 1 + Math.min(s, i - (i % c))),
  },
  BlockWindow: {
    settings: ["size", "before"],
    pairs: (n, b, m) => rows(n, (i) => i + 1 - b * Math.max(Math.floor(i / b) - m, 0)),
  },
  WeakDecoder: {
    settings: ["span"],
    // Row i sees min(i, span) before it, and position 0 where that is further away or its own.
    pairs: (n, s) => rows(n, (i) => Math.min(i, s) + (i > s || i === 0 ? 1 : 0)),
  },
};

const masks = libraryDeclarations().filter(({ contract, positions }) => contract === "mask" && positions);

test("every mask of positions has a formula", () => {
  expect(masks.map(({ name }) => name).sort()).toEqual(Object.keys(densities).sort());
});

function counted(
  file: string,
  name: string,
  settings: readonly string[],
  values: readonly number[],
  n: number,
): number {
  const root = "test/stdlib/sample.moe";
  const call =
    settings.length === 0 ? name : `${name}(${settings.map((each, i) => `${each}: ${String(values[i]!)}`).join(", ")})`;
  // Scores of 0 and values of 1 at their own place: what a row sees is above 0.
  const text = `import { ${name} } from "../../${file}"
model Sample {
  forward(x: [N = ${String(n)}, C = 1], own: [S = ${String(n)}, V = ${String(n)}]) => attend(x, x[N -> S], own, mask: ${call})
}
`;
  const project = check(root, testHost({ [root]: text }));
  expect(project.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  const program = buildProgram(project);
  const own = Float64Array.from({ length: n * n }, (_, i) => (Math.floor(i / n) === i % n ? 1 : 0));
  const inputs = {
    x: makeTensor(
      "f32",
      [
        { name: "N", size: n },
        { name: "C", size: 1 },
      ],
      new Float64Array(n),
    ),
    own: makeTensor(
      "f32",
      [
        { name: "S", size: n },
        { name: "V", size: n },
      ],
      own,
    ),
  };
  const { result } = evaluate(program, "forward", { inputs, params: () => inputs.x, sizes: { past: 0 } }).outputs;
  if (result?.kind !== "tensor") throw new Error("no tensor");
  return result.data.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
}

describe.each(masks)("$name", ({ name, file }) => {
  test("keeps as many pairs as its formula says", () => {
    const density = densities[name]!;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 13 }),
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 2 }),
        (n, drawn) => {
          // The columns of a block are no more than the block.
          const values = name === "Fixed" ? [Math.max(...drawn), Math.min(...drawn)] : drawn;
          expect(counted(file, name, density.settings, values, n)).toBe(density.pairs(n, ...values));
        },
      ),
      { numRuns: 5, seed: 11 },
    );
  });
});
