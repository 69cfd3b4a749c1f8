/**
 * A folder of small files by hash. Every file begins with the hash of what follows, so a damaged one is as good as none.
 * Files are written aside and renamed: two processes may write the same one. A folder that can't be written costs time,
 * never a result.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFiles } from "../node/replace-files.js";
import { cacheFolder } from "./cache-folder.js";

const HASH_BYTES = 32;

export const hashOf = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) {
    // Lengths keep neighbours apart.
    hash.update(`${part.length}:`);
    hash.update(part);
  }
  return hash.digest();
};

export class Cache {
  private warned = false;

  /**
   * @param kind Subfolder.
   * @param warn Told once when the folder can't be written.
   */
  constructor(
    private readonly kind: string,
    private readonly warn: (message: string) => void = (message) => process.emitWarning(message, "MoecWarning"),
    private readonly root: string = cacheFolder(),
  ) {}

  private get folder(): string {
    return join(this.root, this.kind);
  }

  /** What is kept under a key, or undefined when it is not there or damaged. */
  read(key: string): Uint8Array | undefined {
    try {
      const bytes = readFileSync(join(this.folder, key));
      const content = bytes.subarray(HASH_BYTES);
      const isWhole = bytes.length >= HASH_BYTES && hashOf(content).equals(bytes.subarray(0, HASH_BYTES));
      return isWhole ? new Uint8Array(content) : undefined;
    } catch {
      return undefined;
    }
  }

  write(key: string, content: Uint8Array): void {
    const path = join(this.folder, key);
    try {
      mkdirSync(this.folder, { recursive: true });
      replaceFiles([path], ([aside]) =>
        writeFileSync(aside!, Buffer.concat([hashOf(content), content]), { flag: "wx" }),
      );
    } catch (error) {
      if (this.warned) return;
      this.warned = true;
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      this.warn(`the cache in ${this.folder} can't be written (${reason}); the next start takes longer`);
    }
  }
}
