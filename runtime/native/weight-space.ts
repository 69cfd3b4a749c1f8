/** The weights space: one range of addresses, filled by mapped files or by bytes that are written. */
import { accessSync, closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { moecError } from "../../compiler/errors/raise.js";
import type { WeightFile } from "../host.js";
import { busErrors, watchRange } from "./bus-errors.js";
import type { Address } from "./koffi.js";
import { Mapping } from "./mapping.js";

interface OpenFile extends WeightFile {
  readonly descriptor: number;
  readonly stats: Stats;
}

/** Files are looked at again when this much time has passed: once per token would cost more than it tells. */
const CHECK_MILLISECONDS = 250;

export class WeightSpace {
  private readonly mapping: Mapping;
  private readonly files: OpenFile[] = [];
  private checked = 0;
  private faults = busErrors();
  private unwatch = (): void => undefined;
  /** How many of the files had their pages entered, from the first on; all when no more are. */
  private entered = 0;

  /** @throws MoecError MOE4205, MOE5304 for a file that is not there, MOE5305 for one of another size. */
  constructor(bytes: number, files: readonly WeightFile[] | undefined) {
    if (!files) {
      this.mapping = Mapping.memory(bytes, "weights");
      return;
    }
    this.mapping = Mapping.reserve(bytes, "weights");
    try {
      for (const file of files) {
        const open = openFile(file);
        this.files.push(open);
        this.mapping.place(open.descriptor, file.offset, file.bytes, "weights");
      }
      this.unwatch = watchRange(this.mapping.address, this.mapping.bytes);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  get address(): Address {
    return this.mapping.address;
  }

  get mappedBytes(): number {
    return this.files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  view(offset: number, length: number): Uint8Array {
    return this.mapping.view(offset, length);
  }

  /** @throws MoecError MOE4207 when a file is no longer what was opened. */
  check(): void {
    if (this.files.length === 0) return;
    const now = performance.now();
    if (now - this.checked < CHECK_MILLISECONDS) return;
    for (const { path, descriptor, stats } of this.files) {
      const found = fstatSync(descriptor);
      if (found.size !== stats.size) {
        throw moecError("MOE4207", { file: path, reason: `it has ${found.size} bytes, not ${stats.size}` });
      }
      if (found.mtimeMs !== stats.mtimeMs) throw moecError("MOE4207", { file: path, reason: "it was written to" });
    }
    this.checked = now;
  }

  /**
   * Looks whether a call read behind the end of a file.
   *
   * @throws MoecError MOE4207
   */
  checkFaults(): void {
    if (this.files.length === 0 || busErrors() === this.faults) return;
    this.faults = busErrors();
    this.checked = 0;
    this.check();
    // The file has its old size again, but zeros were read from it.
    throw moecError("MOE4207", { file: this.files[0]!.path, reason: "a part of it could not be read" });
  }

  /**
   * Enters the pages of the next file, beside the calls, up to the first file that does not lie whole in the system's
   * cache. One file at a time, because the end of a process waits for what is under way, and asked for by the caller,
   * because one that only waits for calls gives no turn to a file behind the first. It never fails: without these pages
   * calls are slower, not wrong.
   */
  async enterNext(): Promise<void> {
    const file = this.files[this.entered];
    if (!file) return;
    this.entered++;
    try {
      if (isToldPages(file) && this.mapping.isCached(file.offset, file.bytes)) {
        await this.mapping.enter(file.offset, file.bytes);
        return;
      }
    } catch {
      // As for a file that is not in the cache: a rejection that nobody handles would end the process.
    }
    this.entered = this.files.length;
  }

  free(): void {
    this.unwatch();
    for (const { descriptor } of this.files.splice(0)) closeSync(descriptor);
    this.mapping.free();
  }
}

/**
 * Whether the system says which pages of a file it has in its cache. To a process that neither owns a file nor may write
 * it, Linux says since 5.2 that all are there, and entering them would read the file from the disk.
 */
function isToldPages({ path, stats }: OpenFile): boolean {
  if (stats.uid === process.geteuid?.()) return true;
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function openFile(file: WeightFile): OpenFile {
  let descriptor: number;
  try {
    descriptor = openSync(file.path, "r");
  } catch {
    throw moecError("MOE5304", { file: file.path });
  }
  const stats = fstatSync(descriptor);
  if (stats.size === file.bytes) return { ...file, descriptor, stats };
  closeSync(descriptor);
  throw moecError("MOE5305", { file: file.path, found: stats.size, expected: file.bytes });
}
