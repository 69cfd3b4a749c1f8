import { defineConfig } from "vitest/config";

/** Tests with needs of their own, and configurations of their own: `npm run test:peers` and its like. */
const elsewhere = ["**/node_modules/**", "test/peers/**", "test/browser/**", "test/playground/**", "test/vscode/**"];

/**
 * Folders whose tests leave nothing behind in their process: no settings, no devices, no measured times. Their files run
 * in one process after the other, which has read and warmed the compiler once.
 */
const TOGETHER = [
  ...["axes", "build", "bundle", "check", "checkpoints", "cli", "docs", "emit", "errors", "examples", "grammar"],
  ...["graph", "kernels", "language", "onnx", "ops", "optimize", "recipe", "samples", "schedule", "structure"],
  "tokenizer",
];
const together = TOGETHER.map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Projects run in the order of their names: the long tests first, so that short ones fill the end.
    projects: [
      {
        extends: true,
        test: { name: "alone", include: ["test/**/*.test.ts"], exclude: [...elsewhere, ...together] },
      },
      { extends: true, test: { name: "together", include: together, exclude: elsewhere, isolate: false } },
    ],
  },
});
