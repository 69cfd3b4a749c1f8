/**
 * Whole kernels around the tiles: y[T, N] = x[T, K] times a packed weight. They are what a schedule writes for a plain
 * contraction, and what tests and benchmarks of the tiles run. A block of the grid is one tile of 16 rows of the weight.
 */
import { add, block, compare, constant, div, extract, min, mul, sub } from "../kernel-expressions.js";
import type { Expression, Kernel } from "../kernel-ir.js";
import { KernelBuilder, type BufferHandle, type Variable } from "../kernel-builder.js";
import type { Target } from "../../targets/index.js";
import { vectors, type BlockDots, type TokenRow } from "./block-sums.js";
import { byteDots } from "./byte-dots.js";
import { depthOfTurn, f32Tile, panelVector, unpackPanel } from "./f32-tile.js";
import { blockElements, recordsOf, tileRows } from "./layouts.js";
import { quantizeBlocks, type QuantizedActivations } from "./quantize.js";
import {
  packedTiles,
  unpackedBuffers,
  unpackedTile,
  unpackTile,
  type TilesBeside,
  type WeightTile,
} from "./quantized-tile.js";

/** Columns of the left matrix that are multiplied before the next rows are taken: 256 x 16 floats stay in the L1 cache beside the rows. */
const depthOfPass = 256;

/** Store 16 outputs; the last tile may have fewer. */
function storeTile(
  k: KernelBuilder,
  y: BufferHandle,
  row: Expression,
  n: Expression,
  columns: Expression,
  sums: readonly Variable[],
): void {
  const at = k.let("at", add(mul(row, columns), n));
  k.ifThen(
    compare("le", add(n, tileRows), columns),
    () => sums.forEach((sum, vector) => k.store(y, add(at, 4 * vector), sum.get)),
    () =>
      sums.forEach((sum, vector) => {
        for (let lane = 0; lane < 4; lane++) {
          const offset = 4 * vector + lane;
          k.ifThen(compare("lt", add(n, offset), columns), () => k.store(y, add(at, offset), extract(sum.get, lane)));
        }
      }),
  );
}

/** Groups of `size` tokens, then the rest one by one. */
function forTokens(
  k: KernelBuilder,
  tokens: Expression,
  size: number,
  body: (first: Expression, count: number) => void,
): void {
  const whole = k.let(
    "whole",
    sub(tokens, k.let("rest", { kind: "binary", op: "rem", left: tokens, right: constant(size), type: tokens.type })),
  );
  k.loop("token", 0, whole, size, (token) => body(token, size));
  if (size > 1) k.loop("token", whole, tokens, 1, (token) => body(token, 1));
}

/**
 * y = x times f32 or f16 panels. Buffers x, w, y; scalars T, K, N; grid ceil(N / 16).
 *
 * @param unpacked Convert each panel to f32 once: better for more than a few tokens of f16.
 */
export function panelProduct(name: string, weights: "f32" | "f16", rows = 2, unpacked = false): Kernel {
  const k = new KernelBuilder(name, { doc: `y[T, N] = x[T, K] times ${weights} panels` });
  const x = k.buffer("x", "f32", "read");
  const w = k.buffer("w", weights, "read");
  const y = k.buffer("y", "f32", "readwrite");
  const [tokens, depth, columns] = [k.scalar("T", "i32"), k.scalar("K", "i32"), k.scalar("N", "i32")];
  const n = k.let("n", mul(block, tileRows));
  const panel = k.let("panel", mul(block, mul(depth, tileRows)));
  const floats = unpacked ? k.blockBuffer("floats", "f32", "local", depthOfPass * tileRows) : undefined;
  k.loop("pass", 0, depth, depthOfPass, (pass) => {
    const end = k.let("end", min(add(pass, depthOfPass), depth));
    if (floats) unpackPanel(k, w, panel, pass, end, floats);
    const right = floats ? panelVector(k, floats, k.let("unpacked", mul(pass, -tileRows))) : panelVector(k, w, panel);
    forTokens(k, tokens, rows, (token, count) => {
      const starts = Array.from({ length: count }, (_, row) => k.let("x_start", mul(add(token, row), depth)));
      const sums = f32Tile(k, {
        rows: count,
        vectors: 4,
        lanes: 4,
        from: pass,
        to: end,
        left: (row, index) => k.load(x, add(starts[row]!, index)),
        right,
      });
      sums.forEach((row, i) => {
        k.ifThen(compare("gt", pass, 0), () => addStored(k, y, add(token, i), n, columns, row));
        storeTile(k, y, add(token, i), n, columns, row);
      });
    });
  });
  return k.finish();
}

