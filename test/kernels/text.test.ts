/** The text form of kernel IR round-trips, and the verifier accepts what the builder makes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseKernel, parseKernels } from "../../compiler/4-schedule/kernel-parse.js";
import { printKernel } from "../../compiler/4-schedule/kernel-print.js";
import { verifyKernel, verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { randomKernel } from "./random-kernel.js";

const tape = fc.array(fc.nat(1 << 20), { minLength: 5, maxLength: 300 });

describe("the text form of kernels", () => {
  it("reads back what it prints", () => {
    fc.assert(
      fc.property(tape, (numbers) => {
        const kernel = randomKernel(numbers, { fma: true, vectors: true });
        const text = printKernel(kernel);
        expect(parseKernel(text)).toEqual(kernel);
        expect(printKernel(parseKernel(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it("carries everything but the body too", () => {
    const text = `kernel sums threads 64 "a \\"doc\\"" {
  buffer x: f16 read
  buffer y: u8 readwrite
  scalar n: i32
  scalar s: f32
  shared tile: f32[256]
  local own: i8[7]
  prefetch x[((@block + 1) * 64)]
  tile[@thread] = x[((@block * 64) + @thread)]:f32
  barrier
  if (@thread == 0) then {
    var sum = -0:f32
    for i = 0 to min(n, 64) step 2 {
      set sum = (sum + tile[i]:f32)
    }
    y.i32[0] = convert.i32((sum * s))
  }
}
`;
    expect(printKernel(parseKernel(text))).toBe(text);
    expect(verifyKernel(parseKernel(text))).toEqual([]);
  });

  it.each([
    ["kernel k threads 1 {}", "line 1"],
    ['kernel k threads 1 "" { let x = y }', "y is not defined"],
    ['kernel k threads 1 "" {\n let x = (1 + 2:f32)\n}', "line 2"],
    ['kernel k threads 1 "" { let x = frobnicate(1) }', "frobnicate"],
    ['kernel k threads 1 "" { buffer b: f64 read }', "f64"],
    ['kernel k threads 1 "" { let x = 1 ', "ends too early"],
    ['kernel k threads 1 "" { let x = $ }', "unexpected"],
  ])("refuses %s", (text, part) => {
    expect(() => parseKernels(text)).toThrow(part);
  });
});

describe("the verifier", () => {
  const problems = (body: string, head = "threads 1"): readonly string[] =>
    verifyKernels(
      parseKernels(`kernel k ${head} "" {\n buffer x: f32 read\n buffer y: i32 write\n scalar n: i32\n${body}\n}`),
    );

  it("accepts random kernels", () => {
    fc.assert(
      fc.property(tape, (numbers) => {
        expect(verifyKernel(randomKernel(numbers, { fma: true, vectors: true }))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["x[0] = 1:f32", "declared read"],
    ["y[0] = y[0]:i32", "declared write"],
    ["y[0] = x[0]:i32", "does not fit"],
    ["y[x[0]:f32] = 1", "index of y is f32"],
    ["if (n < 1) then { let a = 1 }\n y[0] = a", "used where it is not defined"],
    ["let a = 1\n set a = 2", "no var in sight"],
    ["var a = 1\n set a = 2:f32", "value for a"],
    ["for i = 0 to n step 0 { }", "step 0"],
    ["let a = select(true, 1:f32x4, 2:f32x4)", "select does not take"],
    ["let a = splat.3(1)", "no power of two"],
    ["let a = fma(1, 2, 3)", "fma does not take"],
    ["let a = 1:i8", "scalar of i8"],
    ["atomic = add x[0], 1", "declared read"],
  ])("refuses %s", (body, part) => {
    expect(problems(body).join("\n")).toContain(part);
  });

  it.each([
    ["if (@thread < 2) then { barrier }", true],
    ["let t = (@thread + 1)\n for i = 0 to t step 1 { barrier }", true],
    ["var v = 0\n if (@thread == 0) then { set v = 1 }\n if (v == 1) then { barrier }", true],
    ["for i = 0 to n step 1 { barrier }", false],
    ["if (@block < n) then { barrier }", false],
    ["if (x[0]:f32 > 0:f32) then { barrier }", false],
  ])("sees whether all threads reach the barrier in %s", (body, diverges) => {
    expect(problems(body, "threads 8").some((problem) => problem.includes("barrier"))).toBe(diverges);
  });
});
