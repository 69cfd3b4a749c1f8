/**
 * Ops on CUDA: the tests of the schedules once more, with kernels printed as CUDA C++ and run on the CPU; those of
 * selection with `MOEC_CUDA=all`. The library's tests run so with `MOEC_TARGET=cuda npx vitest run test/stdlib/wasm.test.ts`.
 */
import { describe } from "vitest";
import { hasCudaCpu } from "../support/cuda-cpu.js";

process.env["MOEC_TARGET"] = "cuda";

if (hasCudaCpu) {
  await import("../schedule/ops.test.js");
  await import("../schedule/routes.test.js");
  await import("../schedule/attend.test.js");
  if (process.env["MOEC_CUDA"] === "all") await import("../schedule/selection.test.js");
} else {
  describe.skip("ops on CUDA", () => undefined);
}
