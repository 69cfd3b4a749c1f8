import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  fromF32,
  memorySource,
  openCheckpoint,
  toF32,
  type MetadataValue,
  writeGguf,
  writeSafetensors,
} from "../../compiler/checkpoints/index.js";
import {
  detectFamily,
  FAMILIES,
  type FamilyConfig,
  familyTensors,
  ggufMetadata,
  ggufTensors,
  hfConfig,
  hfTensors,
  readFamilyConfig,
  readFamilyTensors,
} from "../../compiler/checkpoints/families/index.js";
import {
  tinyConfigs,
  tinyFamilies,
  tinyGguf,
  tinyBert,
  tinyDense,
  tinyHuggingFace,
  tinyValues,
  tinyVocabulary,
} from "../support/tiny-checkpoints.js";
import { loadTokenizer, tokenizerFromGguf } from "../../runtime/tokenizer/index.js";
import { codedError, codeOf } from "./coded.js";

/** Compares as bytes: a comparison element by element takes seconds for a million values. */
function expectSame(values: Float32Array, expected: Float32Array, key: string): void {
  const bytes = (array: Float32Array): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  expect(bytes(values).equals(bytes(expected)), key).toBe(true);
}

const open = (bytes: Uint8Array) => openCheckpoint(memorySource(bytes));

describe.each(tinyFamilies)("tiny %s", (family) => {
  const config = tinyConfigs[family];

  it("keeps its config through GGUF and config.json", () => {
    expect(readFamilyConfig({ checkpoint: open(tinyGguf(family, "f32")) })).toEqual(config);
    expect(readFamilyConfig({ config: JSON.parse(tinyHuggingFace(family, "f32").config) })).toEqual(config);
  });

  it("gives the same values from both formats", () => {
    const fromGguf = readFamilyTensors(open(tinyGguf(family, "f32")), config);
    const fromHf = readFamilyTensors(open(tinyHuggingFace(family, "f32").model), config);
    expect(fromGguf.unused).toEqual([]);
    expect(fromHf.unused).toEqual([]);
    for (const tensor of familyTensors(config)) {
      const expected = tinyValues(tensor);
      expectSame(fromGguf.readF32(tensor.key), expected, tensor.key);
      expectSame(fromHf.readF32(tensor.key), expected, tensor.key);
    }
  });

  it.each(["f16", "q8_0", "q4_0"] as const)("stores matrices as %s and the rest as f32", (type) => {
    const reader = readFamilyTensors(open(tinyGguf(family, type)), config);
    for (const tensor of reader.tensors) {
      const stored = tensor.rule.matrix ? type : "f32";
      expect(reader.typeOf(tensor.key)).toBe(stored);
      expectSame(reader.readF32(tensor.key), toF32(stored, fromF32(stored, tinyValues(tensor))), tensor.key);
    }
  });

  it("is the same bytes each time and other ones for another seed", () => {
    const once = Buffer.from(tinyGguf(family, "q4_0"));
    expect(once.equals(tinyGguf(family, "q4_0"))).toBe(true);
    expect(once.equals(tinyGguf(family, "q4_0", 2))).toBe(false);
  });

  it("carries a tokenizer", () => {
    const tokenizer = loadTokenizer(tokenizerFromGguf(open(tinyGguf(family, "f16")).metadata));
    const ids = tokenizer.encode("a bé");
    expect(ids[0]).toBe(1);
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe("a bé");
    expect(tokenizer.vocabSize).toBe(config.vocab);
  });
});

/** Small configs of the families without a tiny model. */
const dense = tinyDense;
const others: FamilyConfig[] = [
  dense,
  { ...dense, tied: true, qkvBias: true, outputBias: true, ropeScaling: { kind: "linear", factor: 4 } },
  { ...dense, family: "qwen2", qkvBias: true },
  { ...dense, family: "qwen3", headWidth: 64, qkNorm: "head", tied: true },
  { ...tinyConfigs.olmoe, clipQkv: 8 },
  { ...tinyConfigs.mixtral, slidingWindow: 64 },
  tinyBert,
];