/**
 * The same for few tokens, with `panels` panels read side by side, which keeps more of the memory busy than one after
 * the other. Grid ceil(N / (16 panels)).
 */
export function panelsProduct(name: string, weights: "f32" | "f16", panels = 4): Kernel {
  const k = new KernelBuilder(name, { doc: `y[T, N] = few x[T, K] times ${weights} panels side by side` });
  const x = k.buffer("x", "f32", "read");
  const w = k.buffer("w", weights, "read");
  const y = k.buffer("y", "f32", "write");
  const [tokens, depth, columns] = [k.scalar("T", "i32"), k.scalar("K", "i32"), k.scalar("N", "i32")];
  const first = k.let("first", mul(block, panels));
  const all = k.let("all", div(add(columns, tileRows - 1), tileRows));
  const panelsFrom = (panel: Expression, count: number): void => {
    const numbers = Array.from({ length: count }, (_, i) => k.let("panel", add(panel, i)));
    const starts = numbers.map((number) => k.let("panel_start", mul(number, mul(depth, tileRows))));
    k.loop("token", 0, tokens, 1, (token) => {
      const row = k.let("row", mul(token, depth));
      const sums = numbers.map(() => [[0, 1, 2, 3].map(() => k.variable("sum", 0, { element: "f32", lanes: 4 }))]);
      k.loop("turn", 0, depth, depthOfTurn, (from) => {
        const to = k.let("end", min(add(from, depthOfTurn), depth));
        const left = (_: number, index: Expression): Expression => k.load(x, add(row, index));
        starts.forEach((start, i) => {
          const shape = { rows: 1, vectors: 4, lanes: 4, from, to } as const;
          f32Tile(k, { ...shape, left, right: panelVector(k, w, start), into: sums[i]! });
        });
      });
      sums.forEach(([tile], i) => storeTile(k, y, token, k.let("n", mul(numbers[i]!, tileRows)), columns, tile!));
    });
  };
  k.ifThen(
    compare("le", add(first, panels), all),
    () => panelsFrom(first, panels),
    () => k.loop("panel", first, all, 1, (panel) => panelsFrom(panel, 1)),
  );
  return k.finish();
}

/** Add what earlier passes stored. */
function addStored(
  k: KernelBuilder,
  y: BufferHandle,
  row: Expression,
  n: Expression,
  columns: Expression,
  sums: readonly Variable[],
): void {
  const at = k.let("before", add(mul(row, columns), n));
  k.ifThen(
    compare("le", add(n, tileRows), columns),
    () => sums.forEach((sum, vector) => sum.set(add(sum.get, k.load(y, add(at, 4 * vector), { lanes: 4 })))),
    () =>
      sums.forEach((sum, vector) => {
        const lanes = [0, 1, 2, 3].map((lane) => {
          const value = k.variable("value", 0, sum.get.type.lanes === 4 ? { element: "f32", lanes: 1 } : sum.get.type);
          const offset = 4 * vector + lane;
          k.ifThen(compare("lt", add(n, offset), columns), () => value.set(k.load(y, add(at, offset))));
          return value.get;
        });
        sum.set(add(sum.get, { kind: "join", operands: lanes, type: sum.get.type }));
      }),
  );
}

/** Quantize rows for products with weights of a storage. Buffers x, quants, scales (and starts); scalar K; grid T. */
export function quantizeProduct(name: string, storage: BlockDots["storage"], target: ByteTarget): Kernel {
  const { quants, offset } = byteDots(storage, target);
  const k = new KernelBuilder(name, { doc: `blocks of 32 activations to ${quants}` });
  const x = k.buffer("x", "f32", "read");
  const to = {
    quants: k.buffer("quants", quants, "write"),
    scales: k.buffer("scales", "f32", "write"),
    ...(offset === undefined ? {} : { starts: { buffer: k.buffer("starts", "i32", "write"), offset } }),
  };
  const depth = k.scalar("K", "i32");
  const start = k.let("start", mul(block, depth));
  quantizeBlocks(k, x, start, to, start, k.let("blocks", blocksOf(depth)));
  return k.finish();
}

const blocksOf = (depth: Expression): Expression => ({
  kind: "binary",
  op: "shru",
  left: depth,
  right: constant(Math.log2(blockElements)),
  type: depth.type,
});

/** What of a target decides products of bytes. */
type ByteTarget = Pick<Target, "dotQuads">;

interface QuantizedProduct {
  readonly doc: string;
  readonly storage: BlockDots["storage"];
  readonly target: ByteTarget;
  /** Tokens at a time. */
  readonly group: number;
  /** Tiles of 16 rows that one block reads side by side. */
  readonly tiles: number;
}

