/** The library on CUDA: every declaration, printed, compiled and run on the processor. `npm run test:stdlib:cuda`. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/stdlib/wasm.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 600_000,
    env: { MOEC_TARGET: "cuda", MOEC_LIBRARY: "all", MOEC_ROUNDS: "1", MOEC_RAN: "stdlib/coverage/ran/cuda" },
  },
});
