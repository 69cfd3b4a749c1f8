/** Pieces that several designs are put together from: attention, layers, positions, and their tensors. */
import { badConfig, unsupportedConfig } from "../../errors.js";
import { indent, lines, numberText } from "../text.js";
import type { Fields } from "./fields.js";
import type { StoredTensor } from "./types.js";

/** Rotary positions as a layer uses them. */
export interface Rotary {
  readonly imports: readonly string[];
  readonly declarations: readonly string[];
  /** The layer's parameter and what the model gives for it. */
  readonly parameter: string;
  readonly argument: string;
  /** The model's member that makes the module once for all layers. */
  readonly member?: string;
  /** The value turned. */
  readonly turn: (value: string) => string;
  /** What YaRN multiplies the scores by beside the plain scale (DeepSeek); 1 elsewhere. */
  readonly scoreScale: number;
}

const HALVES = `    let a = x[C: 0..C / 2][C -> P]
    let b = x[C: C / 2..C][C -> P]`;
const TURNED = `concat(a * cos(angle) - b * sin(angle), b * cos(angle) + a * sin(angle), over: P)[P -> C]`;

/** Plain positions on halves, from the library. */
export function plainRotary(theta: number): Rotary {
  return {
    imports: ["rope"],
    declarations: [],
    parameter: "theta: float",
    argument: `theta: ${numberText(theta)}`,
    turn: (value) => `rope(${value}, theta)`,
    scoreScale: 1,
  };
}

/** The scaling of `config.json` or GGUF, as a kind and numbers. */
interface Scaling {
  readonly kind: "none" | "linear" | "llama3" | "yarn" | "longrope";
  readonly factor: number;
  readonly number: (hf: string, gguf: string | undefined, otherwise?: number) => number;
}

export function readScaling(fields: Fields): Scaling {
  const key = fields.record("rope_scaling") ? "rope_scaling" : "rope_parameters";
  const kind =
    fields.text(`${key}.rope_type`, "rope.scaling.type") ?? fields.text(`${key}.type`, undefined) ?? "default";
  const number = (hf: string, gguf: string | undefined, otherwise?: number): number =>
    fields.number(`${key}.${hf}`, gguf === undefined ? undefined : `rope.scaling.${gguf}`, otherwise);
  const known = ["linear", "llama3", "yarn", "longrope"] as const;
  const found = known.find((one) => one === kind);
  if (!found && !["default", "none"].includes(kind)) {
    throw unsupportedConfig(key, JSON.stringify(kind), `Supported: default, ${known.join(", ")}.`);
  }
  const factor = found && found !== "longrope" ? number("factor", "factor") : 1;
  if (!(factor > 0)) throw badConfig(`${key}.factor`, `is ${factor}, not above 0`);
  return { kind: found ?? "none", factor, number };
}

