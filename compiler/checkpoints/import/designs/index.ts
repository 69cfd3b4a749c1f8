/** The families that have designs, and how one is found. */
import { badConfig, unknownFamily } from "../../errors.js";
import { FAMILIES } from "../../families/detect.js";
import { requiredString } from "../../metadata.js";
import { isRecord } from "../../safetensors-header.js";
import type { Checkpoint, Metadata } from "../../types.js";
import { refuseOtherConfig } from "../requirements.js";
import { arctic } from "./arctic.js";
import { dbrx } from "./dbrx.js";
import { deepseek } from "./deepseek.js";
import { Fields } from "./fields.js";
import { glm4 } from "./glm4.js";
import { gptOss } from "./gpt-oss.js";
import { granite } from "./granite.js";
import { jetmoe } from "./jetmoe.js";
import { lfm2 } from "./lfm2.js";
import { llama4 } from "./llama4.js";
import { pangu } from "./pangu.js";
import { PLAIN_HEAD, saidTied } from "./parts.js";
import { phimoe } from "./phimoe.js";
import { smallthinker } from "./smallthinker.js";
import type { Design, DesignedFamily } from "./types.js";
import { checkBounds } from "./write.js";

export const DESIGNED: readonly DesignedFamily[] = [
  deepseek,
  gptOss,
  glm4,
  granite,
  phimoe,
  llama4,
  lfm2,
  smallthinker,
  dbrx,
  arctic,
  pangu,
  jetmoe,
];

export interface FoundDesign {
  readonly family: DesignedFamily;
  readonly design: Design;
  /** What the design was read from. */
  readonly fields: Fields;
  /** What the config says about the output projection: that it is the embedding, or not; undefined where it is silent. */
  readonly saidTied: boolean | undefined;
}

/**
 * The design of a Hugging Face config, with or without its checkpoint; undefined for families that have records instead.
 *
 * @throws MoecError MOE5119 for a family that nobody knows, MOE5120 and MOE5121 for its numbers and options.
 */
export function designOfConfig(config: unknown, checkpoint?: Checkpoint): FoundDesign | undefined {
  if (!isRecord(config)) throw badConfig("config.json", "is not a JSON object");
  const { model_type: type } = config;
  const family = DESIGNED.find(({ modelTypes }) => modelTypes.includes(String(type)));
  if (!family) {
    const known = Object.values(FAMILIES).map(({ modelType }) => modelType);
    if (typeof type !== "string" || known.includes(type)) return undefined;
    throw unknownFamily("model_type", type, [...known, ...DESIGNED.flatMap(({ modelTypes }) => modelTypes)]);
  }
  refuseOtherConfig(config, family.reads ?? [], family.positions);
  // The text part of a model with images has its own.
  const { text_config: text } = config;
  if (isRecord(text)) refuseOtherConfig(text, family.reads ?? []);
  return bounded(family, new Fields({ format: "safetensors", config }, checkpoint?.tensors));
}

/** What of a GGUF file says which design it has: its metadata, and names and shapes of its tensors. */
export interface GgufNames {
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
}

/** The design of a GGUF file; undefined for families that have records instead. */
export function designOfGguf({ metadata, tensors }: GgufNames): FoundDesign | undefined {
  const architecture = requiredString(metadata, "general.architecture");
  const family = DESIGNED.find((candidate) => candidate.architecture === architecture);
  if (!family) {
    const known = Object.values(FAMILIES).map((each) => each.architecture);
    if (known.includes(architecture)) return undefined;
    const all = [...new Set([...known, ...DESIGNED.flatMap((each) => each.architecture ?? [])])];
    throw unknownFamily("general.architecture", architecture, all);
  }
  return bounded(family, new Fields({ format: "gguf", metadata, architecture }, tensors));
}

function bounded(family: DesignedFamily, fields: Fields): FoundDesign {
  const design = family.design(fields);
  checkBounds(design);
  return { family, design, fields, saidTied: saidTied(fields, design.head ?? PLAIN_HEAD) };
}

export { designCounts, type ExpectedTensor, expectedTensors, matchTensors, writeDesign } from "./write.js";
export type { Fields } from "./fields.js";
export { FACTORS, readScaling } from "./rotary.js";
export type * from "./types.js";
