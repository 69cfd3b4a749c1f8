/**
 * Whole kernels around the wide tiles: y[T, N] = x[T, K] times a packed weight with K and N known. They are what tests
 * and benchmarks of the tiles run.
 */
import { add, block, compare, extract, min, mul, sub } from "../kernel-expressions.js";
import type { Expression, Kernel } from "../kernel-ir.js";
import { KernelBuilder, type BufferHandle } from "../kernel-builder.js";
import { activationRowBytes, recordCount, recordRows, wideRecordBytes, type WideQuants } from "./wide-layouts.js";
import { unpackedTileBytes, wideFew, wideRows, type WideRow, type WideTile } from "./wide-quantized.js";
import { quantizeRecords } from "./wide-quantize.js";

interface Shape {
  /** Columns of the weight. */
  readonly K: number;
  /** Rows of the weight. */
  readonly N: number;
}

/** Store 16 outputs; the last tile may have fewer. */
function storeTile(
  k: KernelBuilder,
  y: BufferHandle,
  row: Expression,
  n: Expression,
  N: number,
  sum: Expression,
): void {
  const at = k.let("y_at", add(mul(row, N), n));
  if (N % recordRows === 0) return k.store(y, at, sum);
  k.ifThen(
    compare("le", add(n, recordRows), N),
    () => k.store(y, at, sum),
    () => {
      for (let lane = 0; lane < recordRows; lane++) {
        k.ifThen(compare("lt", add(n, lane), N), () => k.store(y, add(at, lane), extract(sum, lane)));
      }
    },
  );
}

/** Rows to records. Buffers x, records; grid T. */
export function wideQuantize(name: string, K: number): Kernel {
  const k = new KernelBuilder(name, { doc: "rows of activations to integer records" });
  const x = k.buffer("x", "f32", "read");
  const records = k.buffer("records", "i8", "write");
  quantizeRecords(k, x, k.let("from", mul(block, K)), K, records, k.let("to", mul(block, activationRowBytes(K))));
  return k.finish();
}

interface Parts {
  readonly k: KernelBuilder;
  readonly w: BufferHandle;
  readonly x: BufferHandle;
  readonly y: BufferHandle;
  readonly tokens: Expression;
  readonly tile: (number: Expression) => WideTile;
  readonly row: (number: Expression) => WideRow;
}

function parts(name: string, doc: string, format: WideQuants, { K }: Shape): Parts {
  const k = new KernelBuilder(name, { doc });
  const w = k.buffer("w", "u8", "read");
  const x = k.buffer("x", "i8", "read");
  const y = k.buffer("y", "f32", "write");
  const tokens = k.scalar("T", "i32");
  const tileBytes = recordCount(K) * wideRecordBytes(format);
  return {
    ...{ k, w, x, y, tokens },
    tile: (number) => ({ format, bytes: w, start: k.let("tile", mul(number, tileBytes)) }),
    row: (number) => ({ bytes: x, start: k.let("row", mul(number, activationRowBytes(K))) }),
  };
}

/** Row by row, `tiles` tiles side by side. Buffers w, x, y; scalar T; grid ceil(N / (16 tiles)). */
export function wideFewProduct(name: string, format: WideQuants, shape: Shape, tiles = 1, unroll = 2): Kernel {
  const { k, y, tokens, tile, row } = parts(name, `y = few x times wide ${format}`, format, shape);
  const all = Math.ceil(shape.N / recordRows);
  const first = k.let("first", mul(block, tiles));
  const run = (from: Expression, count: number): void => {
    const numbers = Array.from({ length: count }, (_, i) => k.let("number", add(from, i)));
    const weights = numbers.map(tile);
    k.loop("token", 0, tokens, 1, (token) => {
      wideFew(k, weights, row(token), recordCount(shape.K), unroll).forEach((sum, i) =>
        storeTile(k, y, token, k.let("n", mul(numbers[i]!, recordRows)), shape.N, sum.get),
      );
    });
  };
  if (all % tiles === 0) run(first, tiles);
  else {
    k.ifThen(
      compare("le", add(first, tiles), all),
      () => run(first, tiles),
      () => k.loop("tile", first, all, 1, (number) => run(number, 1)),
    );
  }
  return k.finish();
}

/** Rows whose sums are held at a time. */
const rowsInScratch = 128;

/** Many rows. Buffers w, x, y; scalar T; grid ceil(N / (16 tiles)). */
export function wideManyProduct(name: string, format: WideQuants, shape: Shape, tiles = 2): Kernel {
  const { k, y, tokens, tile, row } = parts(name, `y = many x times wide ${format}`, format, shape);
  const all = Math.ceil(shape.N / recordRows);
  const first = k.let("first", mul(block, tiles));
  const unpacked = k.blockBuffer("unpacked", "u8", "local", tiles * unpackedTileBytes);
  const sums = k.blockBuffer("sums", "f32", "local", rowsInScratch * tiles * recordRows);
  const run = (from: Expression, count: number): void => {
    const numbers = Array.from({ length: count }, (_, i) => k.let("number", add(from, i)));
    const weights = numbers.map(tile);
    k.loop("part", 0, tokens, rowsInScratch, (part) => {
      const to = k.let("part_end", min(add(part, rowsInScratch), tokens));
      const sumsAt = (number: Expression): Expression => mul(sub(number, part), tiles * recordRows);
      const records = recordCount(shape.K);
      wideRows(k, { ...{ tiles: weights, records, from: part, to, row, sums, sumsAt, unpacked } });
      k.loop("token", part, to, 1, (token) => {
        const line = k.let("line", sumsAt(token));
        numbers.forEach((number, t) => {
          const sum = k.let("sum", k.load(sums, add(line, t * recordRows), { lanes: recordRows }));
          storeTile(k, y, token, k.let("n", mul(number, recordRows)), shape.N, sum);
        });
      });
    });
  };
  if (all % tiles === 0) run(first, tiles);
  else {
    k.ifThen(
      compare("le", add(first, tiles), all),
      () => run(first, tiles),
      () => k.loop("tile", first, all, 1, (number) => run(number, 1)),
    );
  }
  return k.finish();
}
