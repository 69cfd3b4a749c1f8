/** What configs of other versions and other models say in other words: read, or refused; never passed over. */
import { describe, expect, it } from "vitest";
import { importModel } from "../../compiler/checkpoints/import/index.js";
import type { Checkpoint } from "../../compiler/checkpoints/index.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { configs, hfOf } from "./configs.js";
import { designCheckpoint, designConfigs, designTensors, type Json, type NamedTensor } from "./designs.js";

interface Source {
  readonly checkpoint: Checkpoint;
  readonly config: Json;
}

const designs = Object.entries(designConfigs).map(([name, config]): [string, Source] => [
  name,
  { config, checkpoint: designCheckpoint(designTensors(config)) },
]);
const records = Object.entries(configs)
  .filter(([name]) => name !== "bert")
  .map(([name, config]): [string, Source] => [name, hfOf(config)]);
const byName = new Map([...records, ...designs]);

const specOf = ({ checkpoint, config }: Source): string =>
  importModel({ checkpoint, config, name: "Model", source: "test" }).spec;

/** The code and what is pointed at, or "imported". */
function refusal(source: Source): string {
  try {
    specOf(source);
    return "imported";
  } catch (error) {
    if (error instanceof MoecError) return `${error.code} ${error.message}`;
    throw error;
  }
}

const changed = (name: string, changes: Json): Source => {
  const { checkpoint, config } = byName.get(name)!;
  return { checkpoint, config: { ...config, ...changes } };
};

describe.each([...records, ...designs])("positions of %s", (_, { checkpoint, config }) => {
  const { rope_theta: _old, rope_scaling: scaling, attn_config: attention, ...rest } = config;
  const theta = 123_456;

  it("are the same where `rope_parameters` has them, as newer configs do", () => {
    const inner = attention === undefined ? {} : { attn_config: { ...(attention as Json), rope_theta: theta } };
    const older = { ...rest, ...inner, rope_theta: theta, ...(scaling === undefined ? {} : { rope_scaling: scaling }) };
    const { rope_theta: _theta, ...without } = { rope_theta: 0, ...(attention as Json | undefined) };
    const kind = (scaling as Json | undefined)?.["type"] ?? "default";
    const parameters = { rope_type: kind, ...(scaling as Json | undefined), rope_theta: theta };
    const newer = {
      ...rest,
      ...(attention === undefined ? {} : { attn_config: without }),
      rope_parameters: parameters,
    };
    const spec = specOf({ checkpoint, config: newer });
    expect(spec).toContain("theta: 123_456");
    expect(spec).toBe(specOf({ checkpoint, config: older }));
  });

  it.each(["rope_scaling", "rope_parameters"])("are refused where `%s` is no object or has parts for layers", (key) => {
    const { rope_scaling: _scaling, ...plain } = config;
    expect(refusal({ checkpoint, config: { ...plain, [key]: 4 } })).toMatch(
      `MOE5120 config \`${key}\` is not an object`,
    );
    const parts = { full_attention: { rope_type: "default", rope_theta: 1e6 } };
    expect(refusal({ checkpoint, config: { ...plain, [key]: parts } })).toMatch(/^MOE5121 .*full_attention/);
    const dynamic = { rope_type: "dynamic", factor: 2 };
    expect(refusal({ checkpoint, config: { ...plain, [key]: dynamic } })).toMatch(/^MOE5121 .*"dynamic"/);
  });
});

describe("Llama 4 beside images", () => {
  const { checkpoint, config } = byName.get("llama-4")!;
  const outer = (text: Json): Source => {
    const tensors = designTensors(config).map((tensor: NamedTensor) => ({
      ...tensor,
      name: `language_model.${tensor.name}`,
    }));
    return { checkpoint: designCheckpoint(tensors), config: { model_type: "llama4", text_config: text } };
  };
  const { rope_theta: _, ...rest } = config;

  it("has its positions one level down", () => {
    const rope = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const parameters = { ...rope, original_max_position_embeddings: 64, rope_theta: 777 };
    const spec = specOf(outer({ ...rest, rope_parameters: parameters }));
    expect(spec).toMatch(/PairedLlama3RoPE\[C\]\(theta: 777, factor: 8,/);
    expect(refusal(outer({ ...config, hidden_act: "gelu" }))).toMatch(/^MOE5121 .*hidden_act/);
  });

  it("takes a number for the flag that sharpens queries, and `false`", () => {
    const spec = specOf({ checkpoint, config });
    expect(spec).toContain("sharper");
    expect(specOf({ checkpoint, config: { ...config, attn_temperature_tuning: 4 } })).toBe(spec);
    expect(specOf({ checkpoint, config: { ...config, attn_temperature_tuning: false } })).not.toContain("sharper");
    expect(refusal({ checkpoint, config: { ...config, attn_temperature_tuning: "yes" } })).toMatch(/^MOE5120/);
  });

  it("is refused where kinds of layers contradict the layers without positions", () => {
    const kinds = [1, 1, 1, 0, 1, 1, 1, 0].map((one) => (one === 1 ? "chunked_attention" : "full_attention"));
    expect(refusal({ checkpoint, config: { ...config, layer_types: kinds } })).toBe("imported");
    const other = kinds.with(1, "full_attention");
    expect(refusal({ checkpoint, config: { ...config, layer_types: other } })).toMatch(/^MOE5121 .*in layer 1/);
  });
});

describe.each(designs)("options of %s", (name) => {
  const other: Json = {
    hidden_act: "gelu",
    final_logit_softcapping: 30,
    attn_logit_softcapping: 50,
    embedding_multiplier: 3,
    partial_rotary_factor: 0.25,
    layer_types: ["linear_attention"],
    sliding_window: 3,
    quantization_config: { quant_method: "fp8" },
  };
  /** Those that the family reads. */
  const own: Readonly<Record<string, readonly string[]>> = {
    granite: ["embedding_multiplier"],
    "granite with a shared expert": ["embedding_multiplier"],
    smallthinker: ["hidden_act", "sliding_window"],
    "gpt-oss": ["sliding_window"],
    "gpt-oss without scaling": ["sliding_window"],
  };
  it.each(Object.keys(other).filter((key) => !own[name]?.includes(key)))("that its math lacks: %s", (key) => {
    expect(refusal(changed(name, { [key]: other[key] }))).toMatch(/^MOE5121 /);
  });
});

describe("the output projection", () => {
  it.each(["llama", "granite", "deepseek-v3"])(
    "of %s is the embedding where the config says so, copied or not",
    (name) => {
      const source = changed(name, { tie_word_embeddings: true });
      expect(specOf(source)).toContain("@ tok");
      if (name !== "granite") expect(source.checkpoint.tensors.has("lm_head.weight")).toBe(true);
    },
  );
  it.each(["qwen2", "granite", "jetmoe"])(
    "of %s is the embedding where neither config nor checkpoint says else",
    (name) => {
      expect(specOf(changed(name, { tie_word_embeddings: undefined }))).toContain("@ tok");
    },
  );
  it.each(["llama", "deepseek-v3"])(
    "of %s is its own where the checkpoint has it and the config says nothing",
    (name) => {
      expect(specOf(changed(name, { tie_word_embeddings: undefined }))).toContain("@ output");
    },
  );
  it.each(["qwen2", "granite"])("of %s is missing where the config wants one of its own", (name) => {
    expect(refusal(changed(name, { tie_word_embeddings: false }))).toMatch(/^MOE5116 .*lm_head\.weight/);
  });
});
