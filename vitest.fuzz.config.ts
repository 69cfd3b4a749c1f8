import { defineConfig } from "vitest/config";

/** The tests that search, with properties that run until their time is over: see `scripts/fuzz.mjs`. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    alias: [{ find: /^fast-check$/, replacement: new URL("test/fuzz/timed-fast-check.ts", import.meta.url).pathname }],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
