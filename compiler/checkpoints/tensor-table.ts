/**
 * From a list of tensors that a header claims to a `Checkpoint` whose every range is known to be good: sizes follow
 * from type and shape, ranges lie inside their file, no two share a byte, no two share a name.
 */
import { nearestNames } from "./nearest.js";
import { readChecked } from "./byte-source.js";
import { duplicateName, noSuchTensor, place, tensorOutOfRange, tensorsOverlap, truncated } from "./errors.js";
import { toF32 } from "./storage.js";
import type { ByteSource, Checkpoint, Metadata, TensorInfo } from "./types.js";

/**
 * Index tensors by name.
 *
 * @param dataStart for each source, the first byte that tensor data may use.
 * @throws MoecError MOE5107 (same name twice), MOE5109 (range outside the file), MOE5110 (ranges overlap).
 */
export function tensorTable(
  infos: readonly TensorInfo[],
  sources: readonly ByteSource[],
  dataStart: readonly number[],
): Map<string, TensorInfo> {
  const table = new Map<string, TensorInfo>();
  for (const info of infos) {
    const source = sources[info.source]!;
    if (table.has(info.name)) throw duplicateName("tensor", info.name, place(source.name));
    const end = info.offset + info.byteLength;
    if (info.offset < dataStart[info.source]! || !Number.isSafeInteger(end) || end > source.size) {
      throw tensorOutOfRange(info.name, info.offset, end, source.size, source.name);
    }
    table.set(info.name, info);
  }
  checkOverlap(infos, sources);
  return table;
}

function checkOverlap(infos: readonly TensorInfo[], sources: readonly ByteSource[]): void {
  const byPlace = infos
    .filter((info) => info.byteLength > 0)
    .sort((a, b) => a.source - b.source || a.offset - b.offset);
  let previous: TensorInfo | undefined;
  for (const info of byPlace) {
    if (previous?.source === info.source && previous.offset + previous.byteLength > info.offset) {
      throw tensorsOverlap(previous.name, info.name, sources[info.source]!.name);
    }
    previous = info;
  }
}

/**
 * A tensor that must be there.
 *
 * @throws MoecError MOE5116 with the nearest names when it is not.
 */
export function requireTensor(tensors: ReadonlyMap<string, TensorInfo>, name: string, file?: string): TensorInfo {
  const info = tensors.get(name);
  if (info === undefined) throw noSuchTensor(name, nearestNames(name, [...tensors.keys()]), file);
  return info;
}

/** A `Checkpoint` over a checked table. */
export function checkpointOf(
  format: Checkpoint["format"],
  metadata: Metadata,
  tensors: ReadonlyMap<string, TensorInfo>,
  sources: readonly ByteSource[],
): Checkpoint {
  const find = (name: string): TensorInfo => requireTensor(tensors, name, sources[0]?.name);
  const readPart = (name: string, byteOffset: number, byteLength: number): Uint8Array => {
    const info = find(name);
    if (!(byteOffset >= 0 && byteLength >= 0 && byteOffset + byteLength <= info.byteLength)) {
      throw truncated(`part of ${name}`, byteLength, byteOffset, info.byteLength, sources[info.source]!.name);
    }
    return readChecked(sources[info.source]!, info.offset + byteOffset, byteLength, name);
  };
  const read = (name: string): Uint8Array => readPart(name, 0, find(name).byteLength);
  return { format, metadata, tensors, read, readPart, readF32: (name) => toF32(find(name).type, read(name)) };
}
