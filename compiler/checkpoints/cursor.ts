/**
 * Reads little-endian fields one after another from a `ByteSource`, through a window so that a file with 100,000 tokens
 * is not 100,000 system calls. Every length is compared with the bytes that are left before anything is allocated.
 */
import { readChecked } from "./byte-source.js";
import { badUtf8, countTooLarge, integerOverflow, place, truncated } from "./errors.js";
import type { ByteSource } from "./types.js";

const WINDOW_BYTES = 256 * 1024;

/**
 * The largest header that is read. Real ones stay below 32 MB (a vocabulary of 256,000 tokens with its merges); the
 * bound keeps a forged count from turning a 40 GB file into 40 GB of strings.
 */
export const MAX_HEADER_BYTES = 256 * 1024 * 1024;

/** A forward reader of header fields. */
export class Cursor {
  #position = 0;
  #windowStart = 0;
  #window: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  readonly #limit: number;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(readonly source: ByteSource) {
    this.#limit = Math.min(source.size, MAX_HEADER_BYTES);
  }

  /** Offset of the next field from the start of the file. */
  get position(): number {
    return this.#position;
  }

  /** Bytes between the next field and the end of the file (or of the largest header). */
  get remaining(): number {
    return this.#limit - this.#position;
  }

  /** Move past `length` bytes and return where they begin in the window. */
  #take(length: number, what: string): number {
    const start = this.#position;
    if (length > this.remaining) throw truncated(what, length, start, this.#limit, this.source.name);
    if (start < this.#windowStart || start + length > this.#windowStart + this.#window.length) {
      const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.remaining);
      this.#window = readChecked(this.source, start, wanted, what);
      this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
      this.#windowStart = start;
    }
    this.#position += length;
    return start - this.#windowStart;
  }

  /** `length` bytes, copied. */
  bytes(length: number, what: string): Uint8Array {
    const at = this.#take(length, what);
    return this.#window.slice(at, at + length);
  }

  u8(what: string): number {
    const at = this.#take(1, what);
    return this.#view.getUint8(at);
  }

  u16(what: string): number {
    const at = this.#take(2, what);
    return this.#view.getUint16(at, true);
  }

  u32(what: string): number {
    const at = this.#take(4, what);
    return this.#view.getUint32(at, true);
  }

  f32(what: string): number {
    const at = this.#take(4, what);
    return this.#view.getFloat32(at, true);
  }

  f64(what: string): number {
    const at = this.#take(8, what);
    return this.#view.getFloat64(at, true);
  }

  u64(what: string): bigint {
    const at = this.#take(8, what);
    return this.#view.getBigUint64(at, true);
  }

  /**
   * A u64 that must be exact as a number.
   *
   * @throws MoecError MOE5105 beyond 2^53.
   */
  size(what: string): number {
    const offset = this.#position;
    const value = this.u64(what);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw integerOverflow(what, value, place(this.source.name, { offset }));
    }
    return Number(value);
  }

  /**
   * A u64 that counts things of at least `minimumBytes` each, all of them still to come.
   *
   * @throws MoecError MOE5104 when they cannot fit in what is left of the file.
   */
  count(minimumBytes: number, what: string): number {
    const offset = this.#position;
    const value = this.u64(what);
    const limit = Math.floor(this.remaining / minimumBytes);
    if (value > BigInt(limit)) throw countTooLarge(what, value, limit, place(this.source.name, { offset }));
    return Number(value);
  }

  /**
   * A string: u64 byte length, then UTF-8.
   *
   * @throws MoecError MOE5104 when the length leaves the file, MOE5106 when the bytes are not UTF-8.
   */
  string(what: string): string {
    const offset = this.#position;
    const length = this.count(1, what);
    const at = this.#take(length, what);
    try {
      return this.#utf8.decode(this.#window.subarray(at, at + length));
    } catch {
      throw badUtf8(what, place(this.source.name, { offset }));
    }
  }
}
