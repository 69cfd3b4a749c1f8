/**
 * The header of a file in GGUF version 3, little-endian:
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
  place,
  unknownTensorType,
} from "./errors.js";
import { ggmlTypeName, READABLE_GGML_TYPES, storageOfGgml } from "./ggml-types.js";
import { readValue } from "./gguf-values.js";
import { storageBytes } from "./storage.js";
import type { ByteSource, Metadata, MetadataValue, TensorInfo } from "./types.js";

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

/** What stands in front of the data of one file. */
export interface GgufHeader {
  readonly metadata: Metadata;
  /** As claimed: ranges are not yet compared with the file. `source` is 0. */
  readonly tensors: readonly TensorInfo[];
  /** First byte that tensor data may use. */
  readonly dataStart: number;
}

/**
 * Read the header of one file.
 *
 * @throws MoecError MOE5101 to MOE5113 for everything that can be wrong with the bytes.
 */
export function readGgufHeader(source: ByteSource): GgufHeader {
  const cursor = new Cursor(source);
  if (source.size < 4 || cursor.u32("the magic number") !== GGUF_MAGIC) throw notACheckpoint(source.name);
  const version = cursor.u32("the version");
  if (version !== GGUF_VERSION) throw badVersion(version, source.name);
  const tensorCount = cursor.count(MIN_TENSOR_BYTES, "the tensor count");
  const metadataCount = cursor.count(MIN_METADATA_BYTES, "the metadata count");
  const metadata = readMetadata(cursor, metadataCount);
  const alignment = alignmentOf(metadata, source.name);
  const claims: TensorInfo[] = [];
  for (let i = 0; i < tensorCount; i++) claims.push(readTensorInfo(cursor, alignment));
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = claims.map((info) => ({ ...info, offset: info.offset + dataStart }));
  return { metadata, tensors, dataStart };
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
