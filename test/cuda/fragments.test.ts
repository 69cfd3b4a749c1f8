/**
 * Fragments of kernel IR: text, verifier, interpreter, and printed as instructions of tensor cores. The harness plays
 * these with the registers of lanes as NVIDIA's manual lays them out, so a wrong lane gives wrong numbers.
 */
import { describe, expect, it } from "vitest";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { add, div, mul, rem, thread } from "../../compiler/4-schedule/kernel-expressions.js";
import type { FragmentOrder, Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { parseKernel } from "../../compiler/4-schedule/kernel-parse.js";
import { printKernel } from "../../compiler/4-schedule/kernel-print.js";
import { verifyKernel } from "../../compiler/4-schedule/kernel-verify.js";
import { emitCuda } from "../../compiler/5-emit/cuda/index.js";
import { emitWgsl } from "../../compiler/5-emit/wgsl/index.js";
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from "../../compiler/checkpoints/half.js";
import { cuda, webgpu } from "../../compiler/targets/index.js";
import { compileCuda } from "../../cli/nvcc.js";
import { numbers } from "../schedule/compare.js";
import { haveTools } from "../support/compiled.js";
import { compileCudaForCpu, hasCudaCpu, threadOrders } from "../support/cuda-cpu.js";

const side = 16;
/** Warps of the block; each has rows of its own. */
const warps = 2;
const threads = 32 * warps;
type Factor = "f16" | "bf16" | "i8";
const orders: readonly FragmentOrder[] = ["rows", "columns"];

interface Case {
  readonly element: Factor;
  readonly left: FragmentOrder;
  readonly right: FragmentOrder;
  readonly out: FragmentOrder;
  /** Whether rows are scaled at the end by the first scales. */
  readonly scaled?: boolean;
  /** Steps along the contracted axis. */
  readonly steps: number;
}

const cases: readonly Case[] = [
  ...(["f16", "bf16"] as const).flatMap((element) =>
    orders.flatMap((left) => orders.map((right) => ({ element, left, right, out: right, steps: 3 }))),
  ),
  { element: "i8", left: "rows", right: "columns", out: "rows", steps: 3 },
  { element: "bf16", left: "rows", right: "rows", out: "rows", steps: 2, scaled: true },
];
const depthOf = (element: Factor): number => (element === "i8" ? 32 : 16);
const nameOf = ({ element, left, right, out, scaled }: Case): string =>
  `multiply_${element}_${left}_${right}_${out}${scaled ? "_scaled" : ""}`;

/** out[32, 16] = left[32, K] right[K, 16], for integers also times a scale for each row, column and step. */
function product(test: Case): Kernel {
  const { element, steps } = test;
  const depth = depthOf(element);
  const all = depth * steps;
  const k = new KernelBuilder(nameOf(test), { doc: "out = left right", threads });
  const buffers = { left: k.buffer("left", element, "read"), right: k.buffer("right", element, "read") };
  const scales = k.buffer("scales", "f32", "read");
  const out = k.buffer("out", "f32", "write");
  /** Eight more elements to a line keep it aligned and its banks apart. */
  const pad = 16 / (element === "i8" ? 1 : 2);
  const [rows, columns] = [warps * side, side];
  const line = { left: test.left === "rows" ? all : rows, right: test.right === "rows" ? columns : all };
  const lines = { left: test.left === "rows" ? rows : all, right: test.right === "rows" ? all : columns };
  const shared = (["left", "right"] as const).map((which) => {
    const memory = k.blockBuffer(`own_${which}`, element, "shared", lines[which] * (line[which] + pad));
    k.loop("e", thread, lines[which] * line[which], threads, (e) =>
      k.store(memory, add(mul(div(e, line[which]), line[which] + pad), rem(e, line[which])), k.load(buffers[which], e)),
    );
    return { buffer: memory, stride: line[which] + pad, order: test[which] };
  });
  const own = k.blockBuffer("own_scales", "f32", "shared", steps * (rows + columns));
  k.loop("e", thread, steps * (rows + columns), threads, (e) => k.store(own, e, k.load(scales, e)));
  const sums = k.blockBuffer("sums", "f32", "shared", rows * columns);
  k.barrier();
  const warp = k.let("warp", div(thread, 32));
  const sum = k.fragment("sum", { role: "sum", element: "f32", rows: side, columns });
  const row = mul(warp, side);
  const left = k.fragment("left_part", { role: "left", element, rows: side, columns: depth });
  const right = k.fragment("right_part", { role: "right", element, rows: depth, columns });
  k.loop("step", 0, steps, 1, (step) => {
    const at = k.let("at", mul(step, depth));
    const [a, b] = shared as [(typeof shared)[number], (typeof shared)[number]];
    k.loadFragment(left, {
      ...a,
      index: test.left === "rows" ? add(mul(row, a.stride), at) : add(mul(at, a.stride), row),
    });
    k.loadFragment(right, { ...b, index: test.right === "rows" ? mul(at, b.stride) : at });
    if (element !== "i8") return k.multiplyFragments(sum, left, right);
    const part = k.fragment("part", { role: "sum", element: "i32", rows: side, columns });
    k.multiplyFragments(part, left, right);
    const line = k.let("scale_line", mul(step, rows + columns));
    k.scaleFragment(sum, part, { buffer: own, index: add(line, row) }, { buffer: own, index: add(line, rows) });
  });
  if (test.scaled) k.scaleFragmentRows(sum, { buffer: own, index: row });
  const [stride, start] = test.out === "rows" ? [columns, mul(warp, side * columns)] : [rows, mul(warp, side)];
  k.storeFragment(sum, { buffer: sums, index: start, stride, order: test.out });
  k.barrier();
  k.loop("e", thread, rows * columns, threads, (e) => k.store(out, e, k.load(sums, e)));
  return k.finish();
}

/** Each thread's number times three, added up over those that differ in bits 1 and 3 of it; and the first of them. */
function folds(): Kernel {
  const k = new KernelBuilder("across", { doc: "folds", threads });
  const out = k.buffer("out", "i32", "write");
  const sum = k.fold("sum", "add", mul(thread, 3), 10);
  const first = k.fold("first", "first", thread, 10);
  const most = k.fold("most", "max", thread, 10);
  k.store(out, mul(thread, 3), sum);
  k.store(out, add(mul(thread, 3), 1), first);
  k.store(out, add(mul(thread, 3), 2), most);
  return k.finish();
}

const kernels = [...cases.map(product), folds()];

describe("fragments", () => {
  it("are read back from their text, and are sound", () => {
    for (const kernel of kernels) {
      expect(verifyKernel(kernel)).toEqual([]);
      expect(parseKernel(printKernel(kernel))).toEqual(kernel);
    }
  });

  const parsed = (body: string, threads = 32): Kernel =>
    parseKernel(`kernel k threads ${threads} "" {
  shared a: f16[512]
  shared s: f32[512]
  fragment x = left f16[16, 16]
  fragment y = right f16[16, 16]
  fragment z = sum f32[16, 16]
  ${body}\n}`);
  const problems = (body: string, threads?: number): readonly string[] => verifyKernel(parsed(body, threads));
  it.each([
    ["load_fragment x = a[0] by 24 rows", 32, undefined],
    ["load_fragment x = a[(@thread / 32)] by 24 rows", 64, undefined],
    ["load_fragment x = a[@thread] by 24 rows", 32, "index of a fragment differs"],
    ["if (@thread < 3) then {\n multiply_fragments z = x, y\n}", 32, "in flow that differs"],
    ["if ((@thread / 32) < 3) then {\n multiply_fragments z = x, y\n}", 64, undefined],
    ["load_fragment x = s[0] by 24 rows", 32, "does not lie in s"],
    ["load_fragment x = a[0] by 8 rows", 32, "8 apart"],
    ["store_fragment s[0] by 24 rows = x", 32, "in a fragment-store"],
    ["multiply_fragments z = y, x", 32, "is not"],
    ["multiply_fragments x = y, q", 32, "no fragment"],
    ["fragment q = sum f16[16, 16]", 32, "is no sum"],
    ["scale_fragment z = z, s[0], s[16]", 32, "integers are scaled"],
    ["scale_fragment_rows z = s[8]", 32, undefined],
    ["scale_fragment_rows z = s[@thread]", 32, "index of a fragment differs"],
    ["scale_fragment_rows z = a[8]", 32, "scales are f32"],
    ["scale_fragment_rows x = s[8]", 32, "rows of floats are scaled"],
    ["fold add across 33 q = 1", 32, "nothing is folded across"],
    ["let q = 1", 48, "48 threads do not hold fragments"],
  ])("%s by %d threads", (body, threads, problem) => {
    if (problem === undefined) expect(problems(body, threads)).toEqual([]);
    else expect(problems(body, threads).join("\n")).toContain(problem);
  });

  it("are refused where a GPU has none", () => {
    expect(() => emitWgsl(kernels[0]!, webgpu)).toThrow(/WebGPU has no matrices in registers/);
    expect(() => emitWgsl(kernels.at(-1)!, webgpu)).toThrow(/WebGPU has no registers that threads hand each other/);
  });

  it.each([
    ["z = s[0] by 24 rows", /CUDA has no sums that are loaded/],
    ["y = a[0] by 48 words", /CUDA has no factors that lie in words/],
  ])("load_fragment %s is sound, and refused on CUDA", (load, problem) => {
    const body = `load_fragment ${load}`;
    expect(problems(body)).toEqual([]);
    expect(() => emitCuda([parsed(body)], cuda)).toThrow(problem);
  });
});

/** What a case multiplies, as memory has it and as numbers. */
function data(test: Case) {
  const depth = depthOf(test.element) * test.steps;
  const rows = warps * side;
  const encode = { f16: f32ToF16, bf16: f32ToBf16, i8: (x: number) => Math.round(x * 127) }[test.element];
  const decode = { f16: f16ToF32, bf16: bf16ToF32, i8: (bits: number) => bits }[test.element];
  const matrix = (seed: number, count: number) => numbers(seed, count).map(encode);
  const [left, right] = [matrix(1, rows * depth), matrix(2, depth * side)];
  const scales = numbers(3, test.steps * (rows + side)).map(Math.fround);
  const at = (which: "left" | "right", r: number, k: number): number =>
    which === "left"
      ? decode(left[test.left === "rows" ? r * depth + k : k * rows + r]!)
      : decode(right[test.right === "rows" ? k * side + r : r * depth + k]!);
  const memory = (values: readonly number[]): ArrayBufferView =>
    test.element === "i8" ? Int8Array.from(values) : Uint16Array.from(values);
  const expected = Array.from({ length: rows * side }, (_, e) => {
    const [r, c] = test.out === "rows" ? [Math.floor(e / side), e % side] : [e % rows, Math.floor(e / rows)];
    let sum = 0;
    for (let step = 0; step < test.steps; step++) {
      const line = step * (rows + side);
      const scale = test.element === "i8" ? scales[line + r]! * scales[line + rows + c]! : 1;
      const size = depth / test.steps;
      for (let k = step * size; k < (step + 1) * size; k++) sum += at("left", r, k) * at("right", c, k) * scale;
    }
    return test.scaled ? sum * scales[r]! : sum;
  });
  return { left: memory(left), right: memory(right), scales: Float32Array.from(scales), expected, depth };
}

/**
 * Halves: up to nine terms of at most `depth` (the sum so far) are cut by 2^-23 of the largest, and their sum once more,
 * for each eight columns. Bytes: sums are exact; each step has three roundings of a number up to 32 * 127^2, then one of
 * the sum.
 */
const bound = ({ element, steps }: Case, depth: number): number =>
  element === "i8" ? steps * 4 * (steps * 32 * 127 ** 2) * 2 ** -24 : (depth / 8) * 10 * depth * 2 ** -23;

function expectClose(found: Float32Array, expected: readonly number[], tolerance: number, label: string): void {
  const worst = Math.max(...expected.map((want, i) => Math.abs(found[i]! - want)));
  expect(worst, label).toBeLessThanOrEqual(tolerance);
}

describe("on the interpreter", () => {
  const interpreter = makeInterpreter(kernels, { checked: true });
  it.each(cases.map((test) => [nameOf(test), test] as const))("%s", (name, test) => {
    const { left, right, scales, expected, depth } = data(test);
    const memory = new ArrayBuffer(65536);
    const starts = [0, 16384, 32768, 40960];
    [left, right, scales].forEach((part, i) =>
      new Uint8Array(memory).set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), starts[i]),
    );
    interpreter.launch(name, memory, starts, [], 0, 1);
    expectClose(new Float32Array(memory, starts[3], expected.length), expected, bound(test, depth), name);
  });
});

