/** Rotary positions of a design: plain or stretched, on halves of a head or on neighbours. */
import { badConfig, unsupportedConfig } from "../../errors.js";
import { indent, lines, numberText } from "../text.js";
import { scalingKey } from "../../families/positions.js";
import type { Fields } from "./fields.js";

/** Rotary positions as a layer uses them. */
export interface Rotary {
  readonly imports: readonly string[];
  readonly declarations: readonly string[];
  /** Name of the layer's parameter, the parameter, and what the model gives for it. */
  readonly name: "theta" | "rotary";
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
    name: "theta",
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
  /** The object of `config.json`, or GGUF's key of the kind. */
  readonly key: string;
  /** A number of it, by its keys there. */
  readonly number: Read;
  readonly positive: Read;
}

type Read = (hf: string | undefined, gguf: string | undefined, otherwise?: number) => number;

/** @param prefix of the keys of `config.json`, where they are nested. */
export function readScaling(fields: Fields, prefix = ""): Scaling {
  const key = fields.isGguf ? "rope.scaling.type" : scalingKey((name) => fields.value(name), prefix);
  const kind =
    fields.text(`${key}.rope_type`, "rope.scaling.type") ?? fields.text(`${key}.type`, undefined) ?? "default";
  const keys = (hf: string | undefined, gguf: string | undefined) =>
    [hf === undefined ? undefined : `${key}.${hf}`, gguf === undefined ? undefined : `rope.scaling.${gguf}`] as const;
  const number: Read = (hf, gguf, otherwise) => fields.number(...keys(hf, gguf), otherwise);
  const positive: Read = (hf, gguf, otherwise) => fields.positive(...keys(hf, gguf), otherwise);
  const known = ["linear", "llama3", "yarn", "longrope"] as const;
  const found = known.find((one) => one === kind);
  if (!found && !["default", "none"].includes(kind)) {
    throw unsupportedConfig(key, JSON.stringify(kind), `Supported: default, ${known.join(", ")}.`);
  }
  const factor = found && found !== "longrope" ? positive("factor", "factor") : 1;
  return { kind: found ?? "none", factor, key, number, positive };
}

/**
 * Plain positions on halves, for families of which no stretched ones are known.
 *
 * @param prefix of the keys of `config.json`, where they are nested.
 * @throws MoecError MOE5121 where the config says others.
 */
export function onlyPlainRotary(fields: Fields, theta: number, prefix = ""): Rotary {
  const { kind, key } = readScaling(fields, prefix);
  if (kind === "none") return plainRotary(theta);
  throw unsupportedConfig(key, JSON.stringify(kind), "Supported for this family: default.");
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
  /** Prefix of the keys of `config.json`, where they are nested. */
  readonly prefix?: string;
  /** The checkpoint has a divisor for the frequency of each pair, on neighbours: `FACTORS`. */
  readonly factors?: boolean;
}

/** GGUF's table of divisors, and the parameter that reads it. */
export const FACTORS = { path: "rotary.factors", name: "rope_freqs.weight", axes: ["P"] } as const;

/** Positions of a config: plain, linear, Llama 3's or YaRN's; on halves or on neighbours. */
export function rotaryOf(fields: Fields, options: RotaryOptions): Rotary {
  const { theta, width, pairs = false, truncate = true, axis, prefix = "", factors = false } = options;
  if (!(theta > 0)) throw badConfig("rope_theta", `is ${theta}, not above 0`);
  if (width % 2 !== 0) throw badConfig("head_dim", `is ${width}, not even`);
  const scaling = readScaling(fields, prefix);
  if (scaling.kind === "none" && !pairs) return plainRotary(theta);
  const base = `theta: ${numberText(theta)}`;
  const made = (module: string, given: string, scoreScale = 1, declarations: readonly string[] = []): Rotary => ({
    imports: declarations.length > 0 ? [] : [module],
    declarations,
    name: "rotary",
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
  if (factors && scaling.kind !== "none") {
    throw unsupportedConfig(scaling.key, `${scaling.kind} beside ${FACTORS.name}`, "Only one of the two is supported.");
  }
  if (factors) return made("PairedFactorRoPE", base, 1, [PAIRED_FACTORS]);
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
      if (pairs) throw unsupportedConfig(scaling.key, "linear", "Supported for this family: default, yarn.");
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
      const log = scaling.number(undefined, "yarn_log_multiplier", 0);
      const whole = fields.isGguf ? log * 10 : scaling.number("mscale_all_dim", undefined, 0);
      const single = fields.isGguf ? log * 10 : scaling.number("mscale", undefined, 0);
      const size = whole > 0 && single > 0 ? growth(single) / growth(whole) : growth(1);
      const given = `${base}, factor: ${numberText(factor)}, low: ${numberText(low)}, high: ${numberText(high)}, size: ${numberText(size)}`;
      return made("Yarn", given, whole > 0 ? growth(whole) ** 2 : 1, [
        own(
          "Yarn",
          yarnDoc(pairs ? "pairs (2i, 2i + 1)" : "halves"),
          "theta: float, factor: float, low: float, high: float, size: float",
          "let slow = clamp((index(P) - low) / (high - low), 0, 1)",
          `${frequency} * (1 - slow + slow / factor)`,
          " * size",
        ),
      ]);
    }
    case "longrope":
      throw unsupportedConfig(scaling.key, "longrope", "Supported for this family: default, linear, llama3, yarn.");
    default:
      return scaling.kind satisfies never;
  }
}

const yarnDoc = (which: string): string =>
  `Rotary positions on ${which}, stretched by YaRN (Peng et al. 2023, arXiv:2309.00071): pairs before \`low\` keep\n` +
  "/// their frequency, those from `high` on turn `factor` times slower, those between are mixed; all times `size`.";

const PAIRS = `    let pairs = split(x, C -> [P, Z = 2])
    let a = pairs[Z: 0]
    let b = pairs[Z: 1]`;
const PAIRED = `let first = expand(a * cos(angle) - b * sin(angle), [Z = 1])
let second = expand(b * cos(angle) + a * sin(angle), [Z = 1])
merge(concat(first, second, over: Z), [P, Z] -> C)`;

/** Llama 3.1's positions as GGUF stores them: divisors in place of the numbers that they follow from. */
const PAIRED_FACTORS = `/// Rotary positions on pairs (2i, 2i + 1); the frequency of each is divided by its factor.
block PairedFactorRoPE[C](theta: float) {
  param factors: [P = C / 2]
  (x: [T, C]) => {
${PAIRS}
    let angle = position(T) * theta ** (-2 * index(P) / C) / factors
${indent(indent(PAIRED))}
  }
}`;
