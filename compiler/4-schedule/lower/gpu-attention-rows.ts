/**
 * Attention of few queries on a GPU: a block takes one row of the queries. Its threads share the keys: each has the score
 * of one of them at a time; the greatest is folded over the block, and all threads sum the values, column by column.
 */
import type { Size } from "../../axes/size.js";
import {
  add,
  and,
  block,
  compare,
  constant,
  div,
  exp,
  fma,
  max,
  min,
  mul,
  rem,
  select,
  sub,
  thread,
} from "../kernel-expressions.js";
import type { BufferHandle, Variable } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import type { Driver } from "../plan.js";
import { plus, type Attention } from "./attention.js";
import { either, visitBlocks, visitMark, type KeyBlock } from "./attention-blocks.js";
import { baseOfScores } from "./attention-powers.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import type { GpuTiles } from "./gpu-attention-pairs.js";
import { rowCoordinates } from "./nest.js";
import { elements } from "./tensor.js";

/** Threads of a block, and keys of one turn. */
const threads = 128;
/** Sums of one score side by side. */
const beside = 4;

/** How the threads share the sums of values: neighbours have neighbouring columns, and slices every so many keys. */
interface Columns {
  /** Threads of one slice. */
  readonly across: number;
  readonly slices: number;
  /** Columns of one thread. */
  readonly own: number;
  readonly column: Expression;
  readonly slice: Expression;
}

function columnsOf({ builder }: Emitter, width: number): Columns {
  const across = Math.min(threads, 2 ** Math.ceil(Math.log2(width)));
  return {
    across,
    slices: threads / across,
    own: Math.ceil(width / across),
    column: builder.let("column", rem(thread, across)),
    slice: builder.let("slice", div(thread, across)),
  };
}

/** @param share 1 when this kernel is the one for the call, else 0. */
export function attendGpuRows(
  entry: EntryLowering,
  call: Attention,
  { depth, width }: GpuTiles,
  share: Size,
  on?: Driver,
): void {
  const { attrs, q, k, result } = call;
  const emitter = entry.emitter("attend", undefined, threads);
  const { builder } = emitter;
  const rows = q.axes.filter((axis) => axis.name !== attrs.contracted);
  const at = rowCoordinates(rows, emitter.variable(block, [], elements(rows)));
  const query = emitter.let("query", add(emitter.index(at.get(attrs.queryAxis)!), emitter.size(attrs.queryOffset)));
  const shared = (wish: string, length: number): BufferHandle => builder.blockBuffer(wish, "f32", "shared", length);
  const queries = shared("queries", depth);
  const powers = shared("powers", threads);
  const source = emitter.buffer(q.place, q.element, "read");
  const start = emitter.index(q.address(plus(at, attrs.contracted, Coordinate.zero)));
  const step = emitter.size(q.strides.get(attrs.contracted)!);
  builder.loop("d", thread, depth, threads, (d) =>
    builder.store(queries, d, mul(builder.load(source, add(start, mul(d, step))), constant(attrs.scale, f32))),
  );
  const sink = call.sinks?.read(emitter, at);
  const top = builder.variable("top", sink ?? constant(-Infinity, f32));
  // Each thread sums its own powers; the sink is one more, relative to itself.
  const first = sink ? select(compare("eq", thread, 0), constant(1, f32), constant(0, f32)) : constant(0, f32);
  const total = builder.variable("total", first);
  const columns = columnsOf(emitter, width);
  const sums = Array.from({ length: columns.own }, () => builder.variable("sum", constant(0, f32)));
  builder.barrier();
  visitBlocks(emitter, call.blocks, { low: query, high: query }, k.axis(attrs.keyAxis).size, threads, (visited) => {
    builder.let(visitMark, visited.count);
    const score = scoreOfThread(emitter, call, { at, query, queries, depth }, visited);
    const greatest = emitter.fold("greatest", "max", score.get);
    const next = builder.let("next", max(top.get, greatest));
    const base = baseOfScores(builder, next);
    const shrink = builder.let("shrink", exp(sub(top.get, base)));
    top.set(next);
    const power = builder.let("power", exp(sub(score.get, base)));
    total.set(fma(total.get, shrink, power));
    builder.store(powers, thread, power);
    builder.barrier();
    // The fold of the next turn comes before its powers, so nobody waits for these sums.
    addValues(emitter, call, { at, powers, columns, sums, shrink, width }, visited);
  });
  const whole = emitter.fold("whole", "add", total.get);
  const inverse = select(compare("eq", whole, 0), constant(0, f32), div(constant(1, f32), whole));
  const scale = builder.let("scale", inverse);
  const out = emitter.buffer(result.place, "f32", "write");
  const to = emitter.index(result.address(plus(at, attrs.valueAxis, Coordinate.zero)));
  const store = (column: Expression, sum: Expression): void =>
    builder.ifThen(compare("lt", column, width), () => builder.store(out, add(to, column), mul(sum, scale)));
  if (columns.slices === 1) {
    sums.forEach((sum, j) => store(builder.let("column", add(columns.column, j * columns.across)), sum.get));
  } else {
    const parts = shared("parts", threads);
    builder.store(parts, thread, sums[0]!.get);
    builder.barrier();
    builder.ifThen(compare("lt", thread, columns.across), () => {
      const sum = builder.variable("column_sum", constant(0, f32));
      builder.loop("part", thread, threads, columns.across, (part) => sum.set(add(sum.get, builder.load(parts, part))));
      store(thread, sum.get);
    });
  }
  entry.launch(emitter, elements(rows).times(share), on);
}

