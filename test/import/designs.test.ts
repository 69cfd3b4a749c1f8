/** Families with designs: imported specs against their math in plain loops, on the reference and on wasm. */
import { describe, expect, it } from "vitest";
import { importModel } from "../../compiler/checkpoints/import/index.js";
import { designForward } from "./design-forward.js";
import { designCheckpoint, designConfigs, designTensors } from "./designs.js";
import { imported, referenceRows, relativeError, wasmModel, wasmRows } from "./imported.js";

const IDS = [1, 300, 17, 42, 311, 3, 3, 260, 99, 128];
/** A prompt and then one token at a time. */
const DECODE = [7, 1, 1, 1];

/**
 * As in math.test.ts: sums of K = 128 products and a dozen roundings in a row for each two layers, here up to eight:
 * sqrt(128) * 4 * 12 * 2^-24 = 3.2e-5 at worst; the evaluator keeps f64 inside of an op and is far below.
 */
const F32 = 4e-5;

describe.each(Object.entries(designConfigs))("%s", (_, config) => {
  it("is its family's math on the reference evaluator and on wasm, at once and token by token", async () => {
    const tensors = designTensors(config);
    const expected = designForward(config, tensors, IDS);
    expect(expected.every(Number.isFinite)).toBe(true);
    const model = await imported(designCheckpoint(tensors), config);
    expect(relativeError(referenceRows(model, IDS), expected)).toBeLessThan(F32);
    using wasm = await wasmModel(model);
    expect(relativeError(await wasmRows(wasm, IDS, DECODE), expected)).toBeLessThan(F32);
  });
});

describe("what is refused", () => {
  const code = (
    config: Readonly<Record<string, unknown>>,
    tensors = designTensors(designConfigs["deepseek-v3"]!),
  ): string => {
    try {
      importModel({ checkpoint: designCheckpoint(tensors), config, name: "M", source: "test" });
      return "nothing";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const deepseek = designConfigs["deepseek-v3"]!;
  it.each([
    ["another family", "MOE5119", { model_type: "mamba" }],
    ["a missing number", "MOE5120", { kv_lora_rank: undefined }],
    ["positions of another kind", "MOE5121", { rope_scaling: { type: "su", factor: 2 } }],
    ["a frequency of layers", "MOE5121", { moe_layer_freq: 2 }],
    ["a rank that the tensors don't have", "MOE5122", { kv_lora_rank: 16 }],
    ["layers that are not there", "MOE5116", { num_hidden_layers: 5 }],
  ])("%s", (_, expected, changes) => {
    expect(code({ ...deepseek, ...changes })).toBe(expected);
  });
  it("tensors that nothing reads", () => {
    const tensors = designTensors(deepseek);
    expect(code(deepseek, [...tensors, { ...tensors[1]!, name: "model.layers.0.extra.weight" }])).toBe("MOE5124");
    // The layers that predict a second token are known and left out.
    expect(code(deepseek, [...tensors, { ...tensors[1]!, name: "model.layers.4.eh_proj.weight" }])).toBe("nothing");
  });
});