type ProductSums = readonly (readonly (readonly Variable[])[])[];

/** Buffers w, quants, scales (starts), y; scalars T, K, N; grid ceil(N / (16 tiles)). */
function quantizedProduct(
  name: string,
  product: QuantizedProduct,
  prepare: (
    k: KernelBuilder,
    dots: BlockDots,
    tiles: readonly WeightTile[],
  ) => (rows: readonly TokenRow[]) => ProductSums,
): Kernel {
  const k = new KernelBuilder(name, { doc: product.doc });
  const form = byteDots(product.storage, product.target);
  const record = recordsOf[product.storage];
  const bytes = k.buffer("w", record.element, "read");
  const from: QuantizedActivations = {
    quants: k.buffer("quants", form.quants, "read"),
    scales: k.buffer("scales", "f32", "read"),
    ...(form.offset === undefined ? {} : { starts: k.buffer("starts", "i32", "read") }),
  };
  const dots = form.open(k);
  const y = k.buffer("y", "f32", "write");
  const [tokens, depth, columns] = [k.scalar("T", "i32"), k.scalar("K", "i32"), k.scalar("N", "i32")];
  const blocks = k.let("blocks", blocksOf(depth));
  const tileBytes = k.let("tile_bytes", mul(blocks, record.bytes));
  const first = k.let("first", mul(block, product.tiles));
  const tilesFrom = (tile: Expression, count: number): void => {
    const numbers = Array.from({ length: count }, (_, i) => k.let("tile", add(tile, i)));
    const starts = numbers.map((number) => k.let("tile_start", mul(number, tileBytes)));
    const sumsOf = prepare(
      k,
      dots,
      starts.map((start) => ({ bytes, start, blocks })),
    );
    forTokens(k, tokens, product.group, (token, size) => {
      const rows = Array.from({ length: size }, (_, i) => ({ from, start: k.let("row", mul(add(token, i), depth)) }));
      sumsOf(rows).forEach((tile, t) => {
        const n = k.let("n", mul(numbers[t]!, tileRows));
        tile.forEach((sums, i) => storeTile(k, y, add(token, i), n, columns, sums));
      });
    });
  };
  if (product.tiles === 1) {
    tilesFrom(first, 1);
  } else {
    // Whole groups of tiles, and what is left at the end one by one.
    const all = k.let("all", div(add(columns, tileRows - 1), tileRows));
    k.ifThen(
      compare("le", add(first, product.tiles), all),
      () => tilesFrom(first, product.tiles),
      () => k.loop("tile", first, all, 1, (tile) => tilesFrom(tile, 1)),
    );
  }
  return k.finish();
}

/** y = quantized x times tiles of a storage, for few tokens. */
export function packedProduct(
  name: string,
  storage: BlockDots["storage"],
  target: ByteTarget,
  group = 2,
  tiles = 1,
): Kernel {
  const doc = `y[T, N] = quantized x[T, K] times ${storage} tiles, unpacked as it goes`;
  return quantizedProduct(name, { doc, storage, target, group, tiles }, (k, dots, weights) => {
    const sums = k.blockBuffer("sums", "f32", "local", group * tiles * tileRows);
    const { bytes, start, blocks } = weights[0]!;
    const tileBytes = k.let("tile_bytes", mul(blocks, recordsOf[storage].bytes));
    const beside: TilesBeside = {
      ...{ bytes, blocks, sums, count: weights.length },
      start: (tile) => add(start, mul(tile, tileBytes)),
      at: (token) => token * tiles * tileRows,
    };
    return (rows) => {
      packedTiles(k, dots, beside, rows);
      return weights.map((_, tile) =>
        rows.map((__, token) =>
          vectors.map((vector) =>
            k.variable("sum", k.load(sums, beside.at(token) + tile * tileRows + 4 * vector, { lanes: 4 })),
          ),
        ),
      );
    };
  });
}

/** y = quantized x times tiles of a storage, for many tokens: each tile is unpacked once. K is at most `maximumDepth`. */
export function unpackedProduct(
  name: string,
  storage: BlockDots["storage"],
  target: ByteTarget,
  maximumDepth: number,
  group = 2,
): Kernel {
  const doc = `y[T, N] = quantized x[T, K] times ${storage} tiles, each unpacked once`;
  return quantizedProduct(name, { doc, storage, target, group, tiles: 1 }, (k, dots, [tile]) => {
    const buffers = unpackedBuffers(k, dots, maximumDepth / blockElements);
    const unpacked = { ...buffers, from: 0, to: tile!.blocks };
    unpackTile(k, dots, tile!, unpacked);
    return (rows) => [unpackedTile(k, dots, unpacked, rows)];
  });
}