/** Where YaRN begins and ends to mix, in pairs of a width (Hugging Face's `find_correction_range`). */
function yarnBand(scaling: Scaling, theta: number, width: number, truncate: boolean): readonly [number, number] {
  const context = scaling.number("original_max_position_embeddings", "original_context_length");
  const pair = (turns: number): number => (width * Math.log(context / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = pair(scaling.number("beta_fast", "yarn_beta_fast", 32));
  const high = pair(scaling.number("beta_slow", "yarn_beta_slow", 1));
  const from = Math.max(truncate ? Math.floor(low) : low, 0);
  const to = Math.min(truncate ? Math.ceil(high) : high, width - 1);
  return [from, to === from ? to + 0.001 : to];
}

export interface RotaryOptions {
  readonly theta: number;
  /** Channels that turn. */
  readonly width: number;
  /** Pairs (2i, 2i + 1) instead of halves. */
  readonly pairs?: boolean;
  /** Whether YaRN's band is rounded to whole pairs. */
  readonly truncate?: boolean;
  /** Name of the axis that turns, in the layers. */
  readonly axis: string;
}

/** Positions of a config: plain, linear, Llama 3's or YaRN's; on halves or on neighbours. */
export function rotaryOf(fields: Fields, options: RotaryOptions): Rotary {
  const { theta, width, pairs = false, truncate = true, axis } = options;
  if (!(theta > 0)) throw badConfig("rope_theta", `is ${theta}, not above 0`);
  if (width % 2 !== 0) throw badConfig("head_dim", `is ${width}, not even`);
  const scaling = readScaling(fields);
  if (scaling.kind === "none" && !pairs) return plainRotary(theta);
  const base = `theta: ${numberText(theta)}`;
  const made = (module: string, given: string, scoreScale = 1, declarations: readonly string[] = []): Rotary => ({
    imports: declarations.length > 0 ? [] : [module],
    declarations,
    parameter: `rotary: ${module}[${axis}]`,
    argument: "rotary",
    member: `use rotary = ${module}[${axis}](${given})`,
    turn: (value) => `rotary(${value})`,
    scoreScale,
  });
  const frequency = "theta ** (-2 * index(P) / C)";
  const own = (name: string, doc: string, parameters: string, before: string, angle: string, after = ""): string => {
    const head = pairs ? PAIRS : HALVES;
    const body = pairs ? PAIRED : TURNED;
    return `/// ${doc}\nblock ${name}[C](${parameters}) {\n  (x: [T, C]) => {\n${lines(head, before !== "" && `    ${before}`)}\n    let angle = position(T) * ${angle}\n${pairs ? indent(indent(`${body}${after}`)) : `    ${body}${after}`}\n  }\n}`;
  };
  const which = pairs ? "pairs (2i, 2i + 1)" : "halves";
  switch (scaling.kind) {
    case "none":
      return made("PairedRoPE", base, 1, [
        own(
          "PairedRoPE",
          "Rotary positions on pairs (2i, 2i + 1) (Su et al. 2021, arXiv:2104.09864).",
          "theta: float",
          "",
          frequency,
        ),
      ]);
    case "linear": {
      if (pairs) throw unsupportedConfig("rope_scaling", "linear", "Supported for this family: default, yarn.");
      return made("LinearRoPE", `${base}, factor: ${numberText(scaling.factor)}`);
    }
    case "llama3": {
      const bands = `low: ${numberText(scaling.number("low_freq_factor", undefined))}, high: ${numberText(scaling.number("high_freq_factor", undefined))}`;
      const context = numberText(scaling.number("original_max_position_embeddings", undefined));
      const given = `${base}, factor: ${numberText(scaling.factor)}, ${bands}, context: ${context}`;
      if (!pairs) return made("Llama3RoPE", given);
      const equal = scaling.number("low_freq_factor", undefined) === scaling.number("high_freq_factor", undefined);
      const keep = equal ? "float(turns > high)" : "clamp((turns - low) / (high - low), 0, 1)";
      return made("PairedLlama3RoPE", given, 1, [
        own(
          "PairedLlama3RoPE",
          "Rotary positions of Llama 3.1 (arXiv:2407.21783) on pairs (2i, 2i + 1): long waves are stretched by `factor`.",
          "theta: float, factor: float, low: float, high: float, context: float",
          `let plain = ${frequency}\n    let turns = plain * (context / (2 * pi))\n    let keep = ${keep}`,
          "plain * (keep + (1 - keep) / factor)",
        ),
      ]);
    }
    case "yarn": {
      const [low, high] = yarnBand(scaling, theta, width, truncate);
      const { factor } = scaling;
      const growth = (m: number): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
      // GGUF keeps 0.1 * mscale_all_dim; its sine and cosine are then not scaled.
      const log = scaling.number("yarn_unused", "yarn_log_multiplier", 0);
      const whole = fields.isGguf ? log * 10 : scaling.number("mscale_all_dim", undefined, 0);
      const single = fields.isGguf ? log * 10 : scaling.number("mscale", undefined, 0);
      const size = whole > 0 && single > 0 ? growth(single) / growth(whole) : growth(1);
      const given = `${base}, factor: ${numberText(factor)}, low: ${numberText(low)}, high: ${numberText(high)}, size: ${numberText(size)}`;
      return made("Yarn", given, whole > 0 ? growth(whole) ** 2 : 1, [
        own(
          "Yarn",
          YARN_DOC.replace("{which}", which),
          "theta: float, factor: float, low: float, high: float, size: float",
          "let slow = clamp((index(P) - low) / (high - low), 0, 1)",
          `${frequency} * (1 - slow + slow / factor)`,
          " * size",
        ),
      ]);
    }
    case "longrope":
      throw unsupportedConfig("rope_scaling", "longrope", "Supported for this family: default, linear, llama3, yarn.");
    default:
      return scaling.kind satisfies never;
  }
}

const YARN_DOC =
  "Rotary positions on {which}, stretched by YaRN (Peng et al. 2023, arXiv:2309.00071): pairs before `low` keep\n" +
  "/// their frequency, those from `high` on turn `factor` times slower, those between are mixed; all times `size`.";

const PAIRS = `    let pairs = split(x, C -> [P, Z = 2])
    let a = pairs[Z: 0]
    let b = pairs[Z: 1]`;
const PAIRED = `let first = expand(a * cos(angle) - b * sin(angle), [Z = 1])
let second = expand(b * cos(angle) + a * sin(angle), [Z = 1])
merge(concat(first, second, over: Z), [P, Z] -> C)`;

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

/** A tensor of every listed layer. */
export function layerTensor(
  fields: Fields,
  path: string,
  hf: string,
  gguf: string,
  axes: readonly string[],
  layers?: readonly number[],
): StoredTensor {
  const name = fields.name(`model.layers.{i}.${hf}`, `blk.{i}.${gguf}`);
  return { path: `layers[i].${path}`, name, axes, ...(layers ? { layers } : {}) };
}

/** Gate, up and down of a dense part or of experts (`hf` with `{e}`). */
export function gatedTensors(
  fields: Fields,
  path: string,
  hf: readonly [gate: string, up: string, down: string],
  suffix: string,
  width: string,
  layers?: readonly number[],
): readonly StoredTensor[] {
  const banked = path.endsWith("experts");
  const axes = (last: boolean): readonly string[] => {
    // The gated networks of the library call their width F.
    const inner = width === "F" ? "F" : `F=${width}`;
    const own = last ? ["D", inner] : [inner, "D"];
    return banked && fields.isGguf ? ["E", ...own] : own;
  };
  return (["gate", "up", "down"] as const).map((part, at) =>
    layerTensor(fields, `${path}.${part}`, `${hf[at]!}.weight`, `ffn_${part}${suffix}.weight`, axes(at === 2), layers),
  );
}

/** Embedding, last norm and output. */
export function outerTensors(fields: Fields, tied: boolean): readonly StoredTensor[] {
  return [
    { path: "tok", name: fields.name("model.embed_tokens.weight", "token_embd.weight"), axes: ["V", "D"] },
    { path: "norm.weight", name: fields.name("model.norm.weight", "output_norm.weight"), axes: ["D"] },
    ...(tied ? [] : [{ path: "output", name: fields.name("lm_head.weight", "output.weight"), axes: ["V", "D"] }]),
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

/** Whether the output projection is the embedding. */
export const isTied = (fields: Fields, otherwise: boolean): boolean =>
  fields.isGguf ? !fields.has("output.weight") : fields.flag("tie_word_embeddings", otherwise);

/** `Layer[…](…)`. */
export const made = (name: string, axes: readonly string[], given: readonly string[]): string =>
  `${name}[${axes.join(", ")}]${given.length > 0 ? `(${given.join(", ")})` : ""}`;

/** The numbers from `from` up to `to`. */
export const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
