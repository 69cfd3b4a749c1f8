/** What the engine is asked to compile, where it may not compile anything. */
import { afterEach, expect, it, vi } from "vitest";
import { nodeHost } from "../../runtime/node/host.js";
import { areExactQuads, QUAD_PRODUCTS, wasmFeatures } from "../../runtime/wasm/features.js";

afterEach(() => vi.restoreAllMocks());

it("a page that may not compile code has no exact sums of four, and no other error than that of its kernels", () => {
  nodeHost().enableRelaxedSimd();
  const before = wasmFeatures();
  const compile = vi.spyOn(WebAssembly, "Module").mockImplementation(function () {
    throw new WebAssembly.CompileError("Refused to compile: 'wasm-eval' is not allowed");
  });
  expect(wasmFeatures()).toEqual({ ...before, quads: false });
  expect(compile).toHaveBeenCalledTimes(1);
});

it("sums of four are exact when all are, by one reading of bytes", () => {
  const read = (byte: (b: number) => number): number[] => QUAD_PRODUCTS.map(([a, b]) => 4 * a * byte(b) + 1);
  expect(areExactQuads(read((b) => b))).toBe(true);
  expect(areExactQuads(read((b) => b - 256))).toBe(true);
  expect(areExactQuads(read((b) => b & 127))).toBe(false);
  expect(areExactQuads(QUAD_PRODUCTS.map(([a, b], i) => 4 * a * (i === 0 ? b - 256 : b) + 1))).toBe(false);
  // Two pairs that stop at the ends of 16 bits each.
  const saturated = (x: number): number => Math.min(32767, Math.max(-32768, x));
  expect(areExactQuads(QUAD_PRODUCTS.map(([a, b]) => 2 * saturated(2 * a * b) + 1))).toBe(false);
});
