/** What one core can do at most, as kernels through the same path as all others: multiply-adds, byte products, reads. */
import {
  add,
  bitcast,
  block,
  constant,
  dotPairsI8,
  dotQuads,
  fma,
  mul,
  xor,
} from "../../compiler/4-schedule/kernel-expressions.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { registerType } from "../../compiler/4-schedule/kernel-types.js";
import { lanesOf, type Target } from "../../compiler/targets/index.js";

/** Chains that do not wait for one another. */
const chains = 12;

/** Operations of one turn of `peak_f32`. */
export const peakOperations = (target: Target): number => 2 * chains * lanesOf(target, 32);
/** Operations of one turn of `peak_i8`. */
export const peakByteOperations = (target: Target): number => 2 * chains * lanesOf(target, 8);
/** Bytes of one turn of `read`, and of each of the three arrays of `triad`. */
export const readBytes = 512;

export function limitKernels(target: Target): readonly Kernel[] {
  const lanes = lanesOf(target, 32);
  return [peakF32(lanes), peakI8(target), read(lanes), triad(lanes)];
}

function peakF32(lanes: number): Kernel {
  const k = new KernelBuilder("peak_f32", { doc: "chains of f32 multiply-adds" });
  const y = k.buffer("y", "f32", "readwrite");
  const turns = k.scalar("turns", "i32");
  const [a, b] = [0, lanes].map((at) => k.let("a", k.load(y, at, { lanes })));
  const sums = Array.from({ length: chains }, () => k.variable("sum", 0, registerType("f32", lanes)));
  k.loop("turn", 0, turns, 1, () => sums.forEach((sum) => sum.set(fma(a!, b!, sum.get))));
  k.store(
    y,
    mul(block, lanes),
    sums.map((sum) => sum.get).reduce((x, sum) => add(x, sum)),
  );
  return k.finish();
}

function peakI8(target: Target): Kernel {
  const lanes = lanesOf(target, 32);
  const k = new KernelBuilder("peak_i8", { doc: "chains of products of bytes, added in lanes" });
  const y = k.buffer("y", "i32", "readwrite");
  const turns = k.scalar("turns", "i32");
  const [a, b] = [0, lanes].map((at) => k.let("a", bitcast(k.load(y, at, { lanes }), "i8")));
  // Four products in a lane, or pairs of them in half a lane.
  const quads = target.dotQuads !== "emulated";
  const type = quads ? registerType("i32", lanes) : registerType("i16", 2 * lanes);
  const sums = Array.from({ length: chains }, () => k.variable("sum", 0, type));
  k.loop("turn", 0, turns, 1, () =>
    sums.forEach((sum) => sum.set(quads ? dotQuads(a!, b!, sum.get, true) : add(sum.get, dotPairsI8(a!, b!)))),
  );
  const all = sums.map((sum) => sum.get).reduce((x, sum) => add(x, sum));
  k.store(y, mul(block, lanes), bitcast(all, "i32"));
  return k.finish();
}

/** Reads `turns` times 512 bytes for each block. */
function read(lanes: number): Kernel {
  const k = new KernelBuilder("read", { doc: "reads and xors" });
  const x = k.buffer("x", "i32", "read");
  const y = k.buffer("y", "i32", "write");
  const turns = k.scalar("turns", "i32");
  const count = readBytes / 4 / lanes;
  const sums = Array.from({ length: count }, () => k.variable("sum", constant(0, registerType("i32", lanes))));
  const start = k.let("start", mul(block, mul(turns, readBytes / 4)));
  k.loop("turn", 0, turns, 1, (turn) => {
    const at = k.let("at", add(start, mul(turn, readBytes / 4)));
    sums.forEach((sum, i) => sum.set(xor(sum.get, k.load(x, add(at, i * lanes), { lanes }))));
  });
  k.store(
    y,
    mul(block, lanes),
    sums.map((sum) => sum.get).reduce((all, sum) => xor(all, sum)),
  );
  return k.finish();
}

/** y = x0 + 3 x1 over `turns` times 512 bytes of each, for each block: the last of McCalpin's STREAM. */
function triad(lanes: number): Kernel {
  const k = new KernelBuilder("triad", { doc: "adds a multiple of one array to another" });
  const [a, b] = ["a", "b"].map((name) => k.buffer(name, "f32", "read"));
  const y = k.buffer("y", "f32", "write");
  const turns = k.scalar("turns", "i32");
  const count = readBytes / 4;
  const start = k.let("start", mul(block, mul(turns, count)));
  k.loop("turn", 0, mul(turns, count), lanes, (element) => {
    const at = k.let("at", add(start, element));
    const [left, right] = [a!, b!].map((buffer) => k.load(buffer, at, { lanes }));
    k.store(y, at, fma(right!, constant(3, right!.type), left!));
  });
  return k.finish();
}
