/** Whole models exported to ONNX and run by ONNX Runtime against the reference evaluator. */
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../cli/package-root.js";
import { diskHost } from "../../cli/source-host.js";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate, StateStore } from "../../compiler/2-graph/index.js";
import { onnxGraph } from "../../compiler/5-emit/onnx/index.js";
import { checkpointSource, randomSource } from "../../compiler/6-bundle/index.js";
import { memorySource, openCheckpoint, writeSafetensors } from "../../compiler/checkpoints/index.js";
import { readWeights } from "../../examples/sentence-encoder/import-weights.mjs";
import { encoderPackage } from "../real/sentence-encoder.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { tinyCheckpoint, tinyProgram } from "../real/tiny-moe.js";
import { testHost } from "../check/host.js";
import { hasOnnxRuntime, onnxSession, wholeParameter } from "../support/onnx.js";

const tokens = (ids: readonly number[]): ReferenceTensor =>
  makeTensor("i32", [{ name: "T", size: ids.length }], Float64Array.from(ids));

describe.skipIf(!hasOnnxRuntime)("tiny-moe in ONNX Runtime", () => {
  it("gives the logits of the reference: a prompt, two more tokens one by one, and three at once", async () => {
    const program = tinyProgram();
    const source = checkpointSource(program, tinyCheckpoint());
    const graph = onnxGraph(optimize(program), "forward", source);
    const { run, release } = await onnxSession(graph);
    const params = new Map(program.params.map(({ path }) => [path, wholeParameter(program, source, path)]));
    const states = new StateStore();
    for (const ids of [[5, 17, 300, 42, 9, 77], [12], [31], [8, 3, 101]]) {
      const inputs = { tokens: tokens(ids) };
      const found = (await run(inputs))[graph.outputs[0]!.name]!;
      const { outputs } = evaluate(program, "forward", { inputs, states, params: (path) => params.get(path)! });
      const wanted = Object.values(outputs)[0] as ReferenceTensor;
      expect(found.dims).toEqual(wanted.axes.map(({ size }) => size));
      // Each layer adds some ten roundings of 2^-24 to sums of K products, K = 512 at most: sqrt(512) * 10 per layer. A
      // wrong expert or mask changes logits by their own size.
      const layers = 16;
      const size = Math.max(...wanted.data.map(Math.abs));
      const bound = Math.sqrt(512) * 10 * layers * 2 ** -24 * size;
      let worst = 0;
      found.data.forEach((value, index) => (worst = Math.max(worst, Math.abs(value - wanted.data[index]!))));
      expect(worst).toBeLessThan(bound);
    }
    await release();
  });
});

/** A fold over a known axis, with more nodes over all of its turns than `unroll-folds` writes out. */
const RECURRENCE = `
model M[V = 16, D = 8, N = 40] {
  param tok: [V, D] = normal(1)
  param decay: [N] = normal(1)
  param mix: [D, E = D] = normal(0.3)
  state memory: [D] = 0
  forward(tokens: int[T]) -> (f32[N, T, E], f32[T, D], f32[D]) => {
    let x = tok[V: tokens]
    let (last, rows) = scan(i in 0..N, s: [T, D] = x + memory) => {
      let next = tanh(0.5 * s * sin(decay[N: i]) + x * cos(float(i)))
      (next, next @ mix)
    }
    memory = mean(last, over: T)
    (rows, last, mean(last, over: T))
  }
}
`;

describe.skipIf(!hasOnnxRuntime)("rows of a fold in ONNX Runtime", () => {
  it("are those of the reference, in one call and in the next", async () => {
    const program = optimize(buildProgram(check("m.moe", testHost({ "m.moe": RECURRENCE }))));
    const folds = program.entries[0]!.body.nodes.filter(({ op }) => op === "fold");
    expect(folds.map(({ attrs }) => attrs["rows"])).toEqual(["N"]);
    const source = randomSource(program, 5);
    const graph = onnxGraph(program, "forward", source);
    const { run, release } = await onnxSession(graph);
    const params = new Map(program.params.map(({ path }) => [path, wholeParameter(program, source, path)]));
    const largest = (path: string): number => Math.max(...params.get(path)!.data.map(Math.abs));
    // A turn rounds some 32 times at most (tanh, sin and cos are some units in the last place off) values no larger than
    // those of x and 1, and halves the error of the turn before it: twice that in all. A row sums 8 of these by `mix`.
    const turns = 2 * 32 * 2 ** -24 * (1 + largest("tok"));
    const bound = turns * Math.max(1, 8 * largest("mix"));
    const states = new StateStore();
    for (const ids of [[3, 1, 4], [15]]) {
      const inputs = { tokens: tokens(ids) };
      const found = await run(inputs);
      const { outputs } = evaluate(program, "forward", { inputs, states, params: (path) => params.get(path)! });
      expect(Object.keys(outputs).length).toBe(3);
      for (const [name, value] of Object.entries(outputs)) {
        const { axes, data } = value as ReferenceTensor;
        expect(found[name]!.dims, name).toEqual(axes.map(({ size }) => size));
        const differences = Array.from(data, (wanted, at) => Math.abs(wanted - found[name]!.data[at]!));
        expect(Math.max(...differences), name).toBeLessThan(bound);
        // Rows of one turn beside those of the next differ by far more.
        expect(Math.max(...data) - Math.min(...data)).toBeGreaterThan(100 * bound);
      }
    }
    await release();
  });
});

const encoderFolder = encoderPackage();

describe.skipIf(!hasOnnxRuntime || encoderFolder === undefined)("sentence-encoder in ONNX Runtime", () => {
  it("gives the vectors of the reference for texts of several lengths", async () => {
    const program = buildProgram(check("examples/sentence-encoder/sentence-encoder.moe", diskHost(packageRoot)));
    const tensors = readWeights(encoderFolder!);
    const source = checkpointSource(program, openCheckpoint(memorySource(writeSafetensors({ tensors }))));
    const { name } = program.entries[0]!;
    const graph = onnxGraph(optimize(program), name, source);
    const { run, release } = await onnxSession(graph);
    const params = new Map(program.params.map(({ path }) => [path, wholeParameter(program, source, path)]));
    for (const ids of [[7], [5, 170, 300, 42, 9, 77, 12]]) {
      const inputs = { tokens: tokens(ids) };
      const found = (await run(inputs))[graph.outputs[0]!.name]!;
      const { outputs } = evaluate(program, name, { inputs, params: (path) => params.get(path)! });
      const wanted = Object.values(outputs)[0] as ReferenceTensor;
      // As above, with products of at most 2048 terms.
      const size = Math.max(...wanted.data.map(Math.abs));
      const bound = Math.sqrt(2048) * 10 * 16 * 2 ** -24 * size;
      let worst = 0;
      found.data.forEach((value, index) => (worst = Math.max(worst, Math.abs(value - wanted.data[index]!))));
      expect(found.data.length).toBe(wanted.data.length);
      expect(worst).toBeLessThan(bound);
    }
    await release();
  });
});
