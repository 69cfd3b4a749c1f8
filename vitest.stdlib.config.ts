/** The library at length: every declaration on wasm as on the reference, several random shapes each. `npm run test:stdlib`. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/stdlib/**/*.test.ts"],
    exclude: ["test/stdlib/webgpu.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    env: { MOEC_LIBRARY: "all" },
  },
});
