/** A bundle in a folder on disk. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { BundleFiles } from "../host.js";
import { systemReason } from "./system-errors.js";

/** Bytes read and hashed in one go: small enough that progress moves, large enough that calls don't count. */
const PIECE_BYTES = 8 * 2 ** 20;

/** The files of the bundle in `folder`. Paths were checked by the manifest reader. */
export function folderFiles(folder: string): BundleFiles {
  return {
    location: folder,
    read: async (path, most = Infinity) => {
      try {
        const place = placeOf(folder, path);
        const { size } = await stat(place);
        if (size > most) throw otherSize(folder, path, size, most);
        return await readFile(place);
      } catch (error) {
        throw refused(folder, path, error);
      }
    },
    // Positioned reads straight into the device's memory; the file is hashed from there.
    readInto: (path, target, onBytes) => Promise.resolve(readWhole(folder, path, target, onBytes)),
    localPath: (path) => placeOf(folder, path),
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

/**
 * Where a file of the bundle lies. A link may lead to any file of this machine, and reading a pipe may never end, so only
 * plain files count.
 */
function placeOf(folder: string, path: string): string {
  let real: string;
  let place: string;
  try {
    place = join(realpathSync(folder), path);
    real = realpathSync(place);
    if (!statSync(real).isFile()) throw missing(folder, path);
  } catch (error) {
    throw refused(folder, path, error);
  }
  if (real !== place) throw moecError("MOE5307", { path }, { file: folder });
  return place;
}

function openOrRefuse(folder: string, path: string): number {
  const place = placeOf(folder, path);
  try {
    return openSync(place, "r");
  } catch (error) {
    throw refused(folder, path, error);
  }
}

/** What is not there is missing from the bundle; what the system does not give, for want of rights or memory, is not. */
function refused(folder: string, path: string, error: unknown): MoecError {
  if (error instanceof MoecError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || code === "ENOENT" || code === "ENOTDIR") return missing(folder, path);
  return moecError("MOE5460", { path: join(folder, path), reason: systemReason(error) });
}

function missing(folder: string, path: string): MoecError {
  return moecError("MOE5304", { file: path }, { file: folder });
}

function otherSize(folder: string, path: string, found: number, expected: number): MoecError {
  return moecError("MOE5305", { file: path, found, expected }, { file: folder });
}
