import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("the coverage page is that of the declarations, and every row's test exists", () => {
  const script = fileURLToPath(new URL("../../scripts/generate-coverage.mjs", import.meta.url));
  expect(() => execFileSync(process.execPath, [script, "--check"], { stdio: "pipe" })).not.toThrow();
});
