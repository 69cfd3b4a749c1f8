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

function errorOf(source: Source): MoecError | undefined {
  try {
    specOf(source);
    return undefined;
  } catch (error) {
    if (error instanceof MoecError) return error;
    throw error;
  }
}

/** The code and what is pointed at, or "imported". */
function refusal(source: Source): string {
  const error = errorOf(source);
  return error ? `${error.code} ${error.message}` : "imported";
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
    expect(refusal({ checkpoint, config: { ...plain, [key]: { factor: 2 } } })).toMatch(/^MOE5120 .*rope_type/);
    const dynamic = { rope_type: "dynamic", factor: 2 };
    expect(refusal({ checkpoint, config: { ...plain, [key]: dynamic } })).toMatch(/^MOE5121 .*"dynamic"/);
  });
});

describe.each([...records, ...designs])("where positions of %s are said", (name, { checkpoint, config }) => {
  const { rope_scaling: scaling, partial_rotary_factor: _part, ...rest } = config;
  const { attn_config: attention } = config;
  const parts = (part: number): readonly [string, Json][] => [
    ["the config", { ...config, partial_rotary_factor: part }],
    ["rope_parameters", { ...rest, rope_scaling: scaling, rope_parameters: { partial_rotary_factor: part } }],
    ["rope_scaling", { ...rest, rope_scaling: { ...(scaling as Json | undefined), partial_rotary_factor: part } }],
    ...(attention === undefined
      ? []
      : ["", "rope_parameters", "rope_scaling"].map((key): [string, Json] => {
          const said = { partial_rotary_factor: part };
          const inner = key === "" ? said : { [key]: said };
          return [`attn_config ${key}`, { ...config, attn_config: { ...(attention as Json), ...inner } }];
        })),
  ];
  it.each(parts(0.25))("a part of each head is seen: %s", (_, changes) => {
    expect(refusal({ checkpoint, config: changes })).toMatch(/^MOE5121 .*partial_rotary_factor/);
  });

  it.each(parts(1))("the whole head is the same wherever it is said: %s", (_, changes) => {
    const whole = { ...rest, rope_scaling: scaling, ...(name === "glm-4.5" ? { partial_rotary_factor: 1 } : {}) };
    expect(specOf({ checkpoint, config: changes })).toBe(specOf({ checkpoint, config: whole }));
  });

  it("two objects may say the same, and are refused where they do not", () => {
    const { rope_type: _, type: kind = "default", ...numbers } = (scaling ?? {}) as Json;
    const again = {
      ...rest,
      rope_scaling: { ...numbers, type: kind },
      rope_parameters: { rope_type: kind, ...numbers },
    };
    const once = { ...rest, rope_scaling: scaling };
    const part = name === "glm-4.5" ? { partial_rotary_factor: 0.5 } : {};
    expect(specOf({ checkpoint, config: { ...again, ...part } })).toBe(
      specOf({ checkpoint, config: { ...once, ...part } }),
    );
    const other = { rope_type: "yarn", factor: 5, original_max_position_embeddings: 64 };
    const both = { ...rest, rope_scaling: { type: kind, ...numbers }, rope_parameters: other };
    expect(refusal({ checkpoint, config: both })).toMatch(/^MOE5121 .*rope_parameters.*yarn/);
  });
});

describe.each([...records, ...designs])("the base of positions of %s", (_, { checkpoint, config }) => {
  const { rope_theta: _theta, rope_scaling: scaling, attn_config: attention, ...rest } = config;
  const said = (...values: readonly number[]): Json => {
    const [own, parameters, nested] = values;
    const inner = attention === undefined ? {} : { attn_config: { ...(attention as Json), rope_theta: nested ?? own } };
    const rope = { rope_scaling: { type: "default", ...(scaling as Json | undefined), rope_theta: parameters } };
    return { ...rest, ...inner, rope_theta: own, ...rope };
  };

  it("may stand at two places, and is refused where they say different things", () => {
    expect(specOf({ checkpoint, config: said(5000, 5000) })).toContain("theta: 5000");
    const error = errorOf({ checkpoint, config: said(5000, 7000) });
    expect(error?.code).toBe("MOE5121");
    expect(error?.message).toContain("`rope_scaling.rope_theta` is 7000");
    expect(error?.help).toContain("rope_theta` says 5000");
    if (attention !== undefined) expect(refusal({ checkpoint, config: said(5000, 5000, 6000) })).toMatch(/^MOE5121/);
  });
});

it("GLM-4.5 turns whole heads where `rope_parameters` says so, and contradictions are refused", () => {
  const { checkpoint, config } = byName.get("glm-4.5")!;
  const { partial_rotary_factor: half, rope_theta: _, ...rest } = config;
  const rope = { rope_type: "default", rope_theta: 5000, partial_rotary_factor: 1 };
  const spec = specOf({ checkpoint, config: { ...rest, rope_parameters: rope } });
  expect(spec).toContain("theta: 5000");
  expect(spec).not.toContain("turn_half");
  const both = { ...rest, partial_rotary_factor: half, rope_parameters: rope };
  expect(refusal({ checkpoint, config: both })).toMatch(/^MOE5121 .*rope_parameters\.partial_rotary_factor/);
  expect(refusal({ checkpoint, config: { ...rest, partial_rotary_factor: "half" } })).toMatch(/^MOE5120/);
});

