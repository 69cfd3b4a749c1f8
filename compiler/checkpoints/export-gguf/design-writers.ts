/**
 * How readers of GGUF such as llama.cpp know the families of designs: keys that their configs do not have under a name of
 * their own, and numbers that readers have in their code. What a design reads under both names needs no line here.
 */
import { unsupportedConfig } from "../errors.js";
import type { Design, Fields } from "../import/designs/index.js";
import type { MetadataValue } from "../types.js";

/** Metadata behind the name of the architecture. */
export type Keys = Readonly<Record<string, MetadataValue>>;

/** How a family is written. */
export interface DesignWriter {
  /** Keys beside those that the config was read by; they go before them. */
  readonly keys?: (design: Design) => Keys;
  /** Keys that no reader looks at: what they say is a constant there, or nothing. */
  readonly unread?: readonly string[];
  /** A tensor whose name says in which form attention is stored. */
  readonly form?: string;
  /** Positions stretched as in Llama 3.1 are a table of divisors in the file. */
  readonly divisors?: true;
  /** A model without an output projection of its own is read with its embedding; others need a copy of it. */
  readonly readsTied: boolean;
  /** @throws MoecError MOE5121 for numbers that readers would not follow. */
  readonly refuse?: (fields: Fields, design: Design) => void;
  /** What readers do otherwise, in sentences. */
  readonly notes?: (design: Design) => readonly string[];
}

const u32 = (value: number): MetadataValue => ({ type: "u32", value });
const f32 = (value: number): MetadataValue => ({ type: "f32", value });
const bool = (value: boolean): MetadataValue => ({ type: "bool", value });

/** `expert_gating_func`: how scores of experts are made. */
const GATING = { softmax: u32(1), sigmoid: u32(2) } as const;

const axis = ({ axes, inner = {} }: Design, name: string): number => axes[name] ?? inner[name] ?? 0;
/** Whether the design has a parameter. */
export const has = ({ tensors }: Design, path: string): boolean => tensors.some((tensor) => tensor.path === path);

/** Keys of heads whose keys, values and turning channels are equally wide. */
const heads = (design: Design): Keys => ({
  "attention.value_length": u32(axis(design, "C")),
  "rope.dimension_count": u32(axis(design, "C")),
});

/** Readers tell by these numbers of layers that queries of DeepSeek have no latent; 26 came later. */
const LITE_LAYERS: readonly number[] = [26, 27];

const READERS = "Readers of GGUF files do not follow it for this family.";

/** By the name of the family; those without a writer are not written. */
export const DESIGN_WRITERS: Readonly<Record<string, DesignWriter>> = {
  deepseek: {
    keys: (design) => {
      const [C, P, K, W] = ["C", "P", "K", "W"].map((name) => axis(design, name)) as [number, number, number, number];
      const isSigmoid = has(design, "layers[i].route.bias");
      return {
        ...(axis(design, "I") === 0 ? { feed_forward_length: u32(axis(design, "F")) } : {}),
        // Heads share one key and one value, the latents: what is above them is a part of queries and outputs.
        "attention.head_count_kv": u32(1),
        "attention.key_length": u32(K + P),
        "attention.value_length": u32(K),
        "attention.key_length_mla": u32(C + P),
        "attention.value_length_mla": u32(W),
        expert_gating_func: isSigmoid ? GATING.sigmoid : GATING.softmax,
        expert_weights_norm: bool(isSigmoid),
      };
    },
    form: "blk.0.attn_k_b.weight",
    readsTied: false,
    refuse: (fields, design) => {
      const isLite = LITE_LAYERS.includes(axis(design, "L"));
      if ((axis(design, "Q") === 0) === isLite) return;
      const help = `${READERS} It is null for ${LITE_LAYERS.join(" and ")} layers and a number for all others.`;
      throw unsupportedConfig("q_lora_rank", String(fields.value("q_lora_rank")), help);
    },
    notes: (design) =>
      axis(design, "L") === 26
        ? ["Versions of llama.cpp from before December 2025 refuse 26 layers whose queries have no latent."]
        : [],
  },
  "gpt-oss": {
    keys: (design) => ({
      "attention.value_length": u32(axis(design, "C")),
      feed_forward_length: u32(axis(design, "F")),
    }),
    readsTied: false,
    refuse: (fields) => fields.only("swiglu_limit", undefined, [7]),
    notes: ({ members }) =>
      members.includes("= Yarn[")
        ? ["Readers such as llama.cpp round YaRN's band to whole pairs of channels, which this model does not."]
        : [],
  },
  "glm4-moe": {
    keys: (design) => ({
      "attention.value_length": u32(axis(design, "C")),
      "rope.dimension_count": u32(isHalfTurned(design) ? axis(design, "C") / 2 : axis(design, "C")),
      expert_gating_func: GATING.sigmoid,
      expert_weights_norm: bool(true),
    }),
    readsTied: true,
  },
  "granite-moe": {
    keys: (design) => ({ "rope.dimension_count": u32(axis(design, "C")) }),
    readsTied: true,
  },
  llama4: { keys: heads, unread: ["attention.chunk_size"], divisors: true, readsTied: true },
  "lfm2-moe": {
    keys: (design) => ({
      "attention.head_count_kv": { type: "array", of: "u32", values: groupsOfLayers(design) },
      expert_gating_func: GATING.sigmoid,
    }),
    unread: ["expert_weights_scale"],
    readsTied: true,
  },
  smallthinker: {
    keys: (design) => ({
      ...heads(design),
      expert_feed_forward_length: u32(axis(design, "F")),
      expert_gating_func: design.declarations.some((text) => text.includes("softmax(x @ w"))
        ? GATING.softmax
        : GATING.sigmoid,
    }),
    readsTied: true,
    refuse: (fields, design) => {
      const window = fields.optional("sliding_window_size", undefined) ?? 0;
      const isUsed = design.declarations.some((text) => text.includes("Window("));
      if (!isUsed) return;
      if (window !== 4096)
        throw unsupportedConfig("sliding_window_size", String(window), `${READERS} It is 4096 there.`);
      // Of as many layers as positions skip, all turn there.
      const L = axis(design, "L");
      if (L === 4)
        throw unsupportedConfig("num_hidden_layers", "4", `${READERS} All four layers have positions there.`);
    },
  },
  dbrx: { keys: () => ({ "attention.layer_norm_epsilon": f32(1e-5) }), readsTied: false },
  arctic: { keys: (design) => ({ "rope.dimension_count": u32(axis(design, "C")) }), readsTied: true },
};

const isHalfTurned = ({ declarations }: Design): boolean => declarations.some((text) => text.includes("fn turn_half"));

/** Groups of keys of each layer; none for convolutions. */
function groupsOfLayers(design: Design): Uint32Array {
  const { layers = [] } = design.tensors.find(({ path }) => path === "layers[i].attn.k") ?? {};
  return Uint32Array.from({ length: axis(design, "L") }, (_, layer) =>
    layers.includes(layer) ? axis(design, "G") : 0,
  );
}
