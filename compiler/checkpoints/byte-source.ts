/**
 * Bytes in memory as a `ByteSource`, and the one place where bytes of a source are asked for: `readChecked` compares
 * the range with the file before anything is allocated.
 */
import { MoecError } from "../errors/moec-error.js";
import { truncated } from "./errors.js";
import type { ByteSource } from "./types.js";

/** A source over bytes that are already in memory. `read` returns views, not copies. */
export function memorySource(bytes: Uint8Array, name?: string): ByteSource {
  return {
    size: bytes.length,
    ...(name === undefined ? {} : { name }),
    read: (offset, length) => readRange(bytes, offset, length),
  };
}

function readRange(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (!isRange(offset, length, bytes.length)) throw truncated("a read", length, offset, bytes.length);
  return bytes.subarray(offset, offset + length);
}

function isRange(offset: number, length: number, size: number): boolean {
  return (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= size
  );
}

/**
 * Read a range that was computed from untrusted numbers.
 *
 * @param what names the thing in the message.
 * @throws MoecError MOE5102 when the range leaves the file or the source gives fewer bytes.
 */
export function readChecked(source: ByteSource, offset: number, length: number, what: string): Uint8Array {
  if (!isRange(offset, length, source.size)) throw truncated(what, length, offset, source.size, source.name);
  const bytes = readOrRefuse(source, offset, length, what);
  if (bytes.length !== length) throw truncated(what, length, offset, offset + bytes.length, source.name);
  return bytes;
}

const POINTER = new TextEncoder().encode("version https://git-lfs");

/** Whether the file is what Git LFS leaves in place of one that was not fetched. */
export function isPointer(source: ByteSource): boolean {
  if (source.size < POINTER.length) return false;
  return readChecked(source, 0, POINTER.length, "the first bytes").every((byte, i) => byte === POINTER[i]);
}

/** A tensor larger than the platform's largest ArrayBuffer is a RangeError of the allocation; say it by code. */
function readOrRefuse(source: ByteSource, offset: number, length: number, what: string): Uint8Array {
  try {
    return source.read(offset, length);
  } catch (error) {
    if (error instanceof MoecError || !(error instanceof RangeError)) throw error;
    throw truncated(what, length, offset, source.size, source.name);
  }
}
