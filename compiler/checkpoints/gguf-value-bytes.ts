/** Bytes of GGUF header fields; the mirror image of `cursor.ts` and `gguf-values.ts`. */
import { badMetadata } from "./errors.js";
import { VALUE_TYPES, type ValueType } from "./gguf-values.js";
import type { MetadataArray, MetadataValue } from "./types.js";

const utf8 = new TextEncoder();

/** Collects little-endian fields into one growing buffer. */
export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(by: number): number {
    const start = this.#length;
    this.#length += by;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Zeros up to the next multiple of `alignment`. */
  pad(alignment: number): void {
    this.#grow((alignment - (this.#length % alignment)) % alignment);
  }

  u8(value: number): void {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
  }

  f32(value: number): void {
    const at = this.#grow(4);
    this.#view.setFloat32(at, value, true);
  }

  f64(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value, true);
  }

  u64(value: number | bigint): void {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  }

  /** u64 byte length, then UTF-8. */
  string(text: string): void {
    const bytes = utf8.encode(text);
    this.u64(bytes.length);
    this.bytes(bytes);
  }
}

function writeType(writer: ByteWriter, type: ValueType): void {
  writer.u32(VALUE_TYPES.indexOf(type));
}

/** Range of each whole-number type; what is outside would be written as another number. */
const RANGES: Readonly<Record<"u8" | "i8" | "u16" | "i16" | "u32" | "i32", readonly [number, number]>> = {
  u8: [0, 0xff],
  i8: [-0x80, 0x7f],
  u16: [0, 0xffff],
  i16: [-0x8000, 0x7fff],
  u32: [0, 0xffffffff],
  i32: [-0x80000000, 0x7fffffff],
};

function checkNumber(key: string, type: keyof typeof RANGES, value: number): void {
  const [least, most] = RANGES[type];
  if (!Number.isInteger(value) || value < least || value > most) throw badMetadata(key, `${value} is not a ${type}`);
}

/**
 * Write the type and the value of one metadata entry.
 *
 * @throws MoecError MOE5112 when a number does not fit its type.
 */
export function writeValue(writer: ByteWriter, key: string, entry: MetadataValue): void {
  writeType(writer, entry.type);
  switch (entry.type) {
    case "u8":
    case "i8":
      checkNumber(key, entry.type, entry.value);
      return writer.u8(entry.value);
    case "u16":
    case "i16":
      checkNumber(key, entry.type, entry.value);
      return writer.u16(entry.value);
    case "u32":
    case "i32":
      checkNumber(key, entry.type, entry.value);
      return writer.u32(entry.value);
    case "f32":
      return writer.f32(entry.value);
    case "f64":
      return writer.f64(entry.value);
    case "u64":
    case "i64":
      return writer.u64(entry.value);
    case "bool":
      return writer.u8(entry.value ? 1 : 0);
    case "string":
      return writer.string(entry.value);
    case "array":
      return writeArray(writer, entry);
  }
}

function writeArray(writer: ByteWriter, entry: MetadataArray): void {
  writeType(writer, entry.of);
  writer.u64(entry.values.length);
  switch (entry.of) {
    case "bool":
      for (const value of entry.values) writer.u8(value ? 1 : 0);
      return;
    case "string":
      for (const value of entry.values) writer.string(value);
      return;
    case "array":
      for (const value of entry.values) writeArray(writer, value);
      return;
    default: {
      const { buffer, byteOffset, byteLength } = entry.values;
      writer.bytes(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
}
