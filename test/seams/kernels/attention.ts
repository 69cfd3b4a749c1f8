/** Causal attention in a window that visits only tiles of keys with a visible one, and masks only partial tiles. */
import { KernelBuilder } from "../../../compiler/4-schedule/kernel-builder.js";
import {
  add,
  all,
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
  splat,
  sub,
  thread,
} from "../../../compiler/4-schedule/kernel-expressions.js";
import type { Expression, Kernel } from "../../../compiler/4-schedule/kernel-ir.js";
import { f32 } from "../../../compiler/4-schedule/kernel-types.js";
import { at, dots, type Variant } from "./variant.js";

/** Keys of one tile. */
export const keyTile = 16;

/**
 * q[T, H, C] f32, keys[S, G, C] f16, values[S, G, C] bf16 -> y[T, H, C]; S = past + T; head h reads group h / (H / G). A
 * query at position p sees keys p - window < j <= p. visited[0] counts the visited tiles. One thread has one query, one
 * block `threads` queries of one head. Blocks: H times tiles of T.
 *
 * @param width C, which need not be a multiple of the lanes.
 */
export function attention(width: number, { threads, lanes }: Variant): Kernel {
  const k = new KernelBuilder("attention", { doc: "online softmax over the visible tiles of keys", threads });
  const q = k.buffer("q", "f32", "read");
  const keys = k.buffer("keys", "f16", "read");
  const values = k.buffer("values", "bf16", "read");
  const y = k.buffer("y", "f32", "write");
  const visited = k.buffer("visited", "i32", "readwrite");
  const [tokens, past, window, heads, groups] = ["tokens", "past", "window", "heads", "groups"].map((name) =>
    k.scalar(name, "i32"),
  ) as [Expression, Expression, Expression, Expression, Expression];
  const scale = k.scalar("scale", "f32");
  const keyRows = k.blockBuffer("key_rows", "f32", "shared", keyTile * width);
  const valueRows = k.blockBuffer("value_rows", "f32", "shared", keyTile * width);
  const sum = k.blockBuffer("sum", "f32", "local", width);

  const across = k.let("across", div(add(tokens, threads - 1), threads));
  const head = k.let("head", div(block, across));
  const group = k.let("group", div(head, div(heads, groups)));
  const row0 = k.let("row0", mul(rem(block, across), threads));
  const row = k.let("row", min(add(row0, thread), sub(tokens, 1)));
  const position = k.let("position", add(past, row));
  const queryStart = k.let("query", mul(at(row, heads, head), constant(width)));
  // Positions of the first and of the last query of the block, and the keys that any of them sees.
  const lowest = k.let("lowest", add(past, row0));
  const highest = k.let("highest", add(past, sub(min(add(row0, threads), tokens), 1)));
  const from = k.let("from", max(0, add(sub(lowest, window), 1)));
  const end = k.let("end", add(highest, 1));

  const wholeLanes = width - (width % lanes);
  /** For each piece of a row: its start and how many lanes it has. */
  const pieces = (write: (c: number, lanes: number) => void): void => {
    for (let c = 0; c < wholeLanes; c += lanes) write(c, lanes);
    for (let c = wholeLanes; c < width; c++) write(c, 1);
  };
  pieces((c, piece) => k.store(sum, c, splat(0, piece)));
  const largest = k.variable("largest", constant(-Infinity, f32));
  const total = k.variable("total", constant(0, f32));

  const visit = (key: Expression): void => {
    const start = k.let("start", mul(key, width));
    const rows = [{ buffer: keyRows, start }];
    const [[product]] = dots(k, lanes, [{ buffer: q, start: queryStart }], rows, constant(width)) as [[Expression]];
    const score = k.let("score", mul(product, scale));
    const next = k.let("next", max(largest.get, score));
    const keep = k.let("keep", exp(sub(largest.get, next)));
    const weight = k.let("weight", exp(sub(score, next)));
    total.set(fma(total.get, keep, weight));
    pieces((c, piece) => {
      const old = k.load(sum, c, { lanes: piece });
      const value = mul(k.load(valueRows, add(start, c), { lanes: piece }), splat(weight, piece));
      k.store(sum, c, fma(old, splat(keep, piece), value));
    });
    largest.set(next);
  };

  k.loop("tile", mul(div(from, keyTile), keyTile), end, keyTile, (tile) => {
    k.ifThen(compare("eq", thread, 0), () => void k.atomicAdd(visited, 0, 1));
    const count = k.let("count", min(sub(end, tile), keyTile));
    k.loop("e", thread, mul(count, width), threads, (e) => {
      const source = k.let("source", add(mul(at(add(tile, div(e, width)), groups, group), width), rem(e, width)));
      k.store(keyRows, e, k.load(keys, source));
      k.store(valueRows, e, k.load(values, source));
    });
    k.barrier();
    const tileEnd = add(tile, keyTile);
    const full = all(compare("gt", tile, sub(highest, window)), compare("le", tileEnd, add(lowest, 1)));
    k.ifThen(
      full,
      () => k.loop("key", 0, keyTile, 1, visit),
      () =>
        k.loop("key", 0, count, 1, (key) => {
          const where = k.let("where", add(tile, key));
          const seen = all(compare("le", where, position), compare("gt", where, sub(position, window)));
          k.ifThen(seen, () => visit(key));
        }),
    );
    k.barrier();
  });
  k.ifThen(compare("lt", add(row0, thread), tokens), () =>
    pieces((c, piece) =>
      k.store(y, add(queryStart, c), div(k.load(sum, c, { lanes: piece }), splat(total.get, piece))),
    ),
  );
  return k.finish();
}
