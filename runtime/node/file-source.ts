/**
 * A file on disk as a `ByteSource`, for the checkpoint readers. Reads are synchronous and positioned, so one source can
 * serve several readers.
 */
import { closeSync, fstatSync, readSync } from "node:fs";
import { basename } from "node:path";
import type { ByteSource } from "../../compiler/checkpoints/types.js";
import { moecError } from "../../compiler/errors/index.js";
import type { MoecError } from "../../compiler/errors/moec-error.js";
import { openPlain } from "./plain-files.js";
import { systemReason } from "./system-errors.js";

/** Node reads at most this much in one call. */
const MAX_READ_BYTES = 2 ** 30;

/** An open file; close it when the checkpoint is no longer needed. */
export interface FileSource extends ByteSource {
  readonly name: string;
  close(): void;
}

/**
 * Open a file for reading.
 *
 * @throws MoecError MOE5123 when the file cannot be opened or is no plain file, and from `read` MOE5102 when a range leaves
 * the file (also when the file became shorter since it was opened).
 */
export function openFileSource(path: string): FileSource {
  const name = basename(path);
  const descriptor = openOrRefuse(path);
  const size = fstatSync(descriptor).size;
  return {
    name,
    size,
    read: (offset, length) => readRange(descriptor, { name, size }, offset, length),
    close: () => closeSync(descriptor),
  };
}

function openOrRefuse(path: string): number {
  try {
    return openPlain(path);
  } catch (error) {
    throw moecError("MOE5123", { path, reason: systemReason(error) }, { file: path });
  }
}

function readRange(
  descriptor: number,
  file: { name: string; size: number },
  offset: number,
  length: number,
): Uint8Array {
  const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!inside || offset + length > file.size) throw outside(file, offset, length);
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const count = readSync(descriptor, bytes, done, Math.min(length - done, MAX_READ_BYTES), offset + done);
    if (count === 0) throw outside(file, offset, length);
    done += count;
  }
  return bytes;
}

function outside(file: { name: string; size: number }, offset: number, length: number): MoecError {
  return moecError("MOE5102", { what: "a read", needed: length, offset, size: file.size }, { file: file.name, offset });
}
