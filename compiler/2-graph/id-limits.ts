/** Which inputs of a graph choose rows of a table, and how many rows there are. */
import type { ValueType } from "../ops/types.js";
import type { Node, Region, ValueId } from "./ir.js";
import { typesOf } from "./types.js";

/** Ops whose results hold the numbers of their first operand and no others. */
export const SAME_NUMBERS = new Set(["rename", "split", "merge", "order", "slice", "expand"]);

/**
 * For each parameter of the region, the rows of the smallest table that its numbers choose from as they are: an id that is
 * not below would read zeros. Undefined where a parameter is no such id, or where a call decides how many rows there are.
 */
export function idLimits(region: Region): readonly (number | undefined)[] {
  const origins = new Map<ValueId, number>(region.params.map(({ id }, index) => [id, index]));
  const types = typesOf(region);
  const limits = new Array<number | undefined>(region.params.length).fill(undefined);
  for (const node of region.nodes) {
    const { op, operands, results } = node;
    const isGather = op === "gather";
    const origin = origins.get(operands[isGather ? 1 : 0]!);
    if (origin === undefined) continue;
    if (SAME_NUMBERS.has(op)) origins.set(results[0]!.id, origin);
    const rows = isGather ? rowsOfTable(node, types) : undefined;
    if (rows !== undefined) limits[origin] = Math.min(limits[origin] ?? Infinity, rows);
  }
  return limits;
}

/** How many rows the table has that a gather takes from; undefined where a call decides it. */
export function rowsOfTable({ operands, attrs }: Node, types: ReadonlyMap<ValueId, ValueType>): number | undefined {
  const table = types.get(operands[0]!);
  if (table?.kind !== "tensor") return undefined;
  return table.axes.find(({ name }) => name === attrs["axis"])?.size.constant;
}
