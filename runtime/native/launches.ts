/** Launches of an entry point as a table in native memory: written once at load, completed for each call. */
import { ROW, ROW_BYTES } from "../../compiler/5-emit/llvm/pool-layout.js";
import { dependsOn, SizeChanges } from "../plan/changes.js";
import { CHUNKS_PER_THREAD, type FlatLaunch } from "../plan/launches.js";
import type { SizeValues } from "../plan/sizes.js";
import type { Address } from "./koffi.js";
import { Mapping } from "./mapping.js";
import { Words } from "./words.js";

export class LaunchTable {
  private readonly words: Words;
  /** Byte offsets of the arguments of each launch: buffers, then scalars. */
  private readonly places: readonly { readonly buffers: number; readonly scalars: number }[];
  private readonly changes = new SizeChanges();
  /** Of each launch, as the last call had it. */
  private readonly chunks: Int32Array;

  /** @throws MoecError MOE4205 */
  constructor(
    private readonly launches: readonly FlatLaunch[],
    kernel: (name: string) => Address,
    private readonly threads: number,
  ) {
    this.chunks = new Int32Array(launches.length);
    let end = launches.length * ROW_BYTES;
    this.places = launches.map(({ buffers, args }) => {
      const place = { buffers: end, scalars: end + 8 * buffers };
      end = Math.ceil((place.scalars + 4 * (args.length - buffers)) / 8) * 8;
      return place;
    });
    this.words = new Words(Mapping.memory(end, "launches"));
    launches.forEach((launch, number) => {
      const row = number * ROW_BYTES;
      const { buffers, scalars } = this.places[number]!;
      this.words.setAddress(row + ROW.kernel, kernel(launch.kernel));
      this.words.setAddress(row + ROW.buffers, this.words.address + buffers);
      this.words.setAddress(row + ROW.scalars, this.words.address + scalars);
      launch.args.forEach((value, at) => this.setArgument(number, at, value));
    });
  }

  get address(): Address {
    return this.words.address;
  }

  get count(): number {
    return this.launches.length;
  }

  get bytes(): number {
    return this.words.mapping.bytes;
  }

  /** Fills in what depends on the sizes of a call, where they are others than in the call before. */
  prepare(sizes: SizeValues): void {
    const changed = this.changes.begin(sizes);
    if (changed?.size !== 0) this.fill(sizes, changed);
    this.changes.finish(sizes);
  }

  private fill(sizes: SizeValues, changed: ReadonlySet<string> | undefined): void {
    let until = 0;
    this.launches.forEach((launch, number) => {
      const row = number * ROW_BYTES;
      if (changed && !dependsOn(launch.names, changed)) {
        until += this.chunks[number]!;
        this.words.setLong(row + ROW.until, until);
        return;
      }
      const grid = Math.max(0, launch.grid.evaluate(sizes));
      const chunks = this.threads === 1 ? Math.min(grid, 1) : Math.min(grid, this.threads * CHUNKS_PER_THREAD);
      this.chunks[number] = chunks;
      until += chunks;
      this.words.setInt(row + ROW.grid, grid);
      this.words.setInt(row + ROW.chunks, chunks);
      this.words.setLong(row + ROW.until, until);
      if (chunks === 0) return;
      for (const { at, evaluate } of launch.changing) this.setArgument(number, at, evaluate(sizes));
    });
  }

  private setArgument(number: number, at: number, value: number): void {
    const { buffers, floats } = this.launches[number]!;
    const place = this.places[number]!;
    if (at < buffers) this.words.setAddress(place.buffers + 8 * at, value);
    else if (floats[at - buffers] === true) this.words.setFloat(place.scalars + 4 * (at - buffers), value);
    else this.words.setInt(place.scalars + 4 * (at - buffers), value);
  }

  free(): void {
    this.words.mapping.free();
  }
}
