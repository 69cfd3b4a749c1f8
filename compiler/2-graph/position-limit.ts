/** How long a text may become whose positions choose rows of a table. */
import type { Size } from "../axes/size.js";
import { rowsOfTable, SAME_NUMBERS } from "./id-limits.js";
import type { Node, Region, ValueId } from "./ir.js";
import { typesOf } from "./types.js";
import { definitions } from "./walk.js";

/** What a value adds to the position of its row. */
type Shifts = ReadonlyMap<ValueId, number>;

/**
 * The rows of the smallest table that positions behind a text choose from, as they are or with a constant added: from
 * there on they would read zeros. Undefined where they choose none, or are bounded first (`min(position(T), P - 1)`).
 *
 * @param given Parameters of the region that hold positions.
 */
export function positionLimit(region: Region, given: Shifts = new Map()): number | undefined {
  const shifts = new Map(given);
  const types = typesOf(region);
  const made = definitions(region);
  const limits: number[] = [];
  for (const node of region.nodes) {
    const { op, operands, results } = node;
    const shift = shiftOf(node, shifts, made);
    if (shift !== undefined) shifts.set(results[0]!.id, shift);
    if (op === "gather") {
      const [rows, by] = [rowsOfTable(node, types), shifts.get(operands[1]!)];
      if (rows !== undefined && by !== undefined) limits.push(Math.max(0, rows - by));
    }
    for (const inner of node.regions) {
      const limit = positionLimit(inner, passed(node, inner, shifts));
      if (limit !== undefined) limits.push(limit);
    }
  }
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function shiftOf({ op, operands, attrs }: Node, shifts: Shifts, made: ReadonlyMap<ValueId, Node>): number | undefined {
  if (op === "index") return (attrs["offset"] as Size).key === "past" ? 0 : undefined;
  const [first, second] = operands;
  if (SAME_NUMBERS.has(op)) return shifts.get(first!);
  if (op !== "add") return undefined;
  const number = (id: ValueId): number | undefined => {
    const node = made.get(id);
    return node?.op === "constant" ? Number(node.attrs["value"]) : undefined;
  };
  const sum = (position: ValueId, constant: ValueId): number | undefined => {
    const [shift, by] = [shifts.get(position), number(constant)];
    return shift === undefined || by === undefined ? undefined : shift + by;
  };
  return sum(first!, second!) ?? sum(second!, first!);
}

/** Positions that a stack or a fold hands to its body. */
function passed({ op, operands }: Node, inner: Region, shifts: Shifts): Shifts {
  const before = op === "stack" ? 0 : op === "fold" ? 1 : undefined;
  if (before === undefined) return new Map();
  return new Map(
    operands.flatMap((id, index): (readonly [ValueId, number])[] => {
      const [shift, param] = [shifts.get(id), inner.params[index + before]];
      return shift === undefined || !param ? [] : [[param.id, shift]];
    }),
  );
}
