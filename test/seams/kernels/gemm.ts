/** Matrix products: tiles in shared memory for threads, tiles in registers for vectors, and bytes four at a time. */
import { KernelBuilder } from "../../../compiler/4-schedule/kernel-builder.js";
import {
  add,
  all,
  bitcast,
  block,
  compare,
  convert,
  div,
  dotQuads,
  extract,
  fma,
  min,
  mul,
  rem,
  splat,
  sub,
  thread,
} from "../../../compiler/4-schedule/kernel-expressions.js";
import type { Kernel } from "../../../compiler/4-schedule/kernel-ir.js";
import { at, type Variant } from "./variant.js";

/** Rows and columns of a tile, and how far it goes along the contracted axis at a time. */
const tile = 32;
const depth = 16;
/** Threads stand in a square, each with 4 x 4 sums. */
const side = 8;
const own = tile / side;

/** c[M, N] = a[M, K] b[K, N], f32 times f16, one block a tile of 32 x 32, 64 threads. Blocks: tiles of M times tiles of N. */
export function tiledGemm(): Kernel {
  const k = new KernelBuilder("gemm_tiled", { doc: "c = a b, 32 x 32 tiles in shared memory", threads: side * side });
  const a = k.buffer("a", "f32", "read");
  const b = k.buffer("b", "f16", "read");
  const c = k.buffer("c", "f32", "write");
  const [rows, columns, inner] = ["rows", "columns", "inner"].map((name) => k.scalar(name, "i32"));
  const left = k.blockBuffer("left", "f32", "shared", depth * tile);
  const right = k.blockBuffer("right", "f32", "shared", depth * tile);
  const across = k.let("across", div(add(columns!, tile - 1), tile));
  const row0 = k.let("row0", mul(div(block, across), tile));
  const column0 = k.let("column0", mul(rem(block, across), tile));
  const my = k.let("my", mul(div(thread, side), own));
  const mx = k.let("mx", mul(rem(thread, side), own));
  const sums = Array.from({ length: own * own }, () => k.variable("sum", splat(0, 1)));
  k.loop("k0", 0, inner!, depth, (k0) => {
    k.loop("e", thread, depth * tile, side * side, (e) => {
      // `a` lies row by row and is stored column by column, so that a thread reads its rows side by side.
      const [i, j] = [k.let("i", div(e, depth)), k.let("j", rem(e, depth))];
      const [row, at0] = [k.let("row", add(row0, i)), k.let("at", add(k0, j))];
      const place = k.let("place", add(mul(j, tile), i));
      k.ifThen(
        all(compare("lt", row, rows!), compare("lt", at0, inner!)),
        () => k.store(left, place, k.load(a, at(row, inner!, at0))),
        () => k.store(left, place, 0),
      );
      const [depthRow, column] = [k.let("deep", add(k0, div(e, tile))), k.let("column", add(column0, rem(e, tile)))];
      k.ifThen(
        all(compare("lt", depthRow, inner!), compare("lt", column, columns!)),
        () => k.store(right, e, k.load(b, at(depthRow, columns!, column))),
        () => k.store(right, e, 0),
      );
    });
    k.barrier();
    k.loop("deep", 0, depth, 1, (deep) => {
      const start = k.let("start", mul(deep, tile));
      const xs = Array.from({ length: own }, (_, i) => k.let("x", k.load(left, add(add(start, my), i))));
      const ys = Array.from({ length: own }, (_, i) => k.let("y", k.load(right, add(add(start, mx), i))));
      sums.forEach((sum, i) => sum.set(fma(xs[Math.floor(i / own)]!, ys[i % own]!, sum.get)));
    });
    k.barrier();
  });
  sums.forEach((sum, i) => {
    const row = k.let("row", add(add(row0, my), Math.floor(i / own)));
    const column = k.let("column", add(add(column0, mx), i % own));
    k.ifThen(all(compare("lt", row, rows!), compare("lt", column, columns!)), () =>
      k.store(c, at(row, columns!, column), sum.get),
    );
  });
  return k.finish();
}

