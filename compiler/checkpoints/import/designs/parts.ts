/** Pieces that several designs are put together from: sizes, attention, layers, and their tensors. */
import { OUTPUT_TENSOR } from "../../families/common.js";
import { condition } from "../layers.js";
import { indent, lines, numberText } from "../text.js";
import type { Fields } from "./fields.js";
import type { Rotary } from "./rotary.js";
import type { OutputHead, StoredTensor } from "./types.js";

/** Sizes that nearly all decoders call the same. */
export interface DecoderSizes {
  /** Layers. */
  readonly L: number;
  /** Width. */
  readonly D: number;
  /** Heads of queries. */
  readonly H: number;
  /** Vocabulary. */
  readonly V: number;
}

export function decoderSizes(fields: Fields): DecoderSizes {
  return {
    L: fields.size("num_hidden_layers", "block_count"),
    D: fields.size("hidden_size", "embedding_length"),
    H: fields.size("num_attention_heads", "attention.head_count"),
    V: fields.rows("token_embd.weight") ?? fields.size("vocab_size", "vocab_size"),
  };
}

/** Sizes of families whose config has Mixtral's names: also groups of keys, width of a head, and the experts'. */
export function mixtralSizes(fields: Fields): DecoderSizes & Readonly<Record<"G" | "C" | "E" | "k" | "F", number>> {
  const sizes = decoderSizes(fields);
  const { D, H } = sizes;
  return {
    ...sizes,
    G: fields.size("num_key_value_heads", "attention.head_count_kv", H),
    C: D / H,
    E: fields.size("num_local_experts", "expert_count"),
    k: fields.size("num_experts_per_tok", "expert_used_count"),
    F: fields.size("intermediate_size", "feed_forward_length"),
  };
}

export interface AttentionText {
  readonly name: string;
  /** Comment without the marks. */
  readonly doc: string;
  readonly bias?: boolean;
  readonly outputBias?: boolean;
  /** Norm on each head of queries and keys, of this epsilon, before they turn. */
  readonly headNorm?: number;
  readonly rotary?: Rotary;
  /** How a value turns, where it is more than the rotary's own call. */
  readonly turn?: (value: string) => string;
  /** Applied to queries and keys behind the turn. */
  readonly after?: (value: string) => string;
  /** Applied to queries last. */
  readonly query?: (value: string) => string;
  readonly parameters?: readonly string[];
  readonly scale?: string;
  readonly sinks?: boolean;
}

/** Grouped attention with a cache, as a block over [D, H, G, C]. */
export function attentionBlock(options: AttentionText): string {
  const { name, doc, bias = false, outputBias = false, headNorm, rotary, sinks = false } = options;
  const same = (value: string): string => value;
  const { after = same, query = same, scale = "1 / sqrt(C)" } = options;
  const turn = options.turn ?? rotary?.turn ?? same;
  const projected = (axis: string): string => (bias ? `x @ ${axis} + ${axis}_bias` : `x @ ${axis}`);
  const normed = (axis: string): string =>
    headNorm === undefined ? projected(axis) : `${axis}_norm(${projected(axis)})`;
  const parameters = ["mask: mask", ...(rotary ? [rotary.parameter] : []), ...(options.parameters ?? [])];
  const seen = sinks
    ? `attend(queries, ks, vs, mask: mask, scale: ${scale}, sinks: split(sinks, H -> [G, R]))`
    : `attend(queries, ks, vs, mask: mask, scale: ${scale})`;
  return `/// ${doc}
block ${name}[D, H, G, C](${parameters.join(", ")}) {
${indent(
  lines(
    "param q: [D, H, C]",
    bias && "param q_bias: [H, C]",
    "param k: [D, G, C]",
    bias && "param k_bias: [G, C]",
    "param v: [D, G, C]",
    bias && "param v_bias: [G, C]",
    "param o: [H, C, D]",
    outputBias && "param o_bias: [D]",
    sinks && "param sinks: [H]",
    headNorm !== undefined && `use q_norm = RMSNorm[C](epsilon: ${numberText(headNorm)})`,
    headNorm !== undefined && `use k_norm = RMSNorm[C](epsilon: ${numberText(headNorm)})`,
    "state keys: cache[T, G, C]",
    "state values: cache[T, G, C]",
    "(x: [T, D]) => {",
    `  let queries = split(${query(after(turn(normed("q"))))}, H -> [G, R])`,
    `  let ks = append(keys, ${after(turn(normed("k")))}, as: S)`,
    `  let vs = append(values, ${projected("v")}, as: S)`,
    `  let seen = ${seen}`,
    `  contract(merge(seen, [G, R] -> H), o, over: [H, C])${outputBias ? " + o_bias" : ""}`,
    "}",
  ),
)}
}`;
}

