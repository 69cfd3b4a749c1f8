/** All of the library and of the examples on Dawn. `npm run test:stdlib:webgpu`, `npm run test:examples:webgpu`. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/stdlib/webgpu.test.ts", "test/webgpu/examples.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 300_000,
    env: { MOEC_LIBRARY: "all", MOEC_RAN: "stdlib/coverage/ran/webgpu" },
  },
});
