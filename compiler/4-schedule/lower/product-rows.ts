/**
 * Rows of products: which of them a block has, where their activations begin, and the formula over their sums.
 */
import { Size } from "../../axes/size.js";
import { add, block, compare, constant, convert, min, mul, select, splat, sub } from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { listedExperts } from "./grouping.js";
import { rowCoordinates, vectorLoop } from "./nest.js";
import type { Product, ProductInput } from "./product.js";
import { rowCount } from "./product.js";
import { elements, type Stored, type Tensor, type TensorAxis } from "./tensor.js";

/** Rows of a call: those that a live axis has, or all. */
export function presentRows(emitter: Emitter, rows: readonly TensorAxis[]): Expression {
  const live = rows.find((axis) => axis.live);
  if (!live) return emitter.size(elements(rows));
  const others = elements(rows.filter((axis) => axis !== live));
  return mul(live.live!.read(emitter, new Map()), emitter.size(others));
}

/** Coordinates of the activations of a row of the product. */
function inputAt(emitter: Emitter, input: ProductInput, row: Coordinate): Coordinates {
  return input.at(emitter, rowCoordinates(input.rows, row));
}

/** Element of the activations at the first column of coordinates. */
export function startAt(input: ProductInput, row: Coordinates): Coordinate {
  const at = new Map(row);
  for (const axis of input.stored.axes) if (!at.has(axis.name)) at.set(axis.name, Coordinate.number(0));
  return input.stored.address(at);
}

/** Element of the activations where a row begins. */
export function rowStart(emitter: Emitter, input: ProductInput, row: Coordinate): Coordinate {
  return startAt(input, inputAt(emitter, input, row));
}

/** Number of the stored row behind a row of the product. */
export function storedRow(emitter: Emitter, input: ProductInput, row: Coordinate): Coordinate {
  const at = inputAt(emitter, input, row);
  return input.storedRows.reduce((sum, axis) => sum.times(axis.size).plus(at.get(axis.name)!), Coordinate.number(0));
}

/**
 * A kernel over the rows in memory, some to a block: activations in the form that a product reads them in. `open` comes
 * after the buffer `x` of the activations; what it gives gets the element of `x` where a row begins, and its number.
 */
export function storedRowsKernel(
  entry: EntryLowering,
  input: ProductInput,
  perBlock: number,
  purpose: string,
  open: (emitter: Emitter, x: BufferHandle) => (start: Expression, row: Expression) => void,
): void {
  const rows = elements(input.storedRows);
  const emitter = entry.emitter("quantize", `${entry.label}: ${purpose}`);
  const { builder } = emitter;
  const count = presentRows(emitter, input.storedRows);
  const write = open(emitter, emitter.buffer(input.stored.place, "f32", "read"));
  const first = builder.let("first", mul(block, perBlock));
  emitter.loop("row", first, min(add(first, perBlock), count), 1, rows, (row, register) => {
    const start = startAt(input, rowCoordinates(input.storedRows, row));
    write(builder.let("x_start", emitter.index(start)), register);
  });
  entry.launch(emitter, rows.ceilDividedBy(Size.of(perBlock)));
}

export interface RowRange {
  readonly from: Expression;
  readonly to: Expression;
  /** Which matrix of the batch. */
  readonly matrix: Expression;
  readonly grid: Size;
}

