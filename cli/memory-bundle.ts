/** Bundles in memory: a writer for the compiler's side, files for the runtime's. */
import { createHash } from "node:crypto";
import type { BundleWriter } from "../compiler/6-bundle/index.js";
import { moecError } from "../compiler/errors/raise.js";
import type { BundleFiles } from "../runtime/host.js";

export type MemoryFiles = Map<string, Uint8Array>;

const hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export function memoryWriter(files: MemoryFiles): BundleWriter {
  return {
    open: (path) => {
      const pieces: Uint8Array[] = [];
      return {
        write: (bytes) => void pieces.push(bytes.slice()),
        close: () => {
          const bytes = new Uint8Array(Buffer.concat(pieces));
          files.set(path, bytes);
          return { path, bytes: bytes.length, sha256: hex(bytes) };
        },
      };
    },
  };
}

export function memoryFiles(files: MemoryFiles): BundleFiles {
  const find = (path: string): Uint8Array => {
    const found = files.get(path);
    if (!found) throw moecError("MOE5304", { file: path });
    return found;
  };
  return {
    location: "memory",
    read: async (path, most = Infinity) => {
      const bytes = find(path);
      if (bytes.length > most) throw moecError("MOE5305", { file: path, found: bytes.length, expected: most });
      return Promise.resolve(bytes);
    },
    readInto: async (path, target, onBytes) => {
      const bytes = find(path);
      if (bytes.length !== target.length) {
        throw moecError("MOE5305", { file: path, found: bytes.length, expected: target.length });
      }
      target.set(bytes);
      onBytes?.(bytes.length);
      return Promise.resolve(hex(bytes));
    },
    sha256: (bytes) => Promise.resolve(hex(bytes)),
  };
}
