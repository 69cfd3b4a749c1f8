/**
 * A checkpoint of a family that has a design as what goes into a GGUF file. Its metadata are the keys that the config was
 * read by, and those of the family's writer; its tensors are those that the import would read from such a file.
 */
import { notSaidInGguf } from "../errors.js";
import { designOfGguf, type Design, type FoundDesign, matchTensors, readScaling } from "../import/designs/index.js";
import { fromF32, keptAs } from "../storage.js";
import type { MetadataValue } from "../types.js";
import { firstDifference } from "./alike.js";
import { DESIGN_WRITERS, type DesignWriter, type Keys } from "./design-writers.js";
import { designTensors, typeOfRows } from "./design-tensors.js";
import type { GgufExport, GgufModel } from "./types.js";

/**
 * @throws MoecError MOE5121 and MOE5128 for what readers of GGUF would compute otherwise, and what matching the checkpoint
 * throws.
 */
export function designModel(source: GgufExport, found: FoundDesign): GgufModel {
  const { checkpoint, name, type: wanted, encode = (_, stored, part) => fromF32(stored, part) } = source;
  const { family, design, fields, saidTied } = found;
  const writer = DESIGN_WRITERS[family.name]!;
  const { architecture } = family;
  if (architecture === undefined) throw new Error(`${family.name} has a writer and no architecture`);
  const storage = matchTensors(design, family.name, checkpoint, saidTied);
  writer.refuse?.(fields, design);
  const keys = metadataKeys(found, writer);
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", { type: "string", value: architecture }],
    ["general.name", { type: "string", value: name }],
    ...Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value] as const),
  ]);
  const isTied = !has(design, "output");
  const read = (ties: boolean): Design => designOfGguf({ metadata, tensors: marks(design, writer, ties) })!.design;
  const difference = firstDifference(design, read(isTied));
  if (difference) throw notSaidInGguf(difference.said, difference.read);
  const type = wanted ?? keptAs(storage);
  const tensors = designTensors({
    checkpoint,
    from: design,
    to: read(isTied && writer.readsTied),
    typeOf: typeOfRows(type),
    encode,
  });
  return {
    family: family.name,
    vocabulary: design.axes["V"]!,
    type,
    others: tensors.filter((tensor) => tensor.type !== type && tensor.type !== "f32").map((tensor) => tensor.name),
    metadata,
    tensors,
    notes: writer.notes?.(design) ?? [],
  };
}

const has = ({ tensors }: Design, path: string): boolean => tensors.some((tensor) => tensor.path === path);

function metadataKeys({ design, fields, family }: FoundDesign, { keys, unread = [] }: DesignWriter): Keys {
  const said = [...fields.said].filter(([key]) => !unread.includes(key) && !key.startsWith("rope.scaling."));
  // The text part of a model with images has its own.
  const nested = fields.record("text_config") ? "text_config." : "";
  return {
    ...Object.fromEntries(said),
    ...scalingKeys(fields, family.positions ?? nested),
    ...keys?.(design),
  };
}

/** How positions are stretched, as far as GGUF has keys for it. */
function scalingKeys(fields: FoundDesign["fields"], prefix: string): Keys {
  const { kind, factor, number } = readScaling(fields, prefix);
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

/** Tensors that say by their names, and the embedding by its rows, what the metadata of a file leaves open. */
function marks(
  design: Design,
  { form }: DesignWriter,
  isTied: boolean,
): ReadonlyMap<string, { shape: readonly number[] }> {
  const { V = 0, D = 0 } = design.axes;
  const vector = { shape: [D] };
  const found: readonly (readonly [string, { shape: readonly number[] }] | false)[] = [
    ["token_embd.weight", { shape: [V, D] }],
    !isTied && ["output.weight", { shape: [V, D] }],
    has(design, "layers[i].attn.q_bias") && ["blk.0.attn_q.bias", vector],
    has(design, "layers[i].attn.q_norm.weight") && ["blk.0.attn_q_norm.weight", vector],
    form !== undefined && [form, vector],
  ];
  return new Map(found.filter((entry) => entry !== false));
}