/** The same product by vectors: one block is 4 rows, which are repeated at the end of the matrix instead of cut. */
export function vectorGemm(lanes: number): Kernel {
  const height = 4;
  const k = new KernelBuilder("gemm_vector", { doc: `c = a b, 4 rows by 2 vectors of ${lanes}` });
  const a = k.buffer("a", "f32", "read");
  const b = k.buffer("b", "f16", "read");
  const c = k.buffer("c", "f32", "write");
  const [rows, columns, inner] = ["rows", "columns", "inner"].map((name) => k.scalar(name, "i32"));
  const row0 = k.let("row0", mul(block, height));
  const starts = Array.from({ length: height }, (_, i) => k.let("row", min(add(row0, i), sub(rows!, 1))));
  const columnTile = (column: ReturnType<typeof add>, vectors: number, width: number): void => {
    const sums = starts.map(() => Array.from({ length: vectors }, () => k.variable("sum", splat(0, width))));
    k.loop("deep", 0, inner!, 1, (deep) => {
      const start = k.let("start", at(deep, columns!, column));
      const ys = Array.from({ length: vectors }, (_, v) =>
        k.let("y", k.load(b, add(start, v * width), { lanes: width })),
      );
      starts.forEach((row, r) => {
        const x = k.let("x", splat(k.load(a, at(row, inner!, deep)), width));
        ys.forEach((y, v) => sums[r]![v]!.set(fma(x, y, sums[r]![v]!.get)));
      });
    });
    starts.forEach((row, r) => {
      const start = k.let("start", at(row, columns!, column));
      sums[r]!.forEach((sum, v) => k.store(c, add(start, v * width), sum.get));
    });
  };
  const whole = k.let("whole", sub(columns!, rem(columns!, 2 * lanes)));
  k.loop("column", 0, whole, 2 * lanes, (column) => columnTile(column, 2, lanes));
  k.loop("column", whole, columns!, 1, (column) => columnTile(column, 1, 1));
  return k.finish();
}

/**
 * y[M, N] = scale * a[M, K] w[K, N] on bytes: `a` signed, `w` in 0..127 and packed as [K / 4][N padded to lanes][4]. One
 * thread has `lanes` columns. Blocks: columns / (threads * lanes), rounded up.
 */
export function byteGemm({ threads, lanes }: Variant): Kernel {
  const k = new KernelBuilder("gemm_bytes", { doc: "y = scale a w on bytes, four at a time", threads });
  const a = k.buffer("a", "i8", "read");
  const w = k.buffer("w", "u8", "read");
  const y = k.buffer("y", "f32", "write");
  const [rows, columns, quads] = ["rows", "columns", "quads"].map((name) => k.scalar(name, "i32"));
  const scale = k.scalar("scale", "f32");
  const padded = k.let("padded", mul(div(add(columns!, lanes - 1), lanes), lanes));
  const column = k.let("column", mul(add(mul(block, threads), thread), lanes));
  k.ifThen(compare("lt", column, columns!), () => {
    k.loop("row", 0, rows!, 1, (row) => {
      const sum = k.variable("sum", splat(0, lanes, "i32"));
      k.loop("quad", 0, quads!, 1, (quad) => {
        const word = k.load(a, mul(at(row, quads!, quad), 4), { as: "i32" });
        const words = k.load(w, mul(at(quad, padded, column), 4), { as: "i32", lanes });
        sum.set(dotQuads(bitcast(splat(word, lanes), "i8"), bitcast(words, "i8"), sum.get, true));
      });
      const result = k.let("result", mul(convert(sum.get, "f32"), scale));
      for (let lane = 0; lane < lanes; lane++) {
        const own = k.let("own", add(column, lane));
        k.ifThen(compare("lt", own, columns!), () =>
          k.store(y, at(row, columns!, own), lanes === 1 ? result : extract(result, lane)),
        );
      }
    });
  });
  return k.finish();
}
