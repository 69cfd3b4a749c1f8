/** Fragments that the registers of AMX do not take are refused when kernels are printed, which needs no such processor. */
import { expect, it } from "vitest";
import { parseKernel } from "../../compiler/4-schedule/kernel-parse.js";
import { verifyKernel } from "../../compiler/4-schedule/kernel-verify.js";
import { emitLlvm } from "../../compiler/5-emit/llvm/index.js";
import { x86v4, x86v4Amx, type Target } from "../../compiler/targets/index.js";

const print = (body: string, target: Target = x86v4Amx): string => {
  const kernel = parseKernel(`kernel k threads 1 "" {
  local a: bf16[1024]
  local b: i8[1024]
  local s: f32[512]
  local n: i32[512]
  ${body}\n}`);
  expect(verifyKernel(kernel)).toEqual([]);
  return emitLlvm([kernel], target);
};
const left = "fragment x = left bf16[16, 32]";
const right = "fragment y = right bf16[32, 16]";
const sum = "fragment z = sum f32[16, 16]";

it("takes what AMX has", () => {
  const loads =
    "load_fragment z = s[0] by 16 rows\nload_fragment x = a[0] by 32 rows\nload_fragment y = a[0] by 32 words";
  const rest = "multiply_fragments z = x, y\nstore_fragment s[0] by 16 rows = z";
  expect(print([sum, left, right, loads, rest].join("\n"))).toContain("tdpbf16ps");
});

it.each([
  ["left fragments that lie by columns", `${left}\nload_fragment x = a[0] by 16 columns`],
  ["right fragments that lie by rows", `${right}\nload_fragment y = a[0] by 16 rows`],
  ["right fragments that lie by columns", `${right}\nload_fragment y = a[0] by 32 columns`],
  ["sum fragments that lie by columns", `${sum}\nload_fragment z = s[0] by 16 columns`],
  ["sum fragments that lie by columns", `${sum}\nstore_fragment s[0] by 16 columns = z`],
  ["factors of i8", "fragment x = left i8[16, 64]\nload_fragment x = b[0] by 64 rows"],
  ["factors of f16", "fragment x = right f16[32, 16]"],
  ["sums of i32", "fragment z = sum i32[16, 16]\nstore_fragment n[0] by 16 rows = z"],
])("has no %s: %s", (lacks, body) => {
  expect(() => print(body)).toThrow(`AMX has no ${lacks}`);
});

it.each([left, "fragment x = left i8[16, 64]"])("a level without matrices has none: %s", (body) => {
  expect(() => print(body, x86v4)).toThrow(`${x86v4.name} has no matrices in registers`);
});
