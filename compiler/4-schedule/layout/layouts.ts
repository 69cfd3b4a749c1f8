/**
 * How the numbers of one layer of a parameter lie in memory. The packer (`pack.ts`), the reading code (`weight.ts`) and
 * the kernel templates all follow the descriptions here.
 *
 * - `rows`: dense numbers, row-major in the order of the declaration.
 * - `planes`: q8_0 and q4_0. Seen as a matrix whose rows are all axes but the contracted one (in order) and whose columns
 *   are the contracted axis: first all quants row by row, then (64-byte aligned) the f16 scales of all blocks of 32. A
 *   q8_0 quant is a signed byte. A q4_0 block is 16 bytes: element j in the low half of byte j, j + 16 in the high half,
 *   each plus 8. The bytes are those of GGUF with the scales taken out.
 */
import type { StorageType } from "../../2-graph/ir.js";
import { refuse } from "../refusal.js";

export interface FixedAxis {
  readonly name: string;
  readonly size: number;
}

interface LayoutBase {
  readonly storage: StorageType;
  /** Axes of one layer. */
  readonly axes: readonly FixedAxis[];
  /** Bytes of one layer, a multiple of 64. */
  readonly layerBytes: number;
}
export interface RowsLayout extends LayoutBase {
  readonly name: "rows";
  readonly storage: "f32" | "f16" | "bf16" | "i32";
}
export interface PlanesLayout extends LayoutBase {
  readonly name: "planes";
  readonly storage: "q8_0" | "q4_0";
  readonly contracted: string;
  /** Size of the contracted axis. */
  readonly depth: number;
  /** Product of the others. */
  readonly rows: number;
  /** Bytes from the start of a layer to its scales. */
  readonly scalesAt: number;
}
export type WeightLayout = RowsLayout | PlanesLayout;

/** Elements of one block of q8_0 and q4_0. */
export const blockSize = 32;

const denseBytes = { f32: 4, f16: 2, bf16: 2, i32: 4 } as const;

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** The layout of a parameter; throws MOE3304 when blocks do not fit into the axis. */
export function weightLayout(
  storage: StorageType,
  axes: readonly FixedAxis[],
  contracted: string | undefined,
  path: string,
): WeightLayout {
  const count = axes.reduce((product, axis) => product * axis.size, 1);
  if (storage !== "q8_0" && storage !== "q4_0") {
    return { name: "rows", storage, axes, layerBytes: aligned(count * denseBytes[storage]) };
  }
  const along = axes.find((axis) => axis.name === contracted) ?? axes.at(-1);
  if (!along || along.size % blockSize !== 0) {
    refuse("MOE3304", { path, storage, axis: along?.name ?? "none", size: `${along?.size ?? 1}` });
  }
  const rows = count / along.size;
  const scalesAt = aligned(storage === "q8_0" ? count : count / 2);
  const layerBytes = scalesAt + aligned((count / blockSize) * 2);
  return { name: "planes", storage, axes, contracted: along.name, depth: along.size, rows, scalesAt, layerBytes };
}
