/**
 * Writes a bundle as a whole or not at all: into a folder beside the target, which takes the target's place when
 * everything is there. A lock keeps a second build of the same folder out; what a killed build left is cleared by the
 * next one.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { BundleWriter, OpenFile } from "../compiler/6-bundle/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { makeFolder } from "../runtime/node/folders.js";
import { isAlive } from "../runtime/node/is-alive.js";
import { readPlainText } from "../runtime/node/plain-files.js";
import { withPath } from "../runtime/node/system-errors.js";
import { BlockFile } from "./block-file.js";

/**
 * Runs `write` with a writer and puts the result at `folder`.
 *
 * @throws MoecError MOE5311 when `folder` exists and is not a bundle, MOE5314 when another process builds it.
 */
export function writeFolder<T>(folder: string, write: (writer: BundleWriter) => T): T {
  const undo = makeFolder(dirname(folder));
  try {
    return writeLocked(folder, write);
  } catch (error) {
    undo();
    throw error;
  }
}

function writeLocked<T>(folder: string, write: (writer: BundleWriter) => T): T {
  const release = lock(folder);
  const aside = sibling(folder, "building");
  const old = sibling(folder, "old");
  try {
    refuseForeign(folder);
    rmSync(aside, { recursive: true, force: true });
    mkdirSync(aside);
    const result = writeAll(aside, write);
    rmSync(old, { recursive: true, force: true });
    if (existsSync(folder)) renameSync(folder, old);
    renameSync(aside, folder);
    rmSync(old, { recursive: true, force: true });
    return result;
  } catch (error) {
    throw withPath(error, folder);
  } finally {
    rmSync(aside, { recursive: true, force: true });
    // Died between the two renames: the old bundle goes back.
    if (!existsSync(folder) && existsSync(old)) renameSync(old, folder);
    release();
  }
}

/** The bundle's folder that a path beside it belongs to; other paths as they are. */
export function folderOf(path: string): string {
  const own = /^\.(.+)\.(?:building|old|lock(?:\.\d+)?)$/.exec(basename(path))?.[1];
  return own === undefined ? path : join(dirname(path), own);
}

function sibling(folder: string, ending: string): string {
  return join(dirname(folder), `.${basename(folder)}.${ending}`);
}

/**
 * An empty folder or a bundle may be replaced, anything else is somebody's work: MOE5311. Without the lock another build
 * may exchange the folder during the first look, so that only a second one counts.
 */
export function refuseForeign(folder: string): void {
  if (isForeign(folder) && isForeign(folder)) throw moecError("MOE5311", { path: folder });
}

function isForeign(folder: string): boolean {
  if (!existsSync(folder)) return false;
  try {
    const manifest = JSON.parse(readPlainText(join(folder, "manifest.json"))) as { readonly format?: unknown };
    if (manifest.format === "moec-bundle") return false;
  } catch {
    // No manifest: it is free when it has no files at all.
  }
  try {
    return readdirSync(folder).length > 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

/** How often a lock is asked for again, and the milliseconds between. */
const LOCK_TRIES = 100;
const LOCK_PAUSE = 10;

function lock(folder: string): () => void {
  const path = sibling(folder, "lock");
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = textOf(path);
    if (attempt === LOCK_TRIES || isAlive(Number(owner))) {
      throw moecError("MOE5314", { path: folder, process: Number(owner) });
    }
    // Who makes a lock writes its number a moment later: an empty one is left alone for a while.
    if (owner !== "" || attempt === LOCK_TRIES - 1) takeAway(path, owner);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE);
  }
}

/** What a lock says; nothing when it is gone by now. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return "";
  }
}

/** Removes the lock of a process that is gone. When another build was quicker, the lock is that one's: it goes back. */
function takeAway(path: string, owner: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return;
  }
  if (textOf(aside) === owner) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

/** Closes what is open also when writing fails: `moec build --watch` goes on then. */
function writeAll<T>(folder: string, write: (writer: BundleWriter) => T): T {
  const opened: BlockFile[] = [];
  try {
    return write(folderWriter(folder, opened));
  } finally {
    for (const file of opened) file.abandon();
  }
}

/** @param opened Gets each file. */
function folderWriter(folder: string, opened: BlockFile[]): BundleWriter {
  return {
    open: (path): OpenFile => {
      const file = new BlockFile(join(folder, path));
      opened.push(file);
      const hash = createHash("sha256");
      return {
        write(bytes) {
          file.write(bytes);
          hash.update(bytes);
        },
        close() {
          file.close();
          return { path, bytes: file.bytes, sha256: hash.digest("hex") };
        },
      };
    },
  };
}
