/**
 * Fields of protocol buffer messages, read from a file as they are asked for: a message of gigabytes is walked over
 * without being held. Every length is compared with the message around it before anything is read.
 */
import { readChecked } from "./byte-source.js";
import type { ByteSource } from "./types.js";

const WINDOW_BYTES = 64 * 1024;

/** A range of bytes in a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** One field: a number for varints, where its bytes are for the other kinds. */
export type WireField =
  | { readonly field: number; readonly kind: "varint"; readonly value: bigint; readonly offset: number }
  | { readonly field: number; readonly kind: "fixed32" | "fixed64" | "bytes"; readonly at: ByteRange };

/** The file of the messages, with the part of it that was read last. */
export class WireFile {
  #start = 0;
  #window: Uint8Array = new Uint8Array(0);

  /** @param damaged Makes the error for bytes that are no message. */
  constructor(
    readonly source: ByteSource,
    readonly damaged: (reason: string, offset: number) => Error,
  ) {}

  byte(at: number): number {
    const inside = this.#window[at - this.#start];
    if (inside !== undefined) return inside;
    this.#window = readChecked(this.source, at, Math.min(WINDOW_BYTES, this.source.size - at), "a field");
    this.#start = at;
    return this.#window[0]!;
  }

  /** Bytes of a range, for those that are known to be short. */
  bytes({ offset, length }: ByteRange): Uint8Array {
    const from = offset - this.#start;
    if (from >= 0 && from + length <= this.#window.length) return this.#window.subarray(from, from + length);
    return readChecked(this.source, offset, length, "a field");
  }

  /**
   * A text of at most `most` bytes.
   *
   * @throws the damage error when it is longer or not UTF-8.
   */
  text(at: ByteRange, most: number): string {
    if (at.length > most) throw this.damaged(`a text of ${at.length} bytes`, at.offset);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes(at));
    } catch {
      throw this.damaged("a text that is not UTF-8", at.offset);
    }
  }

  /** The fields of a message, in the order of the file. */
  *fields({ offset, length }: ByteRange): Generator<WireField, void> {
    const end = offset + length;
    for (let at = offset; at < end;) {
      const tag = this.varint(at, end);
      const field = Number(tag.value >> 3n);
      const kind = Number(tag.value & 7n);
      if (field < 1 || field > 2 ** 29 - 1) throw this.damaged(`a field with the number ${field}`, at);
      const begin = tag.end;
      switch (kind) {
        case 0: {
          const { value, end: after } = this.varint(begin, end);
          yield { field, kind: "varint", value, offset: begin };
          at = after;
          break;
        }
        case 1:
        case 5: {
          const size = kind === 1 ? 8 : 4;
          if (begin + size > end) throw this.damaged("a number that leaves its message", begin);
          yield { field, kind: kind === 1 ? "fixed64" : "fixed32", at: { offset: begin, length: size } };
          at = begin + size;
          break;
        }
        case 2: {
          const { value, end: after } = this.varint(begin, end);
          if (value > BigInt(end - after))
            throw this.damaged(`a field of ${value} bytes that leaves its message`, begin);
          yield { field, kind: "bytes", at: { offset: after, length: Number(value) } };
          at = after + Number(value);
          break;
        }
        default:
          throw this.damaged(`a field of the unknown kind ${kind}`, at);
      }
    }
  }

  /** All varints of a packed field, each as a 64-bit number without sign. */
  *packed({ offset, length }: ByteRange): Generator<bigint, void> {
    for (let at = offset; at < offset + length;) {
      const { value, end } = this.varint(at, offset + length);
      yield value;
      at = end;
    }
  }

  private varint(at: number, end: number): { readonly value: bigint; readonly end: number } {
    let value = 0n;
    for (let index = 0; index < 10; index++) {
      if (at + index >= end) throw this.damaged("a number that leaves its message", at);
      const byte = this.byte(at + index);
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: at + index + 1 };
    }
    throw this.damaged("a number of more than ten bytes", at);
  }
}
