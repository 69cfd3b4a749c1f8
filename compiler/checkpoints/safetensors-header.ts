/**
 * The header of one safetensors file:
 *
 * ```text
 * u64 header length  |  JSON {"name": {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {..}}  |  data
 * ```
 *
 * Offsets count from the end of the header. The format asks that the data has no holes, and so does this reader: bytes
 * that belong to no tensor are how a second file is hidden in a first.
 */
import { isPointer, readChecked } from "./byte-source.js";
import {
  badHeader,
  badUtf8,
  countTooLarge,
  duplicateName,
  integerOverflow,
  notACheckpoint,
  place,
  unknownTensorType,
} from "./errors.js";
import { repeatedKey } from "./json-keys.js";
import { STORAGE, STORAGE_TYPES, storageBytes } from "./storage.js";
import type { ByteSource, MetadataValue, StorageType, TensorInfo } from "./types.js";

/** The format's own bound on the header. */
export const MAX_JSON_BYTES = 100_000_000;
/** Key of the free-form string map beside the tensors. */
export const METADATA_KEY = "__metadata__";

const TYPE_OF_NAME: ReadonlyMap<string, StorageType> = new Map(
  STORAGE_TYPES.flatMap((type) => {
    const name = STORAGE[type].safetensors;
    return name === undefined ? [] : [[name, type] as const];
  }),
);

/** What a header says. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly TensorInfo[];
  /** First byte of the data. */
  readonly dataStart: number;
}

/**
 * Read and check one file's header.
 *
 * @param index becomes the `source` of every tensor.
 * @throws MoecError MOE5101, MOE5102, MOE5104 to MOE5108, MOE5111, MOE5114.
 */
export function readSafetensorsHeader(source: ByteSource, index: number): SafetensorsHeader {
  const file = source.name;
  const text = readHeaderText(source);
  const dataStart = text.end;
  const root = parse(text.json, file);
  const tensors: TensorInfo[] = [];
  const metadata = new Map<string, MetadataValue>();
  for (const [name, value] of Object.entries(root)) {
    if (name === METADATA_KEY) readStrings(value, metadata, file);
    else tensors.push(readEntry(name, value, { file, index, dataStart }));
  }
  checkNoHoles(tensors, dataStart, source);
  return { metadata, tensors, dataStart };
}

function readHeaderText(source: ByteSource): { json: string; end: number } {
  const file = source.name;
  if (source.size < 8) throw notACheckpoint(file);
  const prefix = readChecked(source, 0, 8, "the header length");
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  const limit = Math.min(source.size - 8, MAX_JSON_BYTES);
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) {
    // As a number, the letters of a pointer are beyond it.
    if (isPointer(source)) throw notACheckpoint(file, true);
    throw integerOverflow("the header length", length, place(file, { offset: 0 }));
  }
  if (length > BigInt(limit)) throw countTooLarge("the header length", length, limit, place(file, { offset: 0 }));
  const bytes = readChecked(source, 8, Number(length), "the header");
  if (bytes[0] !== 0x7b) throw badHeader("it does not begin with `{`", place(file, { offset: 8 }));
  try {
    return { json: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), end: 8 + bytes.length };
  } catch {
    throw badUtf8("the header", place(file, { offset: 8 }));
  }
}

function parse(json: string, file: string | undefined): Record<string, unknown> {
  let root: unknown;
  try {
    root = JSON.parse(json);
  } catch {
    throw badHeader("it is not JSON", place(file, { offset: 8 }));
  }
  if (!isRecord(root)) throw badHeader("it is not a JSON object", place(file, { offset: 8 }));
  const repeated = repeatedKey(json);
  if (repeated !== undefined) throw duplicateName("tensor", repeated, place(file));
  return root;
}

/** A JSON object, not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readStrings(value: unknown, into: Map<string, MetadataValue>, file: string | undefined): void {
  if (!isRecord(value)) throw badHeader("`__metadata__` is not an object", place(file));
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw badHeader("`__metadata__` holds something else than strings", place(file));
    into.set(key, { type: "string", value: text });
  }
}

interface EntryContext {
  readonly file: string | undefined;
  readonly index: number;
  readonly dataStart: number;
}

function readEntry(name: string, entry: unknown, { file, index, dataStart }: EntryContext): TensorInfo {
  const at = place(file, { path: name });
  if (!isRecord(entry)) throw badHeader("a tensor's entry is not an object", at);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string") throw badHeader("a tensor has no `dtype`", at);
  const type = TYPE_OF_NAME.get(dtype);
  if (type === undefined) throw unknownTensorType(name, dtype, [...TYPE_OF_NAME.keys()], file);
  if (!isSizes(shape)) throw badHeader("a tensor's `shape` is not a list of sizes", at);
  if (!isSizes(offsets) || offsets.length !== 2) throw badHeader("`data_offsets` is not a pair of offsets", at);
  const [begin, end] = offsets as [number, number];
  const byteLength = storageBytes(type, shape, name);
  if (end - begin !== byteLength) {
    throw badHeader(`a tensor of ${byteLength} bytes has room for ${end - begin}`, at);
  }
  return { name, shape, type, byteLength, source: index, offset: dataStart + begin };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}

/** Overlaps are left to the tensor table, which names both tensors. */
function checkNoHoles(tensors: readonly TensorInfo[], dataStart: number, source: ByteSource): void {
  let covered = dataStart;
  for (const { name, offset, byteLength } of [...tensors].sort((a, b) => a.offset - b.offset)) {
    if (offset > covered) {
      throw badHeader(
        `${offset - covered} bytes belong to no tensor`,
        place(source.name, { path: name, offset: covered }),
      );
    }
    covered = Math.max(covered, offset + byteLength);
  }
  if (covered < source.size) {
    throw badHeader(`${source.size - covered} bytes belong to no tensor`, place(source.name, { offset: covered }));
  }
}
