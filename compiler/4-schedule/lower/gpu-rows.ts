/** What all ways to compute products on a GPU share: which rows a block has, and the formula over their sums. */
import { Size } from "../../axes/size.js";
import { add, and, compare, constant, div, min, mul, rem, select, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { partFields } from "./gpu-grouping.js";
import { mostParts, tileHeight } from "./gpu-shape.js";
import { globalRow, numberAt } from "./grouping.js";
import type { Product } from "./product.js";
import { presentRows } from "./product-rows.js";
import { storeAt } from "./selection.js";
import { elements, type Stored, type Tensor } from "./tensor.js";

/** `source` with the products in it, to be written to `target`. */
export interface GpuWork {
  readonly entry: EntryLowering;
  readonly source: Tensor;
  readonly target: Stored;
  readonly products: readonly Product[];
  /** 1 for a call that has blocks to run, 0 for one that another kernel serves; a size of the call. */
  readonly share: Size;
}

/** Rows of a block: of one expert, or of all. */
export interface Part {
  /** Number of the first row in the product. */
  readonly first: Expression;
  /** Rows that are there; not above zero for none. */
  readonly count: Expression;
  /** Which matrix of the batch; only where there are rows. */
  readonly matrix: () => Expression;
}

/** Blocks of at most `rows` rows: no more than these. */
export function mostGroups({ experts, input }: Product, rows: number): Size {
  if (experts) return mostParts(experts.grouping).times(Size.of(tileHeight / rows));
  return elements(input.rows).ceilDividedBy(Size.of(rows));
}

/** Rows of group number `group`; `rows` divides the rows of a listed part. */
export function partAt(emitter: Emitter, product: Product, group: Expression, rows: number): Part {
  const { builder } = emitter;
  const { experts, input } = product;
  if (!experts) {
    const first = emitter.let("first", mul(group, rows));
    const count = emitter.let("count", min(sub(presentRows(emitter, input.rows), first), rows));
    return { first, count, matrix: () => constant(0) };
  }
  const { grouping, bank, first } = experts;
  const perPart = tileHeight / rows;
  const part = perPart === 1 ? group : builder.let("part", div(group, perPart));
  const field = (number: number): Expression =>
    grouping.parts!.read(
      emitter,
      new Map([["n", emitter.variable(part, []).times(Size.of(partFields)).plus(Coordinate.number(number))]]),
    );
  const matrix = builder.let("matrix", sub(field(0), emitter.size(first)));
  const bankFirst = grouping.banks.read(emitter, new Map([["n", Coordinate.number(2 * bank)]]));
  const skipped = perPart === 1 ? constant(0) : builder.let("skipped", mul(rem(group, perPart), rows));
  // Parts of other banks have an expert that this one has not.
  const isMine = and(compare("ge", matrix, 0), compare("lt", matrix, product.layout.batch[0]!.size));
  const own = select(isMine, field(2), constant(0));
  return {
    first: builder.let("first", add(sub(field(1), bankFirst), skipped)),
    count: builder.let("count", min(sub(own, skipped), rows)),
    matrix: () => matrix,
  };
}

/** Which matrix of the batch a row is multiplied with. */
export function matrixOf(emitter: Emitter, { experts }: Product, row: Coordinate): Expression {
  if (!experts) return constant(0);
  const { grouping, bank, first } = experts;
  const expert = numberAt(emitter, grouping.expertOfRow, globalRow(emitter, grouping, bank, row));
  return emitter.builder.let("matrix", sub(emitter.index(expert), emitter.size(first)));
}

/** The formula around the products at one place, which are these registers. */
export function storeFormula(
  emitter: Emitter,
  source: Tensor,
  target: Stored,
  products: readonly Product[],
  at: Coordinates,
  results: readonly Expression[],
): void {
  products.forEach((product, i) =>
    emitter.atHand.set(product.id, { key: product.coordinatesKey(at), read: () => results[i]! }),
  );
  storeAt(emitter, target, at, source.read(emitter, at));
  emitter.atHand.clear();
}
