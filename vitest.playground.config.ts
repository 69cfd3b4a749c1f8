/** The playground in a real browser: Chromium at /usr/bin/chromium, or where MOEC_CHROMIUM says. Builds it first. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/playground/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
