/**
 * Writes the `.moe` spec of a checkpoint: the math of its family with the sizes of its config, and the names of its
 * tensors. What it writes is a file to read and change, not a dump; the formatter still has to pass over it.
 *
 * @example writeSpec({ config, format: "gguf", prefix: "", name: "Tiny", source: "tiny.gguf" })
 */
import { badConfig } from "../errors.js";
import { familyTensors } from "../families/tensors.js";
import type { FamilyConfig } from "../families/types.js";
import { rotaryOf } from "./attention.js";
import { encoderLayers, encoderMembers } from "./encoder.js";
import { decoderLayers } from "./layers.js";
import { PAPERS } from "./papers.js";
import type { Pooling } from "./pooling.js";
import { commentText, countText, indent, lines, numberText, stringText } from "./text.js";
import { weightsBlock } from "./weights.js";

/** How text is written unless the caller says otherwise, under the language's names. */
export interface GenerateSettings {
  readonly temperature?: number;
  readonly top_k?: number;
  readonly top_p?: number;
  readonly min_p?: number;
  readonly repetition_penalty?: number;
  readonly max_tokens?: number;
}

/** What a spec is written from. */
export interface SpecSource {
  readonly config: FamilyConfig;
  /** Format whose tensor names are written. */
  readonly format: "gguf" | "safetensors";
  /** What the Hugging Face names begin with (`model.`); empty for GGUF. */
  readonly prefix: string;
  /** Name of the model in the spec. */
  readonly name: string;
  /** What the checkpoint is called, for the comment. */
  readonly source: string;
  /** Path of the tokenizer from the spec, when the checkpoint does not hold it. */
  readonly tokenizer?: string;
  readonly generate?: GenerateSettings;
  /** Of an encoder whose entry gives one vector for a text. */
  readonly pooling?: Pooling;
}

/**
 * The text of the spec.
 *
 * @throws MoecError MOE5120 for numbers that no model can have, such as a window of no tokens.
 */
export function writeSpec(spec: SpecSource): string {
  const { config } = spec;
  checkOptions(config);
  const isEncoder = config.family === "bert";
  const { imports, declarations, stack } = isEncoder ? encoderLayers(config) : decoderLayers(config);
  const members = isEncoder ? encoderMembers(config, stack, spec.pooling) : decoderMembers(config, stack);
  const names = [...new Set(imports)].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const k =
    config.experts > 0 && config.denseLayers.length < config.layers ? `(k: int = ${config.expertsPerToken})` : "";
  const settings = isEncoder ? "" : generateSettings(spec.generate ?? {});
  const body = [
    members,
    weightsBlock(config, spec.format, spec.prefix),
    lines(spec.tokenizer !== undefined && `tokenizer ${stringText(spec.tokenizer)}`, settings),
  ].filter((part) => part !== "");
  return `import { ${names.join(", ")} } from "std"

${declarations}

${modelComment(spec)}
model ${spec.name}[${sizes(config)}]${k} {
${indent(body.join("\n\n"))}
}
`;
}

function decoderMembers(config: FamilyConfig, stack: string): string {
  const rotary = rotaryOf(config);
  return lines(
    "param tok: [V, D]",
    !config.tied && "param output: [V, D]",
    rotary && `use rotary = ${rotary.module}[C](${rotary.arguments})`,
    stack,
    `use norm = RMSNorm[D](epsilon: ${numberText(config.normEps)})`,
    `forward(tokens: int[T]) -> f32[T, V] => norm(layers(tok[V: tokens])) @ ${config.tied ? "tok" : "output"}`,
  );
}

/** Axes of the model with the checkpoint's sizes as defaults. */
function sizes(config: FamilyConfig): string {
  const { vocab, layers, width, heads, kvHeads, headWidth, ffnWidth, experts, expertWidth, sharedWidth } = config;
  const hasSparse = experts > 0 && config.denseLayers.length < layers;
  const isBert = config.family === "bert";
  const all: readonly (readonly [string, number, boolean])[] = [
    ["V", vocab, true],
    ["P", config.context, isBert],
    ["Y", config.typeVocab, isBert],
    ["L", layers, true],
    ["D", width, true],
    ["H", heads, true],
    ["G", kvHeads, !isBert],
    ["C", headWidth, true],
    ["F", experts > 0 ? expertWidth : ffnWidth, experts === 0 || hasSparse],
    ["I", ffnWidth, experts > 0 && config.denseLayers.length > 0],
    ["E", experts, hasSparse],
    ["S", sharedWidth, hasSparse && sharedWidth > 0],
  ];
  return all
    .filter(([, , isUsed]) => isUsed)
    .map(([axis, size]) => `${axis} = ${size}`)
    .join(", ");
}

function modelComment({ config, source }: SpecSource): string {
  const { title, source: paper } = PAPERS[config.family];
  const { total, active } = parameterCounts(config);
  const experts =
    active === total
      ? ""
      : `, ${countText(active)} of them active for a token (${config.expertsPerToken} of ${config.experts} experts)`;
  return `/// ${title} (${paper}), from \`${commentText(source).replaceAll("`", "'")}\`.
/// ${countText(total)} parameters${experts}.`;
}

/** Parameters of a model, and those that one token meets (without the rows of the tables that it does not read). */
export function parameterCounts(config: FamilyConfig): { readonly total: number; readonly active: number } {
  let total = 0;
  let active = 0;
  for (const { key, shape } of familyTensors(config)) {
    const count = shape.reduce((product, size) => product * size, 1);
    total += count;
    active += key.includes(".experts.") ? (count / config.experts) * config.expertsPerToken : count;
  }
  return { total, active };
}

/** The `generate` member. */
export function generateSettings(settings: GenerateSettings): string {
  const entries = Object.entries({ max_tokens: 256, ...settings })
    .filter((entry): entry is [string, number] => typeof entry[1] === "number" && Number.isFinite(entry[1]))
    .map(([name, value]) => `${name}: ${numberText(value)}`);
  return `generate { ${entries.join(", ")} }`;
}

/** Options that the family's record does not bound. */
function checkOptions(config: FamilyConfig): void {
  const { slidingWindow, clipQkv, ropeScaling, ropeTheta, family, heads, headWidth, width } = config;
  const positive = (key: string, value: number | undefined): void => {
    if (value !== undefined && !(value > 0 && Number.isFinite(value))) throw badConfig(key, `is ${value}, not above 0`);
  };
  if (slidingWindow !== undefined && !Number.isSafeInteger(slidingWindow)) {
    throw badConfig("sliding_window", `is ${slidingWindow}, not a whole number`);
  }
  positive("sliding_window", slidingWindow);
  positive("clip_qkv", clipQkv);
  if (family !== "bert") positive("rope_theta", ropeTheta);
  else if (heads * headWidth !== width) throw badConfig("head_dim", `is ${headWidth}, not ${width} / ${heads}`);
  if (ropeScaling === undefined || ropeScaling.kind === "factors") return;
  positive("rope_scaling.factor", ropeScaling.factor);
  if (ropeScaling.kind !== "llama3") return;
  const { lowFrequencyFactor: low, highFrequencyFactor: high, originalContext } = ropeScaling;
  positive("rope_scaling.low_freq_factor", low);
  positive("rope_scaling.original_max_position_embeddings", originalContext);
  if (!(high > low && Number.isFinite(high))) {
    throw badConfig("rope_scaling.high_freq_factor", `is ${high}, not above low_freq_factor`);
  }
}
