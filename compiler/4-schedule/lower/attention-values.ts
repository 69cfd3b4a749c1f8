/**
 * The second product of attention by tiles: powers times values. Where a tile has many rows, the values of a block are
 * copied side by side first; a thread with few rows reads them where they lie.
 */
import { add, compare, constant, fma, mul, select, splat } from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { f32, registerType } from "../kernel-types.js";
import { f32Tile } from "../micro/f32-tile.js";
import { plus } from "./attention.js";
import type { KeyBlock } from "./attention-blocks.js";
import type { Tile } from "./attention-tiles.js";
import { Coordinate } from "./coordinate.js";
import { loadNumbers } from "./stored-blocks.js";

/** sums = sums * shrink + powers @ values. */
export function valueProducts(tile: Tile, visited: KeyBlock): void {
  if (tile.values) packedProducts(tile, tile.values, visited);
  else directProducts(tile, visited);
}

/** Where the values of the first key lie, and the step to those of the next. */
function valuePlaces({ emitter, call, at }: Tile): { readonly base: Expression; readonly step: Expression } {
  const { attrs, v } = call;
  const zero = plus(plus(at, attrs.keyAxis, Coordinate.zero), attrs.valueAxis, Coordinate.zero);
  return { base: emitter.index(v.address(zero)), step: emitter.size(v.strides.get(attrs.keyAxis)!) };
}

/** The products, of values where they lie: some columns of all rows at a time. */
function directProducts(tile: Tile, visited: KeyBlock): void {
  const { emitter, call, shape } = tile;
  const { builder } = emitter;
  const { v } = call;
  const { lanes, width, most } = shape;
  const { base, step } = valuePlaces(tile);
  const start = builder.let("value_row", add(base, mul(visited.start, step)));
  const chunk = (column: Expression, own: number): void => {
    const place = (row: number): Expression => add(column, row * tile.columns);
    const sums = Array.from({ length: most }, (_, row) => {
      const before = builder.load(tile.sums, place(row), { lanes: own });
      return builder.variable("sum", mul(before, splat(builder.load(tile.shrink, constant(row)), own)));
    });
    const from = builder.let("from", add(start, column));
    /** 0 * inf is NaN: values of keys that are not allowed must not be touched. */
    const walk = (guarded: boolean): void =>
      builder.loop("key", 0, visited.count, 1, (key) => {
        const x = builder.let("x", loadNumbers(emitter, v, add(from, mul(key, step)), own));
        const powers = builder.let("powers", mul(key, most));
        sums.forEach((sum, row) => {
          const power = builder.let("power", builder.load(tile.scores, add(powers, row)));
          const next = fma(x, splat(power, own), sum.get);
          sum.set(guarded ? select(splat(compare("eq", power, 0), own), sum.get, next) : next);
        });
      });
    const { full } = visited;
    if (tile.kept) walk(true);
    else if (full.kind === "constant") walk(full.value !== 1);
    else
      builder.ifThen(
        full,
        () => walk(false),
        () => walk(true),
      );
    sums.forEach((sum, row) => builder.store(tile.sums, place(row), sum.get));
  };
  const whole = width - (width % lanes);
  emitter.loop("column", 0, whole, lanes, undefined, (_, c) => chunk(c, lanes));
  for (let c = whole; c < width; c++) chunk(constant(c), 1);
}

/** The values of the block side by side; true when all of them are finite. */
function packValues(tile: Tile, values: BufferHandle, visited: KeyBlock): Expression {
  const { emitter, call, shape } = tile;
  const { builder } = emitter;
  const { v } = call;
  const { lanes, width } = shape;
  const { base, step } = valuePlaces(tile);
  const type = registerType("f32", lanes);
  // x * 0 is 0 for every number and NaN for what is none.
  const probe = builder.variable("probe", constant(0, type), type);
  const rest = builder.variable("probe_rest", constant(0, f32), f32);
  emitter.loop("key", 0, visited.count, 1, undefined, (_, key) => {
    const from = builder.let("value_row", add(base, mul(add(visited.start, key), step)));
    const to = builder.let("packed_row", mul(key, tile.columns));
    const whole = width - (width % lanes);
    emitter.loop("column", 0, whole, lanes, undefined, (__, c) => {
      const x = builder.let("x", loadNumbers(emitter, v, add(from, c), lanes));
      builder.store(values, add(to, c), x);
      probe.set(fma(x, constant(0, type), probe.get));
    });
    for (let c = whole; c < width; c++) {
      const x = builder.let("x", loadNumbers(emitter, v, add(from, constant(c)), 1));
      builder.store(values, add(to, c), x);
      rest.set(fma(x, constant(0, f32), rest.get));
    }
  });
  const sum = add({ kind: "reduce", op: "add", operand: probe.get, type: f32 }, rest.get);
  return builder.let("finite", compare("eq", sum, 0));
}

/** By register tiles of rows and columns. */
function packedProducts(tile: Tile, values: BufferHandle, visited: KeyBlock): void {
  const { emitter, shape } = tile;
  const { builder } = emitter;
  const { lanes, vectors, beside } = shape;
  const { columns } = tile;
  const scaled = (row: Expression, at: Expression): Expression =>
    mul(builder.load(tile.sums, at, { lanes }), splat(builder.load(tile.shrink, row), lanes));
  const chunk = (row: Expression, own: number, column: Expression, count: number): void => {
    const to = builder.let("sum_row", add(mul(row, columns), column));
    const sums = f32Tile(builder, {
      rows: own,
      vectors: count,
      lanes,
      from: 0,
      to: visited.count,
      left: (i, key) => builder.load(tile.scores, add(add(mul(key, shape.most), row), i)),
      right: (vector, key) => builder.load(values, add(add(mul(key, columns), column), vector * lanes), { lanes }),
      start: (i, vector) => scaled(add(row, i), add(to, i * columns + vector * lanes)),
    });
    sums.forEach((line, i) =>
      line.forEach((sum, vector) => builder.store(tile.sums, add(to, i * columns + vector * lanes), sum.get)),
    );
  };
  const isFinite = packValues(tile, values, visited);
  emitter.guard(
    isFinite,
    () =>
      emitter.loop("row", 0, tile.rows, beside, undefined, (_, row) => {
        const wide = vectors * lanes;
        const whole = columns - (columns % wide);
        if (whole > 0) emitter.loop("column", 0, whole, wide, undefined, (__, c) => chunk(row, beside, c, vectors));
        if (whole < columns) chunk(row, beside, constant(whole), (columns - whole) / lanes);
      }),
    // 0 * inf is NaN: values of keys that are not allowed must not be touched.
    () =>
      emitter.loop("row", 0, tile.rows, 1, undefined, (_, row) => {
        const to = builder.let("sum_row", mul(row, columns));
        emitter.loop("column", 0, columns, lanes, undefined, (__, c) =>
          builder.store(tile.sums, add(to, c), scaled(row, add(to, c))),
        );
        emitter.loop("key", 0, visited.count, 1, undefined, (__, key) => {
          const power = builder.let("power", builder.load(tile.scores, add(mul(key, shape.most), row)));
          emitter.guard(compare("ne", power, 0), () =>
            emitter.loop("column", 0, columns, lanes, undefined, (___, c) => {
              const x = builder.load(values, add(mul(key, columns), c), { lanes });
              const at = builder.let("sum_at", add(to, c));
              builder.store(tile.sums, at, fma(x, splat(power, lanes), builder.load(tile.sums, at, { lanes })));
            }),
          );
        });
      }),
  );
}