/** The rows of a block: of one expert, or a part of all. */
export function rowRange(emitter: Emitter, product: Product, group: Expression, rowsPerBlock: number): RowRange {
  const { builder } = emitter;
  const { experts, input } = product;
  if (!experts) {
    const all = rowCount(input);
    const count = presentRows(emitter, input.rows);
    const from = builder.let("from", mul(group, rowsPerBlock));
    const to = builder.let("to", min(add(from, rowsPerBlock), count));
    return { from, to, matrix: constant(0), grid: all.ceilDividedBy(Size.of(rowsPerBlock)) };
  }
  const { grouping, bank, first } = experts;
  const number = (list: Stored, at: Coordinate): Expression => list.read(emitter, new Map([["n", at]]));
  const bankFirst = number(grouping.banks, Coordinate.number(2 * bank));
  const count = product.layout.batch[0]!.size;
  if (count <= listedExperts) {
    const expert = emitter.variable(group, [], Size.of(count)).plus(Coordinate.size(first));
    const from = builder.let("from", sub(number(grouping.start, expert), bankFirst));
    const to = builder.let("to", sub(number(grouping.start, expert.plus(Coordinate.number(1))), bankFirst));
    return { from, to, matrix: group, grid: Size.of(count) };
  }
  // Too many experts to ask each: one row at a time, with the expert that it names.
  const rows = number(grouping.banks, Coordinate.number(2 * bank + 1));
  const to = builder.let("to", select(compare("lt", group, rows), add(group, 1), group));
  const safe = emitter.variable(
    builder.let("row", select(compare("lt", group, rows), add(group, bankFirst), constant(0))),
    [],
  );
  const expert = select(
    compare("lt", group, rows),
    sub(number(grouping.expertOfRow, safe), emitter.size(first)),
    constant(0),
  );
  return { from: group, to, matrix: builder.let("expert", expert), grid: grouping.most };
}

/** Products whose sums lie in scratch memory, and the formula over them. */
export interface FinishedProducts {
  readonly emitter: Emitter;
  readonly source: Tensor;
  readonly target: Stored;
  readonly products: readonly Product[];
  readonly scratch: BufferHandle;
}
export interface Finish {
  /** Where the sums of the row begin, and how far apart those of two products are. */
  readonly line: Expression;
  readonly stride: number;
  readonly row: Coordinate;
  readonly column: Expression;
  readonly last: Expression;
}

/** The formula over the sums of one row from a column on. */
export function finishRow(work: FinishedProducts, what: Finish): void {
  const { emitter, products, target, scratch } = work;
  const { builder } = emitter;
  const { column } = what;
  const [first] = products as readonly [Product, ...Product[]];
  const { height } = first.layout;
  const rowAt = rowCoordinates(first.input.rows, what.row);
  const axis = { name: "n", size: Size.of(height) };
  vectorLoop(emitter, axis, column, what.last, height % emitter.lanes === 0, (n) => {
    const at: Coordinates = new Map([...rowAt, ...rowCoordinates(first.outputs, n)]);
    const lanes = emitter.vector?.lanes ?? 1;
    const offset = builder.let(
      "offset",
      add(
        what.line,
        sub(
          emitter.scalar(() => emitter.index(n)),
          column,
        ),
      ),
    );
    for (const [index, product] of products.entries()) {
      const sum = builder.let("sum", builder.load(scratch, add(offset, index * what.stride), { lanes }));
      emitter.atHand.set(product.id, { key: product.coordinatesKey(at), read: () => sum });
    }
    storeLanes(emitter, target, at, work.source.read(emitter, at));
    emitter.atHand.clear();
  });
}

/** Store a vector where its lanes lie side by side, else lane by lane. */
function storeLanes(emitter: Emitter, target: Stored, at: Coordinates, value: Expression): void {
  const { builder, vector } = emitter;
  const buffer = emitter.buffer(target.place, target.element, "write");
  const number = value.type.element === "bool" ? convert(value, "i32") : value;
  const address = target.address(at);
  const index = (c: Coordinate): Expression => emitter.scalar(() => emitter.index(c));
  if (!vector) return builder.store(buffer, index(address), number);
  const wide = number.type.lanes === vector.lanes ? number : splat(number, vector.lanes);
  if (address.slope(vector.name, vector.lanes)?.constant === 1) return builder.store(buffer, index(address), wide);
  const register = builder.let("value", wide);
  for (let lane = 0; lane < vector.lanes; lane++) {
    const shifted = address.substitute(vector.name, Coordinate.variable(vector.name).plus(Coordinate.number(lane)));
    const one = {
      kind: "extract",
      operand: register,
      lane,
      type: { element: register.type.element, lanes: 1 },
    } as const;
    builder.store(buffer, index(shifted), one);
  }
}
