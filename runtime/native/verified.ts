/**
 * Hashes of large files, taken once: hashing gigabytes costs seconds, and a file with the same path, number, size and
 * time of change as one that was hashed holds the same bytes.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { WeightFile } from "../host.js";
import { Cache, hashOf } from "./cache.js";

const PIECE_BYTES = 8 * 2 ** 20;

const cache = (): Cache => new Cache("verified");

/**
 * Compares files with their hashes, unless that was done before.
 *
 * @param again Also those that were compared before.
 * @throws MoecError MOE5304, MOE5305, MOE5306
 */
export function verifyFiles(files: readonly WeightFile[], again: boolean): void {
  const known = cache();
  for (const file of files) {
    const key = keyOf(file);
    if (!again && known.read(key)) continue;
    const found = hashFile(file.path);
    if (found !== file.sha256) throw moecError("MOE5306", { file: file.path });
    known.write(key, new Uint8Array(0));
  }
}

/**
 * Remembers files whose bytes were hashed while they were written. Those that another process has replaced since then are
 * left out: it remembers its own.
 */
export function rememberVerified(files: readonly WeightFile[]): void {
  const known = cache();
  for (const file of files) {
    const key = keyIfThere(file);
    if (key !== undefined) known.write(key, new Uint8Array(0));
  }
}

function keyIfThere(file: WeightFile): string | undefined {
  try {
    return keyOf(file);
  } catch (error) {
    if (error instanceof MoecError) return undefined;
    throw error;
  }
}

function keyOf({ path, bytes, sha256 }: WeightFile): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  if (!stats) throw moecError("MOE5304", { file: path });
  if (stats.size !== BigInt(bytes)) {
    throw moecError("MOE5305", { file: path, found: Number(stats.size), expected: bytes });
  }
  const identity = [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(" ");
  return hashOf(path, identity, sha256).toString("hex");
}

function hashFile(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const hash = createHash("sha256");
    const piece = new Uint8Array(PIECE_BYTES);
    for (;;) {
      const count = readSync(descriptor, piece, 0, piece.length, null);
      if (count === 0) return hash.digest("hex");
      hash.update(piece.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
}
