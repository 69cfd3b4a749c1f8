/** What the machine can do at most with 128-bit vectors, as kernels: dependent multiply-adds, and reads. */
import { add, block, constant, fma, mul, xor } from "../../compiler/4-schedule/kernel-expressions.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { registerType } from "../../compiler/4-schedule/kernel-types.js";

export function limitKernels(): readonly Kernel[] {
  return [peak(), read()];
}

/** 12 chains of multiply-adds, `turns` long: 8 * 12 operations a turn. */
function peak(): Kernel {
  const k = new KernelBuilder("peak", { doc: "12 chains of f32x4 multiply-adds" });
  const y = k.buffer("y", "f32", "readwrite");
  const turns = k.scalar("turns", "i32");
  const type = registerType("f32", 4);
  const a = k.let("a", k.load(y, 0, { lanes: 4 }));
  const b = k.let("b", k.load(y, 4, { lanes: 4 }));
  const chains = Array.from({ length: 12 }, () => k.variable("chain", 0, type));
  k.loop("turn", 0, turns, 1, () => chains.forEach((chain) => chain.set(fma(a, b, chain.get))));
  k.store(
    y,
    mul(block, 4),
    chains.map((chain) => chain.get).reduce((sum, chain) => add(sum, chain)),
  );
  return k.finish();
}

/** Reads `turns` times 128 bytes. */
function read(): Kernel {
  const k = new KernelBuilder("read", { doc: "reads and xors" });
  const x = k.buffer("x", "i32", "read");
  const y = k.buffer("y", "i32", "write");
  const turns = k.scalar("turns", "i32");
  const type = registerType("i32", 4);
  const sums = Array.from({ length: 8 }, () => k.variable("sum", constant(0, type)));
  k.loop("turn", 0, turns, 1, (turn) => {
    sums.forEach((sum, i) => sum.set(xor(sum.get, k.load(x, add(mul(turn, 32), i * 4), { lanes: 4 }))));
  });
  k.store(
    y,
    mul(block, 4),
    sums.map((sum) => sum.get).reduce((all, sum) => xor(all, sum)),
  );
  return k.finish();
}
