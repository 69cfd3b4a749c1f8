/** A bundle in a folder on disk. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { BundleFiles } from "../host.js";

/** Bytes read and hashed in one go: small enough that progress moves, large enough that calls don't count. */
const PIECE_BYTES = 8 * 2 ** 20;

/** The files of the bundle in `folder`. Paths were checked by the manifest reader. */
export function folderFiles(folder: string): BundleFiles {
  return {
    location: folder,
    read: async (path, most = Infinity) => {
      try {
        const { size } = await stat(join(folder, path));
        if (size > most) throw otherSize(folder, path, size, most);
        return await readFile(join(folder, path));
      } catch (error) {
        throw error instanceof MoecError ? error : moecError("MOE5304", { file: path }, { file: folder });
      }
    },
    // Positioned reads straight into the device's memory; the file is hashed from there.
    readInto: (path, target, onBytes) => Promise.resolve(readWhole(folder, path, target, onBytes)),
    localPath: (path) => resolve(folder, path),
    sha256: (bytes) => Promise.resolve(createHash("sha256").update(bytes).digest("hex")),
  };
}

function readWhole(folder: string, path: string, target: Uint8Array, onBytes?: (count: number) => void): string {
  const descriptor = openOrRefuse(folder, path);
  try {
    const size = fstatSync(descriptor).size;
    if (size !== target.length) throw otherSize(folder, path, size, target.length);
    const hash = createHash("sha256");
    for (let at = 0; at < size;) {
      const count = readSync(descriptor, target, at, Math.min(PIECE_BYTES, size - at), at);
      if (count === 0) throw otherSize(folder, path, at, target.length);
      hash.update(target.subarray(at, at + count));
      at += count;
      onBytes?.(count);
    }
    return hash.digest("hex");
  } finally {
    closeSync(descriptor);
  }
}

function openOrRefuse(folder: string, path: string): number {
  try {
    return openSync(join(folder, path), "r");
  } catch {
    throw moecError("MOE5304", { file: path }, { file: folder });
  }
}

function otherSize(folder: string, path: string, found: number, expected: number): MoecError {
  return moecError("MOE5305", { file: path, found, expected }, { file: folder });
}
