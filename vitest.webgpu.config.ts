/** The library on WebGPU: every declaration on Dawn as on the reference. `npm run test:stdlib:webgpu`. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/stdlib/webgpu.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 600_000,
    env: { MOEC_LIBRARY: "all", MOEC_RAN: "stdlib/coverage/ran/webgpu" },
  },
});
