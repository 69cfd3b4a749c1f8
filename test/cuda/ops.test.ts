/**
 * Every op on CUDA: the tests of the schedules once more, with kernels printed as CUDA C++ and run on the CPU; those of
 * attention and selection with `MOEC_CUDA=all`, as their kernels are in the library's tests and in the model's. The
 * library's tests run so with `MOEC_TARGET=cuda npx vitest run test/stdlib/wasm.test.ts`.
 */
import { describe } from "vitest";
import { hasCudaCpu } from "../support/cuda-cpu.js";

process.env["MOEC_TARGET"] = "cuda";

if (hasCudaCpu) {
  await import("../schedule/ops.test.js");
  await import("../schedule/routes.test.js");
  if (process.env["MOEC_CUDA"] === "all") {
    await import("../schedule/selection.test.js");
    await import("../schedule/attend.test.js");
  }
} else {
  describe.skip("every op on CUDA", () => undefined);
}
