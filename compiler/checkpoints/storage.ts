/**
 * The storage types: one record for each says how large a block is, what the two file formats call it, and how to turn
 * it into f32 and back. A new type is one record here (and its codec).
 *
 * Multi-byte values are little-endian in both file formats, and typed arrays are little-endian on every platform that
 * runs Node or a browser today; `aligned` below copies when a view would start on an odd byte.
 */
import { BLOCK_VALUES, decodeQ4, decodeQ8, encodeQ4, encodeQ8 } from "./blocks.js";
import { badShape } from "./errors.js";
import { decodeBf16, decodeF16, encodeBf16, encodeF16 } from "./half.js";
import { decodeQ4K, decodeQ4Min, decodeQ5, decodeQ5K, decodeQ5Min, decodeQ6K, SUPERBLOCK_VALUES } from "./k-quants.js";
import type { EncodableType } from "./encodable.js";
import type { StorageType } from "./types.js";

export type { EncodableType } from "./encodable.js";

/** One storage type. */
export interface StorageRecord {
  /** Values in a block; blocks run along the innermost axis, so that axis must be a multiple of it. */
  readonly blockValues: number;
  /** Bytes of a block. */
  readonly blockBytes: number;
  /** Type number in GGUF, if the format has it. */
  readonly ggml?: number;
  /** Type name in safetensors, if the format has it. */
  readonly safetensors?: string;
  /** Fill `out` from the bytes of whole blocks. i64 values beyond 2^53 are rounded. */
  readonly decode: (bytes: Uint8Array, out: Float32Array) => void;
  /** Fill `out` with whole blocks; absent for types that only come from files. */
  readonly encode?: (values: Float32Array, out: Uint8Array) => void;
}

/** The same bytes at an address that a typed array of `width`-byte elements may start on. */
function aligned(bytes: Uint8Array, width: number): Uint8Array {
  return bytes.byteOffset % width === 0 ? bytes : bytes.slice();
}

/** Every storage type; a total map, so a type without a record does not compile. */
export const STORAGE: Readonly<Record<StorageType, StorageRecord>> = {
  f32: {
    blockValues: 1,
    blockBytes: 4,
    ggml: 0,
    safetensors: "F32",
    decode: (bytes, out) => {
      new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes.subarray(0, out.byteLength));
    },
    encode: (values, out) => out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  },
  f16: { blockValues: 1, blockBytes: 2, ggml: 1, safetensors: "F16", decode: decodeF16, encode: encodeF16 },
  bf16: { blockValues: 1, blockBytes: 2, ggml: 30, safetensors: "BF16", decode: decodeBf16, encode: encodeBf16 },
  i32: {
    blockValues: 1,
    blockBytes: 4,
    ggml: 26,
    safetensors: "I32",
    decode: (bytes, out) => {
      const source = aligned(bytes, 4);
      out.set(new Int32Array(source.buffer, source.byteOffset, out.length));
    },
  },
  i64: {
    blockValues: 1,
    blockBytes: 8,
    ggml: 27,
    safetensors: "I64",
    decode: (bytes, out) => {
      const source = aligned(bytes, 8);
      const values = new BigInt64Array(source.buffer, source.byteOffset, out.length);
      for (let i = 0; i < out.length; i++) out[i] = Number(values[i]!);
    },
  },
  u8: { blockValues: 1, blockBytes: 1, safetensors: "U8", decode: (bytes, out) => out.set(bytes) },
  i8: {
    blockValues: 1,
    blockBytes: 1,
    ggml: 24,
    safetensors: "I8",
    decode: (bytes, out) => out.set(new Int8Array(bytes.buffer, bytes.byteOffset, out.length)),
  },
  bool: { blockValues: 1, blockBytes: 1, safetensors: "BOOL", decode: (bytes, out) => out.set(bytes) },
  q8_0: { blockValues: BLOCK_VALUES, blockBytes: 34, ggml: 8, decode: decodeQ8, encode: encodeQ8 },
  q4_0: { blockValues: BLOCK_VALUES, blockBytes: 18, ggml: 2, decode: decodeQ4, encode: encodeQ4 },
  q4_1: { blockValues: BLOCK_VALUES, blockBytes: 20, ggml: 3, decode: decodeQ4Min },
  q5_0: { blockValues: BLOCK_VALUES, blockBytes: 22, ggml: 6, decode: decodeQ5 },
  q5_1: { blockValues: BLOCK_VALUES, blockBytes: 24, ggml: 7, decode: decodeQ5Min },
  q4_K: { blockValues: SUPERBLOCK_VALUES, blockBytes: 144, ggml: 12, decode: decodeQ4K },
  q5_K: { blockValues: SUPERBLOCK_VALUES, blockBytes: 176, ggml: 13, decode: decodeQ5K },
  q6_K: { blockValues: SUPERBLOCK_VALUES, blockBytes: 210, ggml: 14, decode: decodeQ6K },
};

/** All storage types, in the order of the table. */
export const STORAGE_TYPES = Object.keys(STORAGE) as readonly StorageType[];

/**
 * Number of values of a shape.
 *
 * @throws MoecError MOE5111 for negative or fractional sizes and for products beyond 2^53.
 */
export function valueCount(shape: readonly number[], name: string): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) throw badShape(name, shape, "a size is not a whole number");
    count *= size;
    if (!Number.isSafeInteger(count)) throw badShape(name, shape, "it has more than 2^53 values");
  }
  return count;
}

/**
 * Bytes that a tensor takes.
 *
 * @throws MoecError MOE5111 when the shape is not one, or its innermost axis is not a whole number of blocks.
 */
export function storageBytes(type: StorageType, shape: readonly number[], name: string): number {
  const { blockValues, blockBytes } = STORAGE[type];
  const count = valueCount(shape, name);
  if (blockValues > 1 && (shape.at(-1) ?? 1) % blockValues !== 0) {
    throw badShape(name, shape, `its last size is not a multiple of the ${blockValues} values of a ${type} block`);
  }
  const bytes = (count / blockValues) * blockBytes;
  if (!Number.isSafeInteger(bytes)) throw badShape(name, shape, "it has more than 2^53 bytes");
  return bytes;
}

/** Values of stored bytes as f32. `bytes` holds whole blocks. */
export function toF32(type: StorageType, bytes: Uint8Array): Float32Array {
  const { blockValues, blockBytes, decode } = STORAGE[type];
  const out = new Float32Array(Math.floor(bytes.length / blockBytes) * blockValues);
  decode(bytes, out);
  return out;
}

/** The type that a build keeps such numbers in: their own, or the smallest one that loses little of them. */
export function keptAs(type: StorageType): EncodableType {
  switch (type) {
    case "f32":
    case "f16":
    case "bf16":
    case "q8_0":
    case "q4_0":
      return type;
    case "q4_1":
    case "q5_0":
    case "q5_1":
    case "q4_K":
    case "q5_K":
    case "q6_K":
      // Finer than 4 bits around zero; 8 bits add at most 1/254 of a block's largest value.
      return "q8_0";
    case "i32":
    case "i64":
    case "u8":
    case "i8":
    case "bool":
      return "f16";
    default:
      return type satisfies never;
  }
}

/**
 * Convert f32 values to stored bytes.
 *
 * @param values for block types a multiple of the block; rows must be whole blocks.
 * @throws MoecError MOE5111 when the count is not whole blocks, MOE5118 when a value cannot be quantized.
 */
export function fromF32(type: EncodableType, values: Float32Array): Uint8Array {
  const { encode } = STORAGE[type];
  const out = new Uint8Array(storageBytes(type, [values.length], "values"));
  encode!(values, out);
  return out;
}
