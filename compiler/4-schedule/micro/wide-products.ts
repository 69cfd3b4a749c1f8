/**
 * Whole kernels around the wide tiles: y[T, N] = x[T, K] times a packed weight with K and N known. They are what tests
 * and benchmarks of the tiles run.
 */
import { add, block, compare, constant, extract, min, mul, sub } from "../kernel-expressions.js";
import type { Expression, Kernel } from "../kernel-ir.js";
import { KernelBuilder, type BufferHandle } from "../kernel-builder.js";
import { activationRowBytes, recordCount, recordRows, wideRecordBytes, type WideQuants } from "./wide-layouts.js";
import { inRowGroups } from "./row-groups.js";
import type { WideRow, WideTile } from "./wide-dots.js";
import { fewRowsTogether, wideFew } from "./wide-few.js";
import { copiedRowsBytes } from "./row-passes.js";
import { wideRows } from "./wide-rows.js";
import { unpackedTileBytes } from "./wide-unpack.js";
import type { WideShapes } from "../../targets/index.js";
import { quantizeRecords } from "./wide-quantize.js";

interface Shape {
  /** Columns of the weight. */
  readonly K: number;
  /** Rows of the weight. */
  readonly N: number;
}

/** Store some outputs of a row from `n` on; the last tile may have fewer. */
function storeOutputs(
  k: KernelBuilder,
  y: BufferHandle,
  row: Expression,
  n: Expression,
  N: number,
  sum: Expression,
): void {
  const at = k.let("y_at", add(mul(row, N), n));
  const { lanes } = sum.type;
  if (N % lanes === 0) return k.store(y, at, sum);
  k.ifThen(
    compare("le", add(n, lanes), N),
    () => k.store(y, at, sum),
    () => {
      for (let lane = 0; lane < lanes; lane++) {
        k.ifThen(compare("lt", add(n, lane), N), () => k.store(y, add(at, lane), extract(sum, lane)));
      }
    },
  );
}

/** Rows to groups of records. Buffers x, records; grid T. */
export function wideQuantize(name: string, K: number, { lanes }: WideShapes): Kernel {
  const k = new KernelBuilder(name, { doc: "rows of activations to integer records" });
  const x = k.buffer("x", "f32", "read");
  const records = k.buffer("records", "i8", "write");
  const to = k.let("to", mul(block, activationRowBytes(K)));
  quantizeRecords(k, x, k.let("from", mul(block, K)), K, records, to, lanes);
  return k.finish();
}

interface Parts {
  readonly k: KernelBuilder;
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
    ...{ k, y, tokens },
    tile: (number) => ({ format, bytes: w, start: k.let("tile", mul(number, tileBytes)) }),
    row: (number) => ({ bytes: x, start: k.let("row", mul(number, activationRowBytes(K))) }),
  };
}

/** The tiles of a block of the grid: `tiles` of them, or one by one at the end. */
function eachTiles(k: KernelBuilder, N: number, tiles: number, run: (numbers: readonly Expression[]) => void): void {
  const all = Math.ceil(N / recordRows);
  const first = k.let("first", mul(block, tiles));
  const together = (): void => run(Array.from({ length: tiles }, (_, i) => k.let("number", add(first, i))));
  if (all % tiles === 0) return together();
  k.ifThen(compare("le", add(first, tiles), all), together, () =>
    k.loop("tile", first, all, 1, (number) => run([number])),
  );
}

/** A few rows at a time, `tiles` tiles one after the other. Buffers w, x, y; scalar T; grid ceil(N / (16 tiles)). */
export function wideFewProduct(name: string, format: WideQuants, shape: Shape, shapes: WideShapes, tiles = 1): Kernel {
  const { k, y, tokens, tile, row } = parts(name, `y = few x times wide ${format}`, format, shape);
  const first = k.let("first", mul(block, tiles));
  k.loop("tile", first, min(add(first, tiles), Math.ceil(shape.N / recordRows)), 1, (number) => {
    const weights = tile(number);
    inRowGroups(k, constant(0), tokens, fewRowsTogether(shapes), (from, to, size) =>
      k.loop("token", from, to, size, (token) => {
        const own = Array.from({ length: size }, (_, i) => k.let("own", add(token, i)));
        wideFew(k, shapes, weights, own.map(row), recordCount(shape.K)).forEach((sums, r) =>
          sums.forEach((sum, vector) => {
            const n = k.let("n", add(mul(number, recordRows), vector * shapes.lanes));
            storeOutputs(k, y, own[r]!, n, shape.N, sum.get);
          }),
        );
      }),
    );
  });
  return k.finish();
}

/** Rows whose sums are held at a time. */
const rowsInScratch = 128;

/** Many rows. Buffers w, x, y; scalar T; grid ceil(N / (16 tiles)). */
export function wideManyProduct(name: string, format: WideQuants, shape: Shape, shapes: WideShapes, tiles = 2): Kernel {
  const { k, y, tokens, tile, row } = parts(name, `y = many x times wide ${format}`, format, shape);
  const unpacked = k.blockBuffer("unpacked", "u8", "local", tiles * unpackedTileBytes(format, shapes));
  const copies = k.blockBuffer("copies", "i8", "local", copiedRowsBytes(shapes));
  const sums = k.blockBuffer("sums", "f32", "local", rowsInScratch * tiles * recordRows);
  eachTiles(k, shape.N, tiles, (numbers) => {
    const weights = numbers.map(tile);
    k.loop("part", 0, tokens, rowsInScratch, (part) => {
      const to = k.let("part_end", min(add(part, rowsInScratch), tokens));
      const sumsAt = (number: Expression): Expression => mul(sub(number, part), tiles * recordRows);
      const records = recordCount(shape.K);
      const sumsStride = tiles * recordRows;
      wideRows(k, shapes, {
        ...{ tiles: weights, records, from: part, to, row, sums, sumsAt, sumsStride, unpacked, copies },
      });
      k.loop("token", part, to, 1, (token) => {
        const line = k.let("line", sumsAt(token));
        numbers.forEach((number, t) => {
          for (let lane = 0; lane < recordRows; lane += shapes.lanes) {
            const at = add(line, t * recordRows + lane);
            const sum = k.let("sum", k.load(sums, at, { lanes: shapes.lanes }));
            storeOutputs(k, y, token, k.let("n", add(mul(number, recordRows), lane)), shape.N, sum);
          }
        });
      });
    });
  });
  return k.finish();
}