describe.runIf(hasCudaCpu)("on tensor cores", () => {
  const compiled = compileCudaForCpu(kernels, cuda);
  it.each(cases.map((test) => [nameOf(test), test] as const))("%s", async (name, test) => {
    const { left, right, scales, expected, depth } = data(test);
    for (const order of threadOrders) {
      const out = new Float32Array(expected.length);
      (await compiled)[order](name, [left, right, scales, out], [], 0, 1);
      expectClose(out, expected, bound(test, depth), `${name} ${order}`);
    }
  });

  it("fold across bits of the number of a thread, as the interpreter does", async () => {
    const memory = new ArrayBuffer(threads * 12);
    makeInterpreter(kernels).launch("across", memory, [0], [], 0, 1);
    const expected = Array.from({ length: threads }, (_, i) => {
      const mine = Array.from({ length: threads }, (_, j) => j).filter((j) => ((i ^ j) & ~10) === 0);
      return [3 * mine.reduce((a, b) => a + b), mine[0]!, mine.at(-1)!];
    }).flat();
    expect([...new Int32Array(memory)]).toEqual(expected);
    for (const order of threadOrders) {
      const out = new Int32Array(threads * 3);
      (await compiled)[order]("across", [out], [], 0, 1);
      expect([...out], order).toEqual(expected);
    }
  });
});

describe.runIf(haveTools("nvcc"))("NVIDIA's compiler", () => {
  it("takes them", { timeout: 120_000 }, () => {
    const ptx = new TextDecoder().decode(compileCuda(emitCuda(kernels, cuda), { kind: "ptx", capability: 80 }).bytes);
    for (const wanted of ["f32.f16.f16.f32", "f32.bf16.bf16.f32", "s32.s8.s8.s32", "ldmatrix", "x4.trans"]) {
      expect(ptx).toContain(wanted);
    }
  });
});
