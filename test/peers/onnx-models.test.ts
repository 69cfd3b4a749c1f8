/** Whole models exported to ONNX and run by ONNX Runtime against the reference evaluator. */
import { describe, expect, it } from "vitest";
import { evaluate, StateStore } from "../../compiler/2-graph/index.js";
import { onnxGraph } from "../../compiler/5-emit/onnx/index.js";
import { checkpointSource } from "../../compiler/6-bundle/index.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { tinyCheckpoint, tinyProgram } from "../real/tiny-moe.js";
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