/** The row of a block, and its query scaled. */
interface Row {
  readonly at: Coordinates;
  readonly query: Expression;
  readonly queries: BufferHandle;
  readonly depth: number;
}

/** The score of the key of this thread; -inf where there is none that is allowed. */
function scoreOfThread(emitter: Emitter, call: Attention, row: Row, visited: KeyBlock): Variable {
  const { builder } = emitter;
  const { attrs, k } = call;
  const score = builder.variable("score", constant(-Infinity, f32));
  emitter.guard(compare("lt", thread, visited.count), () => {
    const key = builder.let("key", add(visited.start, thread));
    const at = plus(row.at, attrs.keyAxis, emitter.variable(key, []));
    const allowed = [
      ...(call.mask ? [either(visited.full, call.mask(emitter, row.query, key))] : []),
      ...(call.keep ? [call.keep.read(emitter, at)] : []),
    ];
    const multiply = (): void => {
      const source = emitter.buffer(k.place, k.element, "read");
      const start = emitter.index(k.address(plus(at, attrs.contracted, Coordinate.zero)));
      const step = emitter.size(k.strides.get(attrs.contracted)!);
      const dots = Array.from({ length: Math.min(beside, row.depth) }, () => builder.variable("dot", constant(0, f32)));
      const meet = (dot: Variable, d: Expression): void => {
        const [a, b] = [builder.load(row.queries, d), builder.load(source, add(start, mul(d, step)))];
        dot.set(fma(a, b, dot.get));
      };
      const whole = row.depth - (row.depth % dots.length);
      builder.loop("d", 0, whole, dots.length, (d) =>
        dots.forEach((dot, i) => meet(dot, i === 0 ? d : builder.let("d", add(d, i)))),
      );
      for (let d = whole; d < row.depth; d++) meet(dots[0]!, constant(d));
      score.set(dots.map((dot) => dot.get).reduce((a, b) => add(a, b)));
    };
    if (allowed.length === 0) multiply();
    else emitter.guard(allowed.reduce(and), multiply);
  });
  return score;
}

interface Sums {
  readonly at: Coordinates;
  readonly powers: BufferHandle;
  readonly columns: Columns;
  readonly sums: readonly Variable[];
  readonly shrink: Expression;
  readonly width: number;
}

/** sums = sums * shrink + powers @ values, over the keys of this thread's slice. */
function addValues(emitter: Emitter, call: Attention, what: Sums, visited: KeyBlock): void {
  const { builder } = emitter;
  const { attrs, v } = call;
  const { at, powers, columns, sums, shrink, width } = what;
  const source = emitter.buffer(v.place, v.element, "read");
  const zero = plus(plus(at, attrs.keyAxis, Coordinate.zero), attrs.valueAxis, Coordinate.zero);
  const step = emitter.size(v.strides.get(attrs.keyAxis)!);
  const start = builder.let("value_row", add(emitter.index(v.address(zero)), mul(visited.start, step)));
  // Columns behind the last one repeat it; they are not stored.
  const own = sums.map((_, j) => builder.let("own", min(add(columns.column, j * columns.across), width - 1)));
  sums.forEach((sum) => sum.set(mul(sum.get, shrink)));
  builder.loop("key", columns.slice, visited.count, columns.slices, (key) => {
    const power = builder.let("power", builder.load(powers, key));
    // 0 * inf is NaN: values of keys that are not allowed must not be touched.
    builder.ifThen(compare("ne", power, 0), () => {
      const line = builder.let("line", add(start, mul(key, step)));
      sums.forEach((sum, j) => sum.set(fma(power, builder.load(source, add(line, own[j]!)), sum.get)));
    });
  });
}