describe.each(others)("$family (tied $tied, biases $qkvBias)", (config) => {
  it("keeps config and values through both formats", () => {
    const metadata = new Map([...ggufMetadata(config, "small"), ...tinyVocabulary(config.vocab)]);
    const gguf = open(writeGguf({ metadata, tensors: ggufTensors(config, tinyValues, "f32") }));
    const hf = open(writeSafetensors({ tensors: hfTensors(config, tinyValues, "f32") }));
    expect(readFamilyConfig({ checkpoint: gguf })).toEqual(config);
    expect(readFamilyConfig({ config: hfConfig(config) })).toEqual(config);
    for (const checkpoint of [gguf, hf]) {
      const reader = readFamilyTensors(checkpoint, config);
      expect(reader.unused).toEqual([]);
      for (const tensor of reader.tensors) expectSame(reader.readF32(tensor.key), tinyValues(tensor), tensor.key);
    }
  });
});

describe("row order", () => {
  it("puts the halves of a head beside each other in GGUF's llama, and only there", () => {
    const rows = (family: "mixtral" | "olmoe") => {
      const config = tinyConfigs[family];
      const byRow = ggufTensors(
        config,
        ({ shape }) => Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => Math.floor(i / shape[1]!)),
        "f32",
      );
      const query = byRow.find(({ name }) => name === "blk.0.attn_q.weight")!;
      return Array.from({ length: 40 }, (_, row) => toF32("f32", query.data())[row * config.width]!);
    };
    expect(rows("olmoe")).toEqual(Array.from({ length: 40 }, (_, row) => row));
    expect(rows("mixtral").slice(0, 6)).toEqual([0, 16, 1, 17, 2, 18]);
    expect(rows("mixtral").slice(32, 36)).toEqual([32, 48, 33, 49]);
  });
});

