/** From `config.json` or GGUF metadata to a `FamilyConfig`, by the fields of the family's record. */
import { badConfig, unsupportedConfig } from "../errors.js";
import { optionalNumber, requiredNumber } from "../metadata.js";
import { isRecord } from "../safetensors-header.js";
import type { Checkpoint, TensorInfo } from "../types.js";
import { detectFamily } from "./detect.js";
import { type ConfigOptions, ggufOptions, hfOptions, lookUp } from "./options.js";
import { saidOnce } from "./positions.js";
import type { Family, FamilyConfig, FamilyFlags, FamilyNumbers, FlagField, NumberField } from "./types.js";

/** Where a config is read from: the parsed `config.json`, or an open GGUF file (some facts show only in its tensors). */
export type ConfigSource = { readonly config: unknown } | { readonly checkpoint: Checkpoint };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Read the config of a model of a known family.
 *
 * @throws MoecError MOE5119 (unknown family), MOE5120 or MOE5112 (a number is missing, of another type, or impossible),
 * MOE5121 (an option whose math moec does not have).
 */
export function readFamilyConfig(source: ConfigSource): FamilyConfig {
  const { family, numbers, flags, options } = "config" in source ? fromHf(source.config) : fromGguf(source.checkpoint);
  const config = { family: family.name, ...numbers, ...flags, qkNorm: family.qkNorm, ...options };
  checkNumbers(config);
  return config;
}

interface Parts {
  readonly family: Family;
  readonly numbers: FamilyNumbers;
  readonly flags: FamilyFlags;
  readonly options: ConfigOptions;
}

function readNumbers(
  family: Family,
  find: (field: NumberField) => number | undefined,
  key: (field: NumberField) => string,
) {
  const numbers = {} as Mutable<FamilyNumbers>;
  // In the order of the record: a fallback may use the numbers before it.
  for (const name of Object.keys(family.numbers) as (keyof FamilyNumbers)[]) {
    const field = family.numbers[name];
    const { otherwise } = field;
    const value = find(field) ?? (typeof otherwise === "function" ? otherwise(numbers) : otherwise);
    if (value === undefined) throw badConfig(key(field), "is missing");
    numbers[name] = value;
  }
  return numbers;
}

function readFlags(family: Family, read: (field: FlagField) => boolean): FamilyFlags {
  const flags = {} as Mutable<FamilyFlags>;
  for (const name of Object.keys(family.flags) as (keyof FamilyFlags)[]) flags[name] = read(family.flags[name]);
  return flags;
}

function fromHf(config: unknown): Parts {
  const family = detectFamily({ config });
  const record = isRecord(config) ? config : {};
  const find = ({ hf = [] }: NumberField): number | undefined => saidOnce((key) => lookUp(record, key), hf)?.value;
  const numbers = readNumbers(family, find, ({ hf = [] }) => hf[0] ?? "");
  const flags = readFlags(family, ({ hf, otherwise }) => {
    const value = hf === undefined ? undefined : record[hf];
    if (value === undefined || value === null) return otherwise;
    if (typeof value !== "boolean") throw badConfig(hf!, "is not true or false");
    return value;
  });
  return { family, numbers, flags, options: hfOptions(family, record, numbers) };
}

function fromGguf(checkpoint: Checkpoint): Parts {
  const { metadata, tensors } = checkpoint;
  const family = detectFamily({ metadata });
  const rows = (name: string): number | undefined => tensors.get(name)?.shape[0];
  const find = (field: NumberField): number | undefined => {
    const { gguf, real } = field;
    // These two tables tell their own size; the keys are often left out.
    if (field === family.numbers.vocab) return rows("token_embd.weight");
    if (field === family.numbers.typeVocab) return rows("token_types.weight");
    if (gguf === undefined) return undefined;
    const value = optionalNumber(metadata, `${family.architecture}.${gguf}`);
    return value !== undefined && real ? shortest(value) : value;
  };
  const numbers = readNumbers(family, find, ({ gguf }) => `${family.architecture}.${gguf}`);
  const flags = readFlags(family, (field) => flagOfTensors(field, tensors));
  checkRotary(checkpoint, family, numbers);
  return { family, numbers, flags, options: ggufOptions(family, checkpoint) };
}

function flagOfTensors({ ggufTensor, gguf, otherwise }: FlagField, tensors: ReadonlyMap<string, TensorInfo>): boolean {
  if (ggufTensor === undefined) return gguf ?? otherwise;
  return tensors.has(ggufTensor.name) === ggufTensor.means;
}

/** GGUF has an own key for the rotary width; a width that is not the whole head is other math. */
function checkRotary({ metadata }: Checkpoint, family: Family, { headWidth, ropeTheta }: FamilyNumbers): void {
  const key = `${family.architecture}.rope.dimension_count`;
  if (ropeTheta === 0 || !metadata.has(key)) return;
  const width = requiredNumber(metadata, key);
  if (width !== headWidth) throw unsupportedConfig(key, String(width), `The whole head has ${headWidth} channels.`);
}

/** The shortest decimal that is the same f32: 1e-5 instead of 0.000009999999747378752. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}

/** More than any model has; loops over layers and experts are bounded by these, not by a foreign file. */
const MOST = { layers: 4096, experts: 65536 } as const;

function checkNumbers(config: FamilyConfig): void {
  const whole = (name: keyof FamilyNumbers, least: number, most = 2 ** 31): void => {
    const value = config[name];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw badConfig(name, `is ${value}, not a whole number from ${least} to ${most}`);
    }
  };
  whole("layers", 1, MOST.layers);
  for (const name of ["width", "heads", "kvHeads", "headWidth", "vocab", "context"] as const) whole(name, 1);
  whole("experts", 0, MOST.experts);
  for (const name of ["ffnWidth", "sharedWidth", "typeVocab"] as const) whole(name, 0);
  whole("expertsPerToken", config.experts > 0 ? 1 : 0, config.experts);
  whole("expertWidth", config.experts > 0 ? 1 : 0);
  if (config.heads % config.kvHeads !== 0)
    throw badConfig("kvHeads", `is ${config.kvHeads}, not a divisor of ${config.heads} heads`);
  if (config.ropeTheta > 0 && config.headWidth % 2 !== 0)
    throw badConfig("headWidth", `is ${config.headWidth}, not even`);
  if (!(config.normEps >= 0 && config.normEps < 1)) throw badConfig("normEps", `is ${config.normEps}`);
  if (!(config.ropeTheta >= 0 && Number.isFinite(config.ropeTheta)))
    throw badConfig("ropeTheta", `is ${config.ropeTheta}`);
  if ((config.experts === 0 || config.denseLayers.length > 0) && config.ffnWidth === 0) {
    throw badConfig("ffnWidth", "is missing, but some layers are dense");
  }
}
