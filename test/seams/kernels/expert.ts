/** A routed SwiGLU expert over ragged tiles: counts and offsets are read on the device, nothing is padded. */
import { KernelBuilder } from "../../../compiler/4-schedule/kernel-builder.js";
import {
  add,
  block,
  compare,
  constant,
  div,
  exp,
  min,
  mul,
  neg,
  rem,
  sub,
  thread,
} from "../../../compiler/4-schedule/kernel-expressions.js";
import type { Kernel } from "../../../compiler/4-schedule/kernel-ir.js";
import { at, dots, type Variant } from "./variant.js";

/** Pairs of token and choice that one block takes. */
export const tileRows = 4;
/** Widest hidden layer that fits into the shared buffer. */
export const mostHidden = 256;

/**
 * y[pairs, D] = weight * down(silu(gate x) * up x), each pair at its own row. x[T, D] f32, gate and up [E, H, D] f16,
 * down [E, D, H] f16. Blocks: experts * tiles, where `tiles` bounds the tiles of one expert; those without rows end.
 */
export function expert({ threads, lanes }: Variant): Kernel {
  const k = new KernelBuilder("expert", { doc: "SwiGLU expert over its own tokens", threads });
  const x = k.buffer("x", "f32", "read");
  const [gate, up, down] = ["gate", "up", "down"].map((name) => k.buffer(name, "f16", "read"));
  const slots = k.buffer("slots", "i32", "read");
  const offsets = k.buffer("offsets", "i32", "read");
  const weight = k.buffer("weight", "f32", "read");
  const y = k.buffer("y", "f32", "write");
  const [choices, width, hidden, tiles] = ["choices", "width", "hidden", "tiles"].map((name) => k.scalar(name, "i32"));
  const middle = k.blockBuffer("middle", "f32", "shared", tileRows * mostHidden);
  const own = k.let("own", div(block, tiles!));
  const first = k.let("first", add(k.load(offsets, own), mul(rem(block, tiles!), tileRows)));
  const end = k.let("end", k.load(offsets, add(own, 1)));
  k.ifThen(compare("lt", first, end), () => {
    // Rows beyond the end repeat the last one and are not stored.
    const pairs = Array.from({ length: tileRows }, (_, r) =>
      k.let("pair", k.load(slots, min(add(first, r), sub(end, 1)))),
    );
    const rows = pairs.map((pair) => ({ buffer: x, start: k.let("row", mul(div(pair, choices!), width!)) }));
    k.loop("h", thread, hidden!, threads, (h) => {
      const start = k.let("start", mul(at(own, hidden!, h), width!));
      const projections = [gate!, up!].map((buffer) => ({ buffer, start }));
      const [gates, ups] = dots(k, lanes, rows, projections, width!);
      gates!.forEach((g, r) => {
        const silu = k.let("silu", div(g, add(exp(neg(g)), 1)));
        k.store(middle, add(h, r * mostHidden), mul(silu, ups![r]!));
      });
    });
    k.barrier();
    const hiddens = pairs.map((_, r) => ({ buffer: middle, start: constant(r * mostHidden) }));
    k.loop("d", thread, width!, threads, (d) => {
      const start = k.let("start", mul(at(own, width!, d), hidden!));
      const [sums] = dots(k, lanes, hiddens, [{ buffer: down!, start }], hidden!);
      sums!.forEach((sum, r) =>
        k.ifThen(compare("lt", add(first, r), end), () =>
          k.store(y, at(pairs[r]!, width!, d), mul(sum, k.load(weight, pairs[r]!))),
        ),
      );
    });
  });
  return k.finish();
}
