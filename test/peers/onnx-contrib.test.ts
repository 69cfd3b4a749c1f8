/** Models exported with the fused operators of ONNX Runtime, against the reference evaluator. */
import { describe, expect, it } from "vitest";
import { evaluate } from "../../compiler/2-graph/index.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { onnxGraph, type Contrib } from "../../compiler/5-emit/onnx/index.js";
import { checkpointSource, randomSource } from "../../compiler/6-bundle/index.js";
import { memorySource, openCheckpoint, type EncodableType } from "../../compiler/checkpoints/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import { imported, programOf, referenceRows, relativeError, type Imported } from "../import/imported.js";
import { onnxEngines, onnxSession, wholeParameter, type OnnxEngine } from "../support/onnx.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { tinyGguf, type TinyFamily } from "../support/tiny-checkpoints.js";

const PIECES = [6, 1, 1, 3];
const ids = Array.from({ length: PIECES.reduce((sum, count) => sum + count, 0) }, (_, i) => 3 + ((i * 37) % 500));

const families: readonly TinyFamily[] = ["mixtral", "olmoe", "qwen3-moe"];
const ways: readonly { readonly stored: EncodableType; readonly contrib: Contrib }[] = [
  { stored: "f32", contrib: { operators: ["MoE", "GroupQueryAttention"], storage: "q8_0" } },
  { stored: "q8_0", contrib: { operators: ["QMoE"], storage: "q8_0" } },
  { stored: "q4_0", contrib: { operators: ["QMoE", "GroupQueryAttention"], storage: "q4_0" } },
];

/** Two layers of four products, each a sum of at most 128 terms, whose roundings of 2^-24 add up as a walk does. */
const BOUND = 2 * 4 * Math.sqrt(128) * 2 ** -24;

async function tiny(family: TinyFamily, stored: EncodableType): Promise<Imported> {
  return imported(openCheckpoint(memorySource(tinyGguf(family, stored))));
}

async function onnxRows({ program, checkpoint }: Imported, contrib: Contrib, engine: OnnxEngine) {
  const source = checkpointSource(program, checkpoint);
  const graph = onnxGraph(optimize(program), "forward", source, contrib);
  const { run, release } = await onnxSession(graph, engine);
  const rows: number[] = [];
  let from = 0;
  for (const count of PIECES) {
    const data = Float64Array.from(ids.slice(from, from + count));
    const outputs = await run({ tokens: makeTensor("i32", [{ name: "T", size: count }], data) });
    rows.push(...(outputs[graph.outputs[0]!.name]!.data as Float32Array));
    from += count;
  }
  await release();
  return { rows, operators: graph.nodes.flatMap(({ op, domain }) => (domain === undefined ? [] : [op])) };
}

describe.each(onnxEngines)("fused operators in %s", (engine) => {
  for (const family of families) {
    it.each(ways)(`${family}, stored as $stored: $contrib.operators`, async ({ stored, contrib }) => {
      const model = await tiny(family, stored);
      const { rows, operators } = await onnxRows(model, contrib, engine);
      expect(new Set(operators)).toEqual(new Set(contrib.operators));
      expect(operators).toHaveLength(2 * contrib.operators.length);
      expect(relativeError(rows, referenceRows(model, ids, PIECES))).toBeLessThan(BOUND);
    });
  }
});

/** A layer of experts with biases around `middle`, and of every form of activation. */
const spec = (params: string, middle: string): string => `import { TopK } from "std"

expert Own[D, F] {
  ${params}
  param down: [F, D]
  param down_bias: [D]
  (x: [D]) => (${middle}) @ down + down_bias
}

model M[D = 64, F = 32, E = 4] {
  use route = TopK[D, E](2, renormalize: false)
  use experts = E of Own[D, F]
  forward(x: [T, D]) -> f32[T, D] => mixture(x, route, experts)
}
`;
const plain = (activation: string): string =>
  spec("param up: [D, F]\n  param up_bias: [F]", `${activation}(x @ up + up_bias)`);
const gated = spec(
  "param gate: [D, F]\n  param gate_bias: [F]\n  param up: [D, F]\n  param up_bias: [F]",
  "silu(x @ gate + gate_bias) * (x @ up + up_bias)",
);

describe.each(onnxEngines)("other forms in %s", (engine) => {
  it("a window", async () => {
    const model = await imported(openCheckpoint(memorySource(tinyGguf("mixtral", "f32"))), undefined, (text) =>
      text.replace("Causal,", "Causal, Window,").replace("mask: Causal", "mask: Causal & Window(4)"),
    );
    expect(model.text).toContain("Window(4)");
    const { rows } = await onnxRows(model, ways[0]!.contrib, engine);
    expect(relativeError(rows, referenceRows(model, ids, PIECES))).toBeLessThan(BOUND);
  });

  it.each([
    ["relu", plain("relu")],
    ["silu", plain("silu")],
    ["gelu_tanh", plain("gelu_tanh")],
    ["identity", plain("")],
    ["swiglu", gated],
  ])("experts with biases and %s, for several tokens, one and none", async (_, text) => {
    const program = programOf(text);
    const source = randomSource(program, 7);
    const graph = onnxGraph(optimize(program), "forward", source, { operators: ["MoE"], storage: "q8_0" });
    expect(graph.nodes.filter(({ op }) => op === "MoE")).toHaveLength(1);
    const { run, release } = await onnxSession(graph, engine);
    for (const count of [5, 1, 0]) {
      const axes = [{ name: "T", size: count }, { name: "D", size: 64 }]; // prettier-ignore
      const x = makeTensor(
        "f32",
        axes,
        Float64Array.from({ length: 64 * count }, (_, i) => Math.fround(Math.sin(i))),
      );
      const params = (path: string): ReferenceTensor => wholeParameter(program, source, path);
      const { outputs } = evaluate(program, "forward", { inputs: { x }, params });
      const found = (await run({ x }))[graph.outputs[0]!.name]!.data as Float32Array;
      const wanted = (Object.values(outputs)[0] as ReferenceTensor).data;
      expect(found).toHaveLength(wanted.length);
      if (count > 0) expect(relativeError(found, wanted)).toBeLessThan(BOUND);
    }
    await release();
  });
});
