/**
 * Samples of papers beside their formulas as plain loops over f64: the reference evaluator, the kernel interpreter,
 * WebAssembly and, where it is there, native code give what the loops give, in one call and in several.
 */
import { expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import type { Axis } from "../../compiler/ops/types.js";
import { testHost } from "../check/host.js";
import { compare, numbers } from "../schedule/compare.js";
import { seedOf } from "../schedule/inputs.js";
import { deepseekV32 } from "./formulas/deepseek-v3.2.js";
import { kimiLinear } from "./formulas/kimi-linear.js";
import { minimax01 } from "./formulas/minimax-01.js";
import type { Model } from "./formulas/models.js";
import { nemotronH } from "./formulas/nemotron-h.js";
import { rwkv7 } from "./formulas/rwkv-7.js";
import { layerNorm, rms, through, type Layer, type Vector } from "./formulas/plain.js";

const TOKENS = [3, 25, 17, 17, 59, 4, 20, 3];
/** One call, and calls that go on: a piece, a token, the rest. */
const PIECES = [[8], [4, 1, 3]];

/**
 * Sums of at most 48 terms below 4 through at most 6 layers of 6 products each, every rounding 2^-24 of what it rounds;
 * doubled for exp and for norms, which divide by what is about 1.
 */
const TOLERANCE = 48 * 4 * 6 * 6 * 2 * 2 ** -24;

const params = (path: string, count: number): readonly number[] =>
  numbers(seedOf(path), count).map((x) => Math.fround(x * 0.5));

const sizeOf = (axes: readonly Axis[]): number => axes.reduce((product, axis) => product * axis.size.evaluate({}), 1);

/** The parameters of layer `layer`, whichever run of equal layers holds it. */
function layerOf(program: Program, layer: number): Layer {
  return (name) => {
    for (const { path, axes } of program.params) {
      const [, from, rest] = /^layers\.(?:(\d+)\.)?(.*)$/.exec(path) ?? [];
      const first = Number(from ?? 0);
      const count = axes[0]!.size.evaluate({});
      if (rest !== name || layer < first || layer >= first + count) continue;
      const size = sizeOf(axes.slice(1));
      return Float64Array.from(params(path, size * count)).slice((layer - first) * size, (layer - first + 1) * size);
    }
    throw new Error(`layer ${layer} has no ${name}`);
  };
}

/** Logits of all tokens: embedding, layers, a norm and the head. */
function logitsOf(program: Program, layers: number, model: Model, norm: Norm, early: boolean): Vector[] {
  const all = (path: string): Vector => {
    const { axes } = program.params.find((each) => each.path === path)!;
    return Float64Array.from(params(path, sizeOf(axes)));
  };
  const table = all("tok");
  const width = table.length / 64;
  let stream: Vector[] = TOKENS.map((token) => table.slice(token * width, (token + 1) * width));
  if (early) stream = stream.map((x) => norm(x, (name) => all(`norm0.${name}`)));
  for (let layer = 0; layer < layers; layer++) stream = model(stream, layer, layerOf(program, layer));
  return stream.map((x) =>
    through(
      norm(x, (name) => all(`norm.${name}`)),
      all("head"),
    ),
  );
}

type Norm = (x: Vector, at: Layer) => Vector;
const root =
  (epsilon: number): Norm =>
  (x, at) =>
    rms(x, at("weight"), epsilon);
const centred: Norm = (x, at) => layerNorm(x, at("weight"), at("bias"), 1e-5);

/** `early`: the embedding is normed as well, by the same kind of norm. */
interface Sample {
  readonly name: string;
  readonly layers: number;
  readonly model: () => Model;
  readonly norm: Norm;
  readonly early?: true;
}
const models: readonly Sample[] = [
  { name: "deepseek-v3.2", layers: 2, model: () => deepseekV32, norm: root(1e-6) },
  { name: "kimi-linear", layers: 4, model: () => kimiLinear, norm: root(1e-5) },
  { name: "minimax-01", layers: 4, model: () => minimax01, norm: root(1e-5) },
  { name: "nemotron-h", layers: 6, model: () => nemotronH, norm: root(1e-5) },
  { name: "rwkv-7", layers: 3, model: rwkv7, norm: centred, early: true },
];

it.each(models)("$name is its formulas", ({ name, layers, model, norm, early = false }) => {
  const path = `test/samples/papers/${name}.moe`;
  const project = check(path, testHost());
  expect(project.diagnostics).toEqual([]);
  const program = buildProgram(project);
  const logits = logitsOf(program, layers, model(), norm, early);
  // Numbers, and not one number: a comparison of zeros or NaN would say nothing.
  expect(new Set(logits.flatMap((row) => [...row])).size).toBeGreaterThan(TOKENS.length);
  for (const pieces of PIECES) {
    let past = 0;
    const calls = pieces.map((T) => {
      const call = { inputs: { tokens: TOKENS.slice(past, past + T) }, sizes: { T, past } };
      past += T;
      return call;
    });
    compare(program, {
      calls,
      params,
      tolerance: TOLERANCE,
      onCall: ({ call, expected }) => {
        const rows = logits.slice(call.sizes["past"], call.sizes["past"]! + call.sizes["T"]!);
        const found = expected["result"]!;
        rows
          .flatMap((row) => [...row])
          .forEach((want, i) => {
            const allowed = TOLERANCE * Math.max(1, Math.abs(want));
            expect(Math.abs(found[i]! - want), `${name}: logit ${i}, ${want}`).toBeLessThanOrEqual(allowed);
          });
      },
    });
  }
});