export interface AttentionNames {
  readonly hf: string;
  readonly bias?: boolean;
  readonly outputBias?: boolean;
  readonly headNorm?: readonly [hfQuery: string, hfKey: string];
  /** GGUF rows of queries and keys are interleaved. */
  readonly interleaved?: boolean;
  readonly layers?: readonly number[];
  /** Hugging Face's name of the output projection. */
  readonly output?: string;
}

/** Tensors of `attentionBlock` under `layers[i].attn`. */
export function attentionTensors(fields: Fields, names: AttentionNames): readonly StoredTensor[] {
  const { hf, bias, outputBias, headNorm, interleaved, layers, output = "o_proj" } = names;
  const part = layers === undefined ? {} : { layers };
  const turned = interleaved === true && fields.isGguf ? ({ interleaved: true } as const) : {};
  const tensor = (path: string, from: string, to: string, axes: readonly string[], more = {}): StoredTensor => ({
    path: `layers[i].attn.${path}`,
    name: fields.name(`model.layers.{i}.${hf}.${from}`, `blk.{i}.${to}`),
    axes,
    ...part,
    ...more,
  });
  return [
    tensor("q", "q_proj.weight", "attn_q.weight", ["H", "C", "D"], turned),
    ...(bias ? [tensor("q_bias", "q_proj.bias", "attn_q.bias", ["H", "C"])] : []),
    tensor("k", "k_proj.weight", "attn_k.weight", ["G", "C", "D"], turned),
    ...(bias ? [tensor("k_bias", "k_proj.bias", "attn_k.bias", ["G", "C"])] : []),
    tensor("v", "v_proj.weight", "attn_v.weight", ["G", "C", "D"]),
    ...(bias ? [tensor("v_bias", "v_proj.bias", "attn_v.bias", ["G", "C"])] : []),
    tensor("o", `${output}.weight`, "attn_output.weight", ["D", "H", "C"]),
    ...(outputBias ? [tensor("o_bias", `${output}.bias`, "attn_output.bias", ["D"])] : []),
    ...(headNorm
      ? [
          tensor("q_norm.weight", `${headNorm[0]}.weight`, "attn_q_norm.weight", ["C"]),
          tensor("k_norm.weight", `${headNorm[1]}.weight`, "attn_k_norm.weight", ["C"]),
        ]
      : []),
  ];
}

/** Makes tensors that layers have: all, or those that are listed. */
export const layerTensors =
  (fields: Fields) =>
  (path: string, hf: string, gguf: string, axes: readonly string[], layers?: readonly number[]): StoredTensor => {
    const name = fields.name(`model.layers.{i}.${hf}`, `blk.{i}.${gguf}`);
    return { path: `layers[i].${path}`, name, axes, ...(layers ? { layers } : {}) };
  };

/** Hugging Face's names of the three matrices of a gated network, without their ending. */
export type GatedNames = readonly [gate: string, up: string, down: string];

export const projections = (of: string): GatedNames => [`${of}.gate_proj`, `${of}.up_proj`, `${of}.down_proj`];

/** Mixtral's numbers for gate, up and down. */
export const numbered = (of: string): GatedNames => [`${of}.w1`, `${of}.w3`, `${of}.w2`];

/** GGUF's ending of the names of a gated network. */
const GGUF_SUFFIX = { ffn: "", experts: "_exps", shared: "_shexp" } as const;

/**
 * Gate, up and down of a dense part, of experts (`hf` with `{e}`) or of a shared expert.
 *
 * @param width The model's axis that is the network's F.
 */
export function gatedTensors(
  fields: Fields,
  path: keyof typeof GGUF_SUFFIX,
  hf: GatedNames,
  width: string,
  layers?: readonly number[],
): readonly StoredTensor[] {
  const t = layerTensors(fields);
  const banked = path === "experts";
  const axes = (last: boolean): readonly string[] => {
    // The gated networks of the library call their width F.
    const inner = width === "F" ? "F" : `F=${width}`;
    const own = last ? ["D", inner] : [inner, "D"];
    return banked && fields.isGguf ? ["E", ...own] : own;
  };
  return (["gate", "up", "down"] as const).map((part, at) =>
    t(`${path}.${part}`, `${hf[at]!}.weight`, `ffn_${part}${GGUF_SUFFIX[path]}.weight`, axes(at === 2), layers),
  );
}

