/** Which inputs of a graph choose rows of a table, and how many rows there are. */
import type { Region, ValueId } from "./ir.js";

/** Ops whose results hold the numbers of their first operand and no others. */
export const SAME_NUMBERS = new Set(["rename", "split", "merge", "order", "slice", "expand"]);

/**
 * For each parameter of the region, the rows of the smallest table that its numbers choose from as they are: an id that is
 * not below would read zeros. Undefined where a parameter is no such id, or where a call decides how many rows there are.
 */
export function idLimits(region: Region): readonly (number | undefined)[] {
  const origins = new Map<ValueId, number>(region.params.map(({ id }, index) => [id, index]));
  const types = new Map(
    region.params.concat(region.nodes.flatMap(({ results }) => results)).map((v) => [v.id, v.type]),
  );
  const limits = new Array<number | undefined>(region.params.length).fill(undefined);
  for (const { op, operands, attrs, results } of region.nodes) {
    const isGather = op === "gather";
    const origin = origins.get(operands[isGather ? 1 : 0]!);
    if (origin === undefined) continue;
    if (SAME_NUMBERS.has(op)) origins.set(results[0]!.id, origin);
    const table = isGather ? types.get(operands[0]!) : undefined;
    if (table?.kind !== "tensor") continue;
    const rows = table.axes.find(({ name }) => name === attrs["axis"])?.size.constant;
    if (rows !== undefined) limits[origin] = Math.min(limits[origin] ?? Infinity, rows);
  }
  return limits;
}
