/** The extension in a real VS Code workbench in Chromium (/usr/bin/chromium, or where MOEC_CHROMIUM says). */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/vscode/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