it.each(["rope_parameters", "rope_scaling"])("DBRX's stretched positions are seen in attn_config: %s", (key) => {
  const { checkpoint, config } = byName.get("dbrx")!;
  const scaling = { rope_type: "yarn", factor: 4, rope_theta: 10_000 };
  const attention = { ...(config["attn_config"] as Json), [key]: scaling };
  const refused = refusal({ checkpoint, config: { ...config, attn_config: attention } });
  expect(refused).toMatch(new RegExp(`^MOE5121 .*attn_config\\.${key}.*yarn`));
});

it("SmallThinker's experts are ReLU, and its windows have keys of their own", () => {
  const plain = byName.get("smallthinker")!;
  expect(specOf(changed("smallthinker", { hidden_act: "relu" }))).toBe(specOf(plain));
  expect(refusal(changed("smallthinker", { hidden_act: "silu" }))).toMatch(/^MOE5121 .*hidden_act/);
  const windows = changed("smallthinker", { use_sliding_window: true, sliding_window: 3 });
  expect(refusal(windows)).toMatch(/^MOE5121 .*sliding_window/);
});

describe("Llama 4 beside images", () => {
  const { checkpoint, config } = byName.get("llama-4")!;
  const outer = (text: Json, whole: Json = {}): Source => {
    const tensors = designTensors(config).map((tensor: NamedTensor) => ({
      ...tensor,
      name: `language_model.${tensor.name}`,
    }));
    return { checkpoint: designCheckpoint(tensors), config: { model_type: "llama4", ...whole, text_config: text } };
  };
  const { rope_theta: _, ...rest } = config;

  it("has its positions one level down", () => {
    const rope = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const parameters = { ...rope, original_max_position_embeddings: 64, rope_theta: 777 };
    const spec = specOf(outer({ ...rest, rope_parameters: parameters }));
    expect(spec).toMatch(/PairedLlama3RoPE\[C\]\(theta: 777, factor: 8,/);
    expect(refusal(outer({ ...config, hidden_act: "gelu" }))).toMatch(/^MOE5121 .*hidden_act/);
  });

  it("reads its ties in the text part first; a copied head is not read", () => {
    const { tie_word_embeddings: _tie, ...silent } = config;
    const [tied, apart] = [{ tie_word_embeddings: true }, { tie_word_embeddings: false }];
    expect(specOf(outer(silent, tied))).toContain("@ tok");
    expect(specOf(outer({ ...silent, ...tied }))).toContain("@ tok");
    expect(specOf(outer({ ...silent, ...tied }, apart))).toContain("@ tok");
    expect(specOf(outer({ ...silent, ...apart }, tied))).toContain("@ output");
    expect(specOf(outer(silent))).toContain("@ output");
  });

  it("has a part of each head that turns one level down", () => {
    const { text_config: text, ...whole } = outer({ ...rest, rope_parameters: { partial_rotary_factor: 0.5 } }).config;
    const { checkpoint: tensors } = outer(config);
    const refused = refusal({ checkpoint: tensors, config: { ...whole, text_config: text } });
    expect(refused).toMatch(/^MOE5121 .*partial_rotary_factor/);
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
  it("of JetMoE is its own where the checkpoint has it, although its class ties it", () => {
    const { config } = byName.get("jetmoe")!;
    const { tie_word_embeddings: _, ...silent } = config;
    const checkpoint = designCheckpoint(designTensors({ ...config, tie_word_embeddings: false }));
    expect(specOf({ checkpoint, config: silent })).toContain("@ output");
    expect(specOf({ checkpoint, config })).toContain("@ tok");
  });

  const renamed = (name: string, to?: string): Source => {
    const { config } = byName.get(name)!;
    const tensors = designTensors(config).flatMap((tensor) =>
      tensor.name !== "lm_head.weight" ? [tensor] : to === undefined ? [] : [{ ...tensor, name: to }],
    );
    return { checkpoint: designCheckpoint(tensors), config };
  };
  const noCopy = /The config says that the output is no copy of the embedding/;
  it.each(["dbrx", "phi-3.5-moe"])("of %s is missing, of which no key says anything", (name) => {
    const { tie_word_embeddings: _, ...config } = byName.get(name)!.config;
    for (const said of [config, { ...config, tie_word_embeddings: false }]) {
      const error = errorOf({ ...renamed(name), config: said });
      expect(error?.code).toBe("MOE5116");
      expect(error?.help ?? "").not.toMatch(noCopy);
    }
    expect(errorOf({ ...renamed(name, "lm_heads.weight"), config })?.help).toContain("lm_heads.weight");
  });
  it("is missing where the config wants one of its own, and where it is below another name, that is said", () => {
    expect(errorOf(changed("qwen2", { tie_word_embeddings: false }))?.help).toMatch(noCopy);
    expect(errorOf(renamed("deepseek-v3"))?.help).toMatch(noCopy);
    expect(errorOf(renamed("deepseek-v3", "model.lm_head.weight"))?.help).toBe("Nearest names: model.lm_head.weight.");
  });
  it.each(["qwen2", "granite"])("of %s is missing where the config wants one of its own", (name) => {
    expect(refusal(changed(name, { tie_word_embeddings: false }))).toMatch(/^MOE5116 .*lm_head\.weight/);
  });
});
