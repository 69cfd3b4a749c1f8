/**
 * Reader of GGUF version 3, little-endian:
 *
 * ```text
 * "GGUF"  u32 version  u64 tensor count  u64 metadata count
 * metadata: (string key, u32 type, value)*
 * tensors:  (string name, u32 rank, u64 size[rank] innermost first, u32 type, u64 offset)*
 * padding to general.alignment (32 unless said), then the data; offsets count from here
 * ```
 */
import { Cursor } from "./cursor.js";
import {
  badAlignment,
  badMetadata,
  badShape,
  badVersion,
  countTooLarge,
  duplicateName,
  notACheckpoint,
  partOfModel,
  place,
  unknownTensorType,
} from "./errors.js";
import { ggmlTypeName, READABLE_GGML_TYPES, storageOfGgml } from "./ggml-types.js";
import { readValue } from "./gguf-values.js";
import { optionalNumber } from "./metadata.js";
import { storageBytes } from "./storage.js";
import { checkpointOf, tensorTable } from "./tensor-table.js";
import type { ByteSource, Checkpoint, Metadata, MetadataValue, TensorInfo } from "./types.js";

/** "GGUF" as a little-endian u32. */
export const GGUF_MAGIC = 0x46554747;
/** The version that is read and written. */
export const GGUF_VERSION = 3;
/** Alignment of tensor data when the metadata does not say another. */
export const DEFAULT_ALIGNMENT = 32;
/** ggml has no tensors of more axes. */
export const MAX_RANK = 4;

/** Smallest possible entry: empty key, type, one byte of value. */
const MIN_METADATA_BYTES = 8 + 4 + 1;
/** Smallest possible entry: empty name, rank 0, type, offset. */
const MIN_TENSOR_BYTES = 8 + 4 + 4 + 8;

/**
 * Read the header of a GGUF file; tensor data is read later, on demand.
 *
 * @throws MoecError MOE5101 to MOE5113 for everything that can be wrong with the bytes.
 */
export function readGguf(source: ByteSource): Checkpoint {
  const cursor = new Cursor(source);
  if (source.size < 4 || cursor.u32("the magic number") !== GGUF_MAGIC) throw notACheckpoint(source.name);
  const version = cursor.u32("the version");
  if (version !== GGUF_VERSION) throw badVersion(version, source.name);
  const tensorCount = cursor.count(MIN_TENSOR_BYTES, "the tensor count");
  const metadataCount = cursor.count(MIN_METADATA_BYTES, "the metadata count");
  const metadata = readMetadata(cursor, metadataCount);
  refusePart(metadata, source.name);
  const alignment = alignmentOf(metadata, source.name);
  const claims: TensorInfo[] = [];
  for (let i = 0; i < tensorCount; i++) claims.push(readTensorInfo(cursor, alignment));
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const infos = claims.map((info) => ({ ...info, offset: info.offset + dataStart }));
  return checkpointOf("gguf", metadata, tensorTable(infos, [source], [dataStart]), [source]);
}

function readMetadata(cursor: Cursor, count: number): Metadata {
  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < count; i++) {
    const offset = cursor.position;
    const key = cursor.string("a metadata key");
    if (metadata.has(key)) throw duplicateName("metadata key", key, place(cursor.source.name, { offset }));
    metadata.set(key, readValue(cursor, key));
  }
  return metadata;
}

/** One of several files that hold a model together: most of its tensors are in the others. */
function refusePart(metadata: Metadata, file: string | undefined): void {
  const count = optionalNumber(metadata, "split.count") ?? 1;
  if (count > 1) throw partOfModel((optionalNumber(metadata, "split.no") ?? 0) + 1, count, file);
}

/** A power of two, at most 1 MiB: larger ones exist in no file and would only make room for overflow. */
function alignmentOf(metadata: Metadata, file: string | undefined): number {
  const entry = metadata.get("general.alignment");
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  if (entry.type !== "u32") {
    throw badMetadata("general.alignment", `it is of type ${entry.type}, not u32`, place(file));
  }
  const { value } = entry;
  if (value < 1 || value > 1 << 20 || (value & (value - 1)) !== 0) {
    throw badAlignment("general.alignment", value, "it must be a power of two up to 1048576", file);
  }
  return value;
}

/** One tensor entry; `offset` still counts from the start of the data. */
function readTensorInfo(cursor: Cursor, alignment: number): TensorInfo {
  const file = cursor.source.name;
  const at = cursor.position;
  const name = cursor.string("a tensor name");
  const rank = cursor.u32(`the rank of ${name}`);
  if (rank > MAX_RANK) throw countTooLarge(`the rank of ${name}`, rank, MAX_RANK, place(file, { offset: at }));
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) shape.unshift(cursor.size(`a size of ${name}`));
  const typeNumber = cursor.u32(`the type of ${name}`);
  const type = storageOfGgml(typeNumber);
  if (type === undefined) throw unknownTensorType(name, ggmlTypeName(typeNumber), READABLE_GGML_TYPES, file);
  const offset = cursor.size(`the offset of ${name}`);
  if (offset % alignment !== 0) {
    throw badAlignment(`the offset of ${name}`, offset, `it must be a multiple of ${alignment}`, file);
  }
  const byteLength = storageBytes(type, shape, name);
  if (offset + byteLength > Number.MAX_SAFE_INTEGER) throw badShape(name, shape, "its data would end beyond 2^53");
  return { name, shape, type, byteLength, source: 0, offset };
}
