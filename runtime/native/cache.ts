/**
 * A folder of small files by hash. Every file begins with the hash of what follows, so a damaged one is as good as none.
 * Files are written aside and renamed: two processes may write the same one. A folder that can't be written costs time,
 * never a result.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFiles } from "../node/replace-files.js";
import { cacheFolder, NO_CACHE_FOLDER } from "./cache-folder.js";

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

/**
 * The bytes of a file of this user or of the system's. What others put into a folder that is shared is left alone: it
 * would be run.
 */
function readOwn(path: string): Buffer | undefined {
  const descriptor = openSync(path, "r");
  try {
    const { uid } = fstatSync(descriptor);
    const own = process.getuid?.();
    return own === undefined || uid === own || uid === 0 ? readFileSync(descriptor) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

export class Cache {
  private warned = false;

  /**
   * @param kind Subfolder.
   * @param warn Told once when the folder can't be written.
   */
  constructor(
    private readonly kind: string,
    private readonly warn: (message: string) => void = (message) => process.emitWarning(message, "MoecWarning"),
    private readonly root: string | undefined = cacheFolder(),
  ) {}

  private get folder(): string | undefined {
    return this.root === undefined ? undefined : join(this.root, this.kind);
  }

  /** What is kept under a key, or undefined when it is not there or damaged. */
  read(key: string): Uint8Array | undefined {
    const { folder } = this;
    if (folder === undefined) return undefined;
    try {
      const bytes = readOwn(join(folder, key));
      if (!bytes) return undefined;
      const content = bytes.subarray(HASH_BYTES);
      const isWhole = bytes.length >= HASH_BYTES && hashOf(content).equals(bytes.subarray(0, HASH_BYTES));
      return isWhole ? new Uint8Array(content) : undefined;
    } catch {
      return undefined;
    }
  }

  write(key: string, content: Uint8Array): void {
    const { folder } = this;
    if (folder === undefined) return this.warnOnce(`there is no folder for a cache (${NO_CACHE_FOLDER})`);
    try {
      mkdirSync(folder, { recursive: true });
      replaceFiles([join(folder, key)], ([aside]) =>
        writeFileSync(aside!, Buffer.concat([hashOf(content), content]), { flag: "wx" }),
      );
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      this.warnOnce(`the cache in ${folder} can't be written (${reason})`);
    }
  }

  private warnOnce(what: string): void {
    if (this.warned) return;
    this.warned = true;
    this.warn(`${what}; the next start takes longer`);
  }
}
