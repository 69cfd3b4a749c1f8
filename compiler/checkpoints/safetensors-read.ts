/** Readers of safetensors checkpoints: one file, or shards with their `model.safetensors.index.json`. */
import { badIndex, place } from "./errors.js";
import { isRecord, readSafetensorsHeader } from "./safetensors-header.js";
import { checkpointOf, tensorTable } from "./tensor-table.js";
import type { ByteSource, Checkpoint, MetadataValue, TensorInfo } from "./types.js";

/**
 * Read the header of a safetensors file; tensor data is read later, on demand.
 *
 * @throws MoecError MOE5101 to MOE5114 for everything that can be wrong with the bytes.
 */
export function readSafetensors(source: ByteSource): Checkpoint {
  const { metadata, tensors, dataStart } = readSafetensorsHeader(source, 0);
  return checkpointOf("safetensors", metadata, tensorTable(tensors, [source], [dataStart]), [source]);
}

/**
 * Read the headers of a sharded checkpoint.
 *
 * Tensors that a shard has but the index does not name are left out: the index decides.
 *
 * @param indexText contents of `model.safetensors.index.json`.
 * @param open gives the shard of a file name that lies beside the index; names with folders are refused before.
 * @throws MoecError MOE5115 when the index and the shards disagree, and whatever a shard itself is refused for.
 */
export function readSafetensorsSharded(indexText: string, open: (fileName: string) => ByteSource): Checkpoint {
  const fileOf = readWeightMap(indexText);
  const fileNames = [...new Set(fileOf.values())].sort();
  const sources: ByteSource[] = [];
  const dataStart: number[] = [];
  const metadata = new Map<string, MetadataValue>();
  const infos: TensorInfo[] = [];
  for (const fileName of fileNames) {
    const source = open(fileName);
    const header = readSafetensorsHeader(source, sources.length);
    sources.push(source);
    dataStart.push(header.dataStart);
    for (const [key, value] of header.metadata) metadata.set(key, value);
    infos.push(...header.tensors.filter(({ name }) => fileOf.get(name) === fileName));
  }
  const table = tensorTable(infos, sources, dataStart);
  for (const [name, fileName] of fileOf) {
    if (!table.has(name)) throw badIndex(`\`${fileName}\` has no tensor \`${name}\``, { file: fileName, path: name });
  }
  return checkpointOf("safetensors", metadata, table, sources);
}

/** Tensor name to file name. */
function readWeightMap(indexText: string): Map<string, string> {
  let root: unknown;
  try {
    root = JSON.parse(indexText);
  } catch {
    throw badIndex("it is not JSON");
  }
  const weightMap = isRecord(root) ? root["weight_map"] : undefined;
  if (!isRecord(weightMap)) throw badIndex("it has no `weight_map` object");
  const fileOf = new Map<string, string>();
  for (const [name, file] of Object.entries(weightMap)) {
    // An index is a foreign file: it may only name its neighbours.
    if (typeof file !== "string" || !/^[\w.-]+$/.test(file) || file.startsWith(".")) {
      throw badIndex("`weight_map` names something else than a file beside it", place(undefined, { path: name }));
    }
    fileOf.set(name, file);
  }
  return fileOf;
}
