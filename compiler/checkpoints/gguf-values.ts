/**
 * GGUF metadata values: the type numbers, and reading one value of each type. `gguf-value-bytes.ts` writes them.
 */
import type { Cursor } from "./cursor.js";
import { badMetadata, place } from "./errors.js";
import type { MetadataArray, MetadataNumbers, MetadataNumberType, MetadataValue } from "./types.js";

/** Value types in the order of their numbers in the file. */
export const VALUE_TYPES = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "bool",
  "string",
  "array",
  "u64",
  "i64",
  "f64",
] as const;

/** Name of a metadata value type. */
export type ValueType = (typeof VALUE_TYPES)[number];

/** Array constructor and element size of each number type. */
export const NUMBER_ARRAYS: Readonly<
  Record<MetadataNumberType, { readonly bytes: number; readonly of: (buffer: ArrayBuffer) => MetadataNumbers }>
> = {
  u8: { bytes: 1, of: (buffer) => new Uint8Array(buffer) },
  i8: { bytes: 1, of: (buffer) => new Int8Array(buffer) },
  u16: { bytes: 2, of: (buffer) => new Uint16Array(buffer) },
  i16: { bytes: 2, of: (buffer) => new Int16Array(buffer) },
  u32: { bytes: 4, of: (buffer) => new Uint32Array(buffer) },
  i32: { bytes: 4, of: (buffer) => new Int32Array(buffer) },
  f32: { bytes: 4, of: (buffer) => new Float32Array(buffer) },
  f64: { bytes: 8, of: (buffer) => new Float64Array(buffer) },
};

/** Arrays of arrays are allowed by the format but used by nobody; the bound keeps a forged file from overflowing the stack. */
const MAX_DEPTH = 4;

function readType(cursor: Cursor, key: string): ValueType {
  const offset = cursor.position;
  const number = cursor.u32(`the type of ${key}`);
  const type = VALUE_TYPES[number];
  if (type === undefined) {
    throw badMetadata(key, `value type ${number} does not exist`, place(cursor.source.name, { offset }));
  }
  return type;
}

function readBool(cursor: Cursor, key: string): boolean {
  const offset = cursor.position;
  const byte = cursor.u8(key);
  if (byte > 1) throw badMetadata(key, `a bool is ${byte}, not 0 or 1`, place(cursor.source.name, { offset }));
  return byte === 1;
}

/**
 * Read the type and the value of one metadata entry.
 *
 * @throws MoecError MOE5102, MOE5104, MOE5106 or MOE5112 when the bytes are not a value.
 */
export function readValue(cursor: Cursor, key: string): MetadataValue {
  const type = readType(cursor, key);
  switch (type) {
    case "u8":
      return { type, value: cursor.u8(key) };
    case "i8":
      return { type, value: (cursor.u8(key) << 24) >> 24 };
    case "u16":
      return { type, value: cursor.u16(key) };
    case "i16":
      return { type, value: (cursor.u16(key) << 16) >> 16 };
    case "u32":
      return { type, value: cursor.u32(key) };
    case "i32":
      return { type, value: cursor.u32(key) | 0 };
    case "f32":
      return { type, value: cursor.f32(key) };
    case "f64":
      return { type, value: cursor.f64(key) };
    case "u64":
      return { type, value: cursor.u64(key) };
    case "i64":
      return { type, value: BigInt.asIntN(64, cursor.u64(key)) };
    case "bool":
      return { type, value: readBool(cursor, key) };
    case "string":
      return { type, value: cursor.string(key) };
    case "array":
      return readArray(cursor, key, 1);
  }
}

function readArray(cursor: Cursor, key: string, depth: number): MetadataArray {
  if (depth > MAX_DEPTH) {
    throw badMetadata(key, `arrays are nested more than ${MAX_DEPTH} deep`, place(cursor.source.name));
  }
  const type = "array" as const;
  const of = readType(cursor, key);
  const what = `the length of ${key}`;
  switch (of) {
    case "bool":
      return { type, of, values: readMany(cursor.count(1, what), () => readBool(cursor, key)) };
    case "string":
      return { type, of, values: readMany(cursor.count(8, what), () => cursor.string(key)) };
    case "array":
      return { type, of, values: readMany(cursor.count(12, what), () => readArray(cursor, key, depth + 1)) };
    case "u64":
      return { type, of, values: new BigUint64Array(readBuffer(cursor, cursor.count(8, what) * 8, key)) };
    case "i64":
      return { type, of, values: new BigInt64Array(readBuffer(cursor, cursor.count(8, what) * 8, key)) };
    default: {
      const { bytes, of: make } = NUMBER_ARRAYS[of];
      return { type, of, values: make(readBuffer(cursor, cursor.count(bytes, what) * bytes, key)) };
    }
  }
}

/** Grows as it reads: a count that fits the file by its smallest elements may still be far more than there is. */
function readMany<T>(count: number, readOne: () => T): T[] {
  const values: T[] = [];
  for (let i = 0; i < count; i++) values.push(readOne());
  return values;
}

function readBuffer(cursor: Cursor, byteLength: number, key: string): ArrayBuffer {
  const copy = new Uint8Array(byteLength);
  copy.set(cursor.bytes(byteLength, key));
  return copy.buffer;
}