describe("the model in examples/tiny-moe", () => {
  const folder = new URL("../../examples/tiny-moe/", import.meta.url);
  const config = readFamilyConfig({ config: JSON.parse(readFileSync(new URL("config.json", folder), "utf8")) });
  const checkpoint = open(readFileSync(new URL("model.safetensors", folder)));

  it("is a Mixtral of the sizes that its training says", () => {
    expect(config).toMatchObject({
      family: "mixtral",
      layers: 4,
      width: 256,
      experts: 8,
      expertsPerToken: 2,
      tied: true,
    });
    expect(config.slidingWindow).toBeUndefined();
    const reader = readFamilyTensors(checkpoint, config);
    expect(reader.unused).toEqual([]);
    const parameters = reader.tensors.reduce(
      (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
      0,
    );
    expect(parameters).toBe(7_612_672);
    expect(reader.typeOf("layers.3.experts.down")).toBe("f16");
  });

  it("survives the way through GGUF", () => {
    const reader = readFamilyTensors(checkpoint, config);
    const tensors = ggufTensors(config, ({ key }) => reader.readF32(key), "f16");
    const gguf = readFamilyTensors(open(writeGguf({ metadata: ggufMetadata(config, "tiny"), tensors })), config);
    for (const { key } of reader.tensors) expectSame(gguf.readF32(key), reader.readF32(key), key);
  });
});

describe("refusals", () => {
  const text = (value: string): MetadataValue => ({ type: "string", value });
  const mixtral = hfConfig(tinyConfigs.mixtral);
  const read = (changes: object) => () => readFamilyConfig({ config: { ...mixtral, ...changes } });

  it("of unknown families list the known ones", () => {
    const hf = codedError(() => detectFamily({ config: { model_type: "gpt_neox" } }));
    expect(hf.code).toBe("MOE5119");
    for (const { modelType } of Object.values(FAMILIES)) expect(hf.help).toContain(modelType);
    const gguf = codedError(() => detectFamily({ metadata: new Map([["general.architecture", text("mamba")]]) }));
    expect(gguf.code).toBe("MOE5119");
    expect(gguf.help).toContain("qwen3moe");
    expect(codeOf(() => detectFamily({ metadata: new Map([["general.architecture", text("olmoe")]]) }))).toBe(
      "MOE5119",
    );
  });

  it.each<[string, string, () => unknown]>([
    ["no model type", "MOE5120", () => detectFamily({ config: {} })],
    ["a config that is a list", "MOE5120", () => detectFamily({ config: [] })],
    ["no architecture", "MOE5112", () => detectFamily({ metadata: new Map() })],
    ["a missing number", "MOE5120", read({ hidden_size: undefined })],
    ["a number as text", "MOE5120", read({ hidden_size: "128" })],
    ["a flag as text", "MOE5120", read({ tie_word_embeddings: "no" })],
    ["half a layer", "MOE5120", read({ num_hidden_layers: 1.5 })],
    ["a billion layers", "MOE5120", read({ num_hidden_layers: 1e9 })],
    ["heads that do not divide", "MOE5120", read({ num_key_value_heads: 3 })],
    ["more chosen experts than there are", "MOE5120", read({ num_experts_per_tok: 9 })],
    ["an odd head width", "MOE5120", read({ head_dim: 33 })],
    ["another activation", "MOE5121", read({ hidden_act: "relu2" })],
    ["another rotary scaling", "MOE5121", read({ rope_scaling: { rope_type: "yarn", factor: 4 } })],
    ["a scaling without factor", "MOE5120", read({ rope_scaling: { type: "linear" } })],
    [
      "a window in Qwen",
      "MOE5121",
      () => readFamilyConfig({ config: { ...hfConfig(tinyConfigs["qwen2-moe"]), use_sliding_window: true } }),
    ],
    [
      "normalization that GGUF cannot say",
      "MOE5121",
      () => ggufMetadata({ ...tinyConfigs.olmoe, normalizeTopK: true }, "x"),
    ],
    ["dense layers in GGUF", "MOE5121", () => ggufMetadata({ ...tinyConfigs["qwen3-moe"], denseLayers: [0] }, "x")],
    [
      "a missing tensor",
      "MOE5116",
      () => readFamilyTensors(open(tinyGguf("mixtral", "f16")), tinyConfigs["qwen2-moe"]),
    ],
    [
      "a tensor of another shape",
      "MOE5122",
      () => readFamilyTensors(open(tinyGguf("mixtral", "f16")), { ...tinyConfigs.mixtral, width: 64 }),
    ],
  ])("of %s", (_, code, action) => {
    expect(codeOf(action)).toBe(code);
  });
});

describe("config.json of released models", () => {
  it("gives Qwen's layers without experts by list and by step", () => {
    const config = {
      ...hfConfig(tinyConfigs["qwen2-moe"]),
      num_hidden_layers: 6,
      mlp_only_layers: [0],
      decoder_sparse_step: 2,
    };
    const read = readFamilyConfig({ config });
    expect(read.denseLayers).toEqual([0, 2, 4]);
    const keys = familyTensors(read).map(({ key }) => key);
    expect(keys).toContain("layers.2.gate");
    expect(keys).not.toContain("layers.2.router");
    expect(keys).toContain("layers.3.experts.gate");
  });

  it("reads Llama 3's scaling and the newer place of theta", () => {
    const scaling = {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    const config: Record<string, unknown> = { ...hfConfig(dense), rope_scaling: scaling };
    expect(readFamilyConfig({ config }).ropeScaling).toEqual({
      kind: "llama3",
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContext: 8192,
    });
    delete config["rope_theta"];
    delete config["rope_scaling"];
    const newer = { ...config, rope_parameters: { rope_theta: 500000, rope_type: "default" } };
    expect(readFamilyConfig({ config: newer })).toMatchObject({ ropeTheta: 500000 });
  });

  it("finds BERT's tensors behind a prefix and ignores its heads", () => {
    const config = others.at(-1)!;
    const prefixed = hfTensors(config, tinyValues, "f32").map((tensor) => ({ ...tensor, name: `bert.${tensor.name}` }));
    const pooler = { ...prefixed[0]!, name: "bert.pooler.dense.weight" };
    const stranger = { ...prefixed[0]!, name: "bert.adapter.weight" };
    const reader = readFamilyTensors(open(writeSafetensors({ tensors: [...prefixed, pooler, stranger] })), config);
    expect(reader.unused).toEqual(["bert.adapter.weight"]);
  });
});