/** Gate and up as one matrix: Hugging Face's form of some families, where GGUF keeps the two apart. */
export const JOINED_SWIGLU = `/// SwiGLU whose gate and up are one matrix, gates first.
expert JoinedSwiGLU[D, F] {
  param gate_up: [D, Z = 2, F]
  param down: [F, D]
  (x: [D]) => {
    let both = x @ gate_up
    (silu(both[Z: 0]) * both[Z: 1]) @ down
  }
}`;

/** Embedding, last norm and output. */
export function outerTensors(fields: Fields, tied: boolean): readonly StoredTensor[] {
  return [
    { path: "tok", name: fields.name("model.embed_tokens.weight", "token_embd.weight"), axes: ["V", "D"] },
    { path: "norm.weight", name: fields.name("model.norm.weight", "output_norm.weight"), axes: ["D"] },
    ...(tied ? [] : [{ path: "output", name: fields.name(OUTPUT_TENSOR, "output.weight"), axes: ["V", "D"] }]),
  ];
}

/** A layer of two residual steps: attention, then a network. */
export function layerBlock(
  name: string,
  doc: string,
  axes: readonly string[],
  parameters: readonly string[],
  parts: {
    readonly norm: string;
    readonly attn: string;
    readonly network: readonly string[];
    readonly result: string;
    readonly step?: string;
  },
): string {
  const given = parameters.length > 0 ? `(${parameters.join(", ")})` : "";
  const step = parts.step ?? "x + attn(norm1(x))";
  return `/// ${doc}
block ${name}[${axes.join(", ")}]${given} {
${indent(lines(`use norm1 = ${parts.norm}`, `use attn = ${parts.attn}`, `use norm2 = ${parts.norm}`, ...parts.network, "(x: [T, D]) => {", `  let h = ${step}`, "  let z = norm2(h)", `  ${parts.result}`, "}"))}
}`;
}

/** The usual members of a decoder. */
export function decoderMembers(tied: boolean, rotary: Rotary | undefined, stack: string, norm: string): string {
  return lines(
    "param tok: [V, D]",
    !tied && "param output: [V, D]",
    rotary?.member,
    stack,
    `use norm = ${norm}`,
    `forward(tokens: int[T]) -> f32[T, V] => norm(layers(tok[V: tokens])) @ ${tied ? "tok" : "output"}`,
  );
}

/** The usual output projection. */
export const PLAIN_HEAD: OutputHead = { tensor: OUTPUT_TENSOR, tieKeys: ["tie_word_embeddings"] };

/** That of families whose output projection is never the embedding. */
export const OWN_HEAD: OutputHead = { ...PLAIN_HEAD, tieKeys: [] };

/**
 * Whether the output projection is the embedding. Where a config does not say it, the tensors do; where they are not
 * known either, it is as the family's class has it.
 *
 * @throws MoecError MOE5120 where the config says something else than true or false.
 */
export function isTied(fields: Fields, otherwise: boolean, head = PLAIN_HEAD): boolean {
  if (fields.isGguf) return !fields.has("output.weight");
  return saidTied(fields, head) ?? (fields.lacks(head.tensor) || (otherwise && !fields.has(head.tensor)));
}

/** What a config says about it; undefined where it says nothing, as GGUF files do. */
export function saidTied(fields: Fields, { tieKeys }: OutputHead): boolean | undefined {
  const key = tieKeys.find((each) => (fields.value(each) ?? undefined) !== undefined);
  return key === undefined ? undefined : fields.flag(key, false);
}

/** A kind of layer: where it stands, and how it is made. */
export interface LayerKind {
  readonly layers: readonly number[];
  readonly use: string;
}

/** The stack of layers of one or more kinds; the last kind stands wherever no other does. */
export function stackOf(kinds: readonly LayerKind[], count: number): string {
  const last = kinds.at(-1)!.use;
  if (kinds.length === 1) return `stack layers = L of ${last}`;
  const choice = kinds.slice(0, -1).map(({ layers, use }) => `if ${condition(layers, count)} then ${use} else `);
  return `stack layers = l in 0..L of ${choice.join("")}${last}`;
}

/** Tensors of the layers behind the last one, which predict a second token; generation does not use them. */
export function laterLayers(count: number): RegExp {
  const numbers = range(count, count + 4).join("|");
  return new RegExp(`^model\\.layers\\.(?:${numbers})\\.|^blk\\.(?:${numbers})\\.`);
}

/** The numbers from `from` up to `to`. */
export const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
