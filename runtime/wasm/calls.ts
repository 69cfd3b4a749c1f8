/**
 * Fills the table of launches for one call: asks the changing arguments, counts the blocks, cuts them into chunks.
 */
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import { dependsOn, SizeChanges } from "../plan/changes.js";
import { CHUNKS_PER_THREAD, type FlatLaunch } from "../plan/launches.js";
import type { SizeValues } from "../plan/sizes.js";
import { MAX_CHUNKS, ROW, type SharedWork } from "./work.js";

/** An entry point as calls of it need it. */
export class PreparedEntry {
  private readonly changes = new SizeChanges();
  /** Blocks of each launch, as the last call had them. */
  private readonly blocks: Float64Array;

  /** @param kernels Number of each launch's kernel in `SharedWork.kernels`. */
  constructor(
    readonly launches: readonly FlatLaunch[],
    readonly kernels: readonly number[],
  ) {
    this.blocks = new Float64Array(launches.length);
  }

  /** The blocks of all launches; only those are counted anew whose sizes are others than in the call before. */
  blocksFor(sizes: SizeValues): Float64Array {
    const { blocks, changes } = this;
    const changed = changes.begin(sizes);
    if (changed?.size !== 0) {
      this.launches.forEach(({ grid }, number) => {
        if (!changed || dependsOn(grid.names, changed)) blocks[number] = grid.evaluate(sizes);
      });
    }
    changes.finish(sizes);
    return blocks;
  }
}

/**
 * Writes the rows of a call and gives how many launches it has; launches of no block are left out.
 *
 * @param labels Is filled with the label of each row, for errors.
 */
export function fillTable(
  entry: PreparedEntry,
  sizes: SizeValues,
  work: SharedWork,
  threads: number,
  rows: FlatLaunch[],
): number {
  const { table, stride } = work;
  rows.length = 0;
  let until = 0;
  const blocks = entry.blocksFor(sizes);
  entry.launches.forEach((launch, number) => {
    const grid = blocks[number]!;
    if (grid <= 0) return;
    const row = rows.length * stride;
    const chunks = threads === 1 ? 1 : Math.min(grid, threads * CHUNKS_PER_THREAD, MAX_CHUNKS);
    until += chunks;
    table[row + ROW.kernel] = entry.kernels[number]!;
    table[row + ROW.grid] = grid;
    table[row + ROW.chunks] = chunks;
    table[row + ROW.until] = until;
    table.set(launch.args, row + ROW.args);
    for (const { at, evaluate } of launch.changing) table[row + ROW.args + at] = evaluate(sizes);
    rows.push(launch);
  });
  return rows.length;
}

/** Runs the rows in order on this thread alone. */
export function runAlone(work: SharedWork, rows: readonly FlatLaunch[]): void {
  const { table, stride, kernels } = work;
  for (let index = 0; index < rows.length; index++) {
    const row = index * stride;
    const kernel = kernels[table[row + ROW.kernel]!]!;
    const args = Array.from(table.subarray(row + ROW.args, row + ROW.args + kernel.args));
    try {
      kernel.run(...args, 0, table[row + ROW.grid]!);
    } catch (error) {
      throw kernelFailed(rows[index]!, error);
    }
  }
}

/** The coded error for a launch that trapped. */
export function kernelFailed(launch: FlatLaunch, error: unknown): Error {
  const reason = reasonOf(error);
  return moecError("MOE5329", { kernel: launch.kernel, label: launch.label, reason });
}
