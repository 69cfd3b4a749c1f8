/** Every memory type on WebAssembly: all f16 and bf16 patterns, rounding at the store, narrow integers, block buffers. */
import { describe, expect, it } from "vitest";
import { add, block, mul } from "../../compiler/4-schedule/kernel-expressions.js";
import type { Kernel, MemoryType } from "../../compiler/4-schedule/kernel-ir.js";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { parseKernel } from "../../compiler/4-schedule/kernel-parse.js";
import { memoryBytes } from "../../compiler/4-schedule/kernel-types.js";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from "../../compiler/checkpoints/half.js";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import { wasmRelaxed, wasmSimd } from "../../compiler/targets/index.js";
import { instantiate } from "./wasm-host.js";

/** y[i] = x[i] for n elements: vectors, then the rest one by one. */
function copy(name: string, from: MemoryType, to: MemoryType, finite = false): Kernel {
  const k = new KernelBuilder(name, { doc: `${from} to ${to}` });
  const x = k.buffer("x", from, "read");
  const y = k.buffer("y", to, "write");
  const n = k.scalar("n", "i32");
  const whole = k.let(
    "whole",
    mul({ kind: "binary", op: "shr", left: n, right: { kind: "constant", value: 2, type: n.type }, type: n.type }, 4),
  );
  k.loop("i", 0, whole, 4, (i) => k.store(y, i, k.load(x, i, { lanes: 4, finite })));
  k.loop("i", whole, n, 1, (i) => k.store(y, i, k.load(x, i, { finite })));
  return k.finish();
}

const memory = new WebAssembly.Memory({ initial: 32 });
const source = 1024;
const target = 1024 + (1 << 20);
const sameNumber = (a: number, b: number): boolean => Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b));

describe.each([wasmSimd, wasmRelaxed])("memory types on $name", (record) => {
  it.each([
    ["f16", f16ToF32],
    ["bf16", bf16ToF32],
  ] as const)("reads every %s pattern, by vectors and alone", (type, decode) => {
    const run = instantiate([copy("copy", type, "f32")], record, memory)["copy"]!;
    new Uint16Array(memory.buffer, source, 65536).forEach((_, i, all) => (all[i] = i));
    for (const n of [65536, 65535, 3]) {
      const y = new Float32Array(memory.buffer, target, 65536).fill(-7);
      run(source, target, n, 0, 1);
      for (let i = 0; i < n; i++) if (!sameNumber(y[i]!, decode(i))) expect(`${i}: ${y[i]}`).toBe(`${i}: ${decode(i)}`);
      if (n < 65536) expect(y[n]).toBe(-7);
    }
  });

  it("reads finite f16 in a shorter way", () => {
    const run = instantiate([copy("copy", "f16", "f32", true)], record, memory)["copy"]!;
    const x = new Uint16Array(memory.buffer, source, 65535);
    x.forEach((_, i) => (x[i] = (i & 0x7c00) === 0x7c00 ? 0 : i));
    run(source, target, x.length, 0, 1);
    const y = new Float32Array(memory.buffer, target, x.length);
    x.forEach((half, i) => {
      if (!Object.is(y[i], f16ToF32(half))) expect(`${half}: ${y[i]}`).toBe(`${half}: ${f16ToF32(half)}`);
    });
  });

  it.each([
    ["f16", f32ToF16, f16ToF32],
    ["bf16", f32ToBf16, bf16ToF32],
  ] as const)("rounds to %s at the store like the reader of checkpoints", (type, encode, decode) => {
    const run = instantiate([copy("copy", "f32", type)], record, memory)["copy"]!;
    const x = new Float32Array(memory.buffer, source, 200_003);
    const bits = new Uint32Array(memory.buffer, source, x.length);
    // Halfway cases of every exponent, then patterns that step through everything.
    bits.forEach((_, i) => (bits[i] = i < 65536 ? (i << 16) | 0x1000 | (i & 0x8fff) : Math.imul(i, 0x9e3779b1)));
    run(source, target, x.length, 0, 1);
    const y = new Uint16Array(memory.buffer, target, x.length);
    x.forEach((value, i) => {
      const wanted = encode(value);
      if (y[i] !== wanted && !Number.isNaN(decode(wanted))) expect(`${value}: ${y[i]}`).toBe(`${value}: ${wanted}`);
      if (Number.isNaN(decode(wanted)) && !Number.isNaN(decode(y[i]!))) expect(`${value}: ${y[i]}`).toBe("NaN");
    });
  });

  it.each([
    ["i8", "i32"],
    ["u8", "i32"],
    ["i16", "i32"],
    ["i32", "i8"],
    ["i32", "u8"],
    ["i32", "i16"],
    ["i16", "i8"],
  ] as const)("moves %s to %s at odd lengths", (from, to) => {
    const views = { f32: Float32Array, i32: Int32Array, i16: Int16Array, i8: Int8Array, u8: Uint8Array } as const;
    const run = instantiate([copy("copy", from, to)], record, memory)["copy"]!;
    for (const n of [0, 1, 5, 63, 1027]) {
      new Uint8Array(memory.buffer, source, n * memoryBytes[from]).forEach((_, i, all) => (all[i] = Math.imul(i, 197)));
      const y = new views[to](memory.buffer, target, n + 1).fill(99);
      run(source, target, n, 0, 1);
      const wanted = new views[to](n).map((_, i) => new views[from](memory.buffer, source, n)[i]!);
      expect([...y]).toEqual([...wanted, 99]);
    }
  });

  it("keeps block buffers apart in the scratch memory", () => {
    const k = new KernelBuilder("blocks", { doc: "through two block buffers" });
    const y = k.buffer("y", "i32", "write");
    const a = k.blockBuffer("a", "i8", "local", 5);
    const b = k.blockBuffer("b", "i32", "shared", 3);
    k.store(a, 4, block);
    k.store(b, 0, add(mul(block, 10), 7));
    k.store(y, block, add(k.load(a, 4), k.load(b, 0)));
    const kernel = k.finish();
    expect(scratchBytes([kernel])).toBe(128);
    instantiate([kernel], record, memory, 512)["blocks"]!(target, 0, 3);
    expect([...new Int32Array(memory.buffer, target, 3)]).toEqual([7, 18, 29]);
    const own = new ArrayBuffer(64);
    makeInterpreter([kernel], { checked: true }).launch("blocks", own, [0], [], 0, 3);
    expect([...new Int32Array(own, 0, 3)]).toEqual([7, 18, 29]);
  });

  it("refuses what WebAssembly has not got", () => {
    const emit = (body: string, threads = 1): unknown =>
      emitWasm([parseKernel(`kernel k threads ${threads} "" { buffer x: f32 readwrite ${body} }`)], record);
    expect(() => emit("x[0] = x[8]:f32x8")).toThrow(expect.objectContaining({ code: "MOE4501" }) as Error);
    expect(() => emit("x[@thread] = 1:f32", 64)).toThrow(expect.objectContaining({ code: "MOE4502" }) as Error);
  });
});
