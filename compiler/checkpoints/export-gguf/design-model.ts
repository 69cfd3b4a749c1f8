/**
 * A checkpoint of a family that has a design as what goes into a GGUF file. Its metadata are the keys that the config was
 * read by, and those of the family's writer; its tensors are those that the import would read from such a file.
 */
import { notSaidInGguf } from "../errors.js";
import {
  designOfGguf,
  type Design,
  FACTORS,
  type FoundDesign,
  type GgufNames,
  matchTensors,
  readScaling,
} from "../import/designs/index.js";
import { fromF32, keptAs } from "../storage.js";
import type { MetadataValue } from "../types.js";
import { firstDifference } from "./alike.js";
import { DESIGN_WRITERS, type DesignWriter, has, type Keys } from "./design-writers.js";
import { designTensors, typeOfRows } from "./design-tensors.js";
import { llama3Factors } from "./rotary-factors.js";
import type { GgufContent, GgufExport } from "./types.js";

/**
 * @throws MoecError MOE5121 and MOE5128 for what readers of GGUF would compute otherwise, and what matching the checkpoint
 * throws.
 */
export function designModel(source: GgufExport, found: FoundDesign): GgufContent {
  const { checkpoint, name, type: wanted, encode = (_, stored, part) => fromF32(stored, part) } = source;
  const { family, design, fields, saidTied } = found;
  const writer = DESIGN_WRITERS[family.name]!;
  const { architecture } = family;
  if (architecture === undefined) throw new Error(`${family.name} has a writer and no architecture`);
  const storage = matchTensors(design, family.name, checkpoint, saidTied);
  writer.refuse?.(fields, design);
  const scaling = scalingOf(found);
  const keys = metadataKeys(found, scaling, writer);
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", { type: "string", value: architecture }],
    ["general.name", { type: "string", value: name }],
    ...Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value] as const),
  ]);
  const isTied = !has(design, "output");
  const divisors = writer.divisors === true ? divisorsOf(found, scaling) : undefined;
  const more = [...(writer.form === undefined ? [] : [writer.form]), ...(divisors ? [FACTORS.name] : [])];
  const read = (ties: boolean): Design => designOfGguf({ metadata, tensors: marks(design, ties, more) })!.design;
  const difference = firstDifference(design, read(isTied));
  if (difference) throw notSaidInGguf(difference.said, difference.read);
  const type = wanted ?? keptAs(storage);
  const tensors = designTensors({
    checkpoint,
    from: design,
    to: read(isTied && writer.readsTied),
    typeOf: typeOfRows(type),
    encode,
    made: new Map(divisors ? [[FACTORS.path, divisors]] : []),
  });
  return {
    family: family.name,
    vocabulary: design.axes["V"]!,
    type,
    metadata,
    tensors,
    notes: writer.notes?.(design) ?? [],
  };
}

function metadataKeys(found: FoundDesign, scaling: Scaling, { keys, unread = [] }: DesignWriter): Keys {
  const said = [...found.fields.said].filter(([key]) => !unread.includes(key) && !key.startsWith("rope.scaling."));
  return { ...Object.fromEntries(said), ...scalingKeys(scaling), ...keys?.(found.design) };
}

type Scaling = ReturnType<typeof readScaling>;

function scalingOf({ fields, family }: FoundDesign): Scaling {
  // The text part of a model with images has its own.
  const nested = fields.record("text_config") ? "text_config." : "";
  return readScaling(fields, family.positions ?? nested);
}

/** Llama 3.1's stretched positions as the table of divisors that files have; undefined for other positions. */
function divisorsOf(found: FoundDesign, { kind, factor, number }: Scaling): Float32Array | undefined {
  const theta = found.fields.said.get("rope.freq_base");
  if (kind !== "llama3" || theta?.type !== "f32") return undefined;
  const ropeScaling = {
    kind,
    factor,
    lowFrequencyFactor: number("low_freq_factor", undefined),
    highFrequencyFactor: number("high_freq_factor", undefined),
    originalContext: number("original_max_position_embeddings", undefined),
  };
  return llama3Factors({ headWidth: found.design.axes["C"]!, ropeTheta: theta.value, ropeScaling });
}

/** How positions are stretched, as far as GGUF has keys for it. */
function scalingKeys({ kind, factor, number }: Scaling): Keys {
  if (kind !== "linear" && kind !== "yarn") return {};
  const stretched: Keys = {
    "rope.scaling.type": { type: "string", value: kind },
    "rope.scaling.factor": { type: "f32", value: factor },
  };
  if (kind === "linear") return stretched;
  const whole = number("mscale_all_dim", undefined, 0);
  return {
    ...stretched,
    "rope.scaling.original_context_length": {
      type: "u32",
      value: number("original_max_position_embeddings", undefined),
    },
    // Readers have a tenth of it.
    ...(whole > 0 ? { "rope.scaling.yarn_log_multiplier": { type: "f32", value: whole / 10 } as const } : {}),
  };
}

/**
 * Tensors that say by their names, and the embedding by its rows, what the metadata of a file leaves open.
 *
 * @param more Names beside those that the design tells.
 */
function marks(design: Design, isTied: boolean, more: readonly string[]): GgufNames["tensors"] {
  const { V = 0, D = 0 } = design.axes;
  const table = { shape: [V, D] };
  const told: readonly (string | false)[] = [
    has(design, "layers[i].attn.q_bias") && "blk.0.attn_q.bias",
    has(design, "layers[i].attn.q_norm.weight") && "blk.0.attn_q_norm.weight",
    ...more,
  ];
  return new Map<string, { readonly shape: readonly number[] }>([
    ["token_embd.weight", table],
    ...(isTied ? [] : [["output.weight", table] as const]),
    ...told.flatMap((name) => (name === false ? [] : [[name, { shape: [D] }] as const])),
  ]);
}
