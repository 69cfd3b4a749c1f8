/** The weights space: one range of addresses, filled by mapped files or by bytes that are written. */
import { closeSync, fstatSync, openSync, type Stats } from "node:fs";
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
  private entered: Promise<void> | undefined;

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
   * Enters the pages of the files up to the first that does not lie whole in the system's cache, beside the calls. Asked
   * for behind the first call, it costs neither the start nor short runs anything. It is one request to the system, because
   * a caller that only waits for calls gives no turn to a second one.
   */
  enterPages(): Promise<void> {
    return (this.entered ??= this.enterCached());
  }

  private async enterCached(): Promise<void> {
    const absent = this.files.findIndex(({ offset, bytes }) => !this.mapping.isCached(offset, bytes));
    const cached = absent < 0 ? this.files : this.files.slice(0, absent);
    const last = cached.at(-1);
    if (last) await this.mapping.enter(0, last.offset + last.bytes);
  }

  free(): void {
    this.unwatch();
    for (const { descriptor } of this.files.splice(0)) closeSync(descriptor);
    this.mapping.free();
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
