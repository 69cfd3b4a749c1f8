import { expect, it } from "vitest";
import { deviceText, whyNotText } from "../../runtime/device-text.js";

const wasm = { device: "wasm", threads: 2, relaxedSimd: true, quads: false };
const alone = { threads: 1, whyOneThread: "one was asked for" };
const gpu = { threads: 1, relaxedSimd: false };

it.each([
  [wasm, "wasm, 2 threads, relaxed SIMD on"],
  [{ ...wasm, quads: true }, "wasm, 2 threads, relaxed SIMD on, sums of four bytes"],
  [{ ...wasm, ...alone, relaxedSimd: false }, "wasm, 1 thread (one was asked for), relaxed SIMD off"],
  [{ device: "native", threads: 4, relaxedSimd: false, level: "x86-64-v3" }, "native, 4 threads, x86-64-v3"],
  [{ device: "cuda", ...gpu, gpu: "NVIDIA H100 80GB HBM3" }, "cuda, NVIDIA H100 80GB HBM3"],
  [{ device: "webgpu", ...gpu, gpu: "intel gen-12lp" }, "webgpu, intel gen-12lp"],
  [{ device: "interpreter", threads: 1, relaxedSimd: false }, "interpreter, 1 thread"],
])("%o is said as %s", (report, text) => expect(deviceText(report)).toBe(text));

it("says why better kernels do not run, the best device first", () => {
  const report = { ...wasm, whyNotNative: "no LLVM", whyNotWebgpu: "no adapter", whyNotCuda: "no driver" };
  expect(whyNotText(report)).toEqual(["no driver", "no LLVM", "no adapter"]);
  expect(whyNotText(wasm)).toEqual([]);
});
