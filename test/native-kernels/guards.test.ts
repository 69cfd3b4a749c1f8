/**
 * Buffers of compiled kernels end at pages that nobody may touch (`guard.ts`); here a kernel that reads one number too
 * many is seen, in a process of its own, which it ends.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { hasNative } from "../support/native.js";

const path = (name: string): string => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));

/** Measures the text in the last byte of a guarded buffer by the C library's `strlen`: 0 ends at once, others go on behind it. */
const program = (fill: number): string => `
const { runnerImport } = await import("vite");
const { module: { guard } } = await runnerImport(${path("./guard.ts")});
const { module: { koffi } } = await runnerImport(${path("../../runtime/native/koffi.ts")});
const { bytes } = guard(new Uint8Array(100).fill(${fill}));
process.stdout.write("guarded ");
const length = koffi().load(null).func("size_t strlen(void* text)");
bytes[99] = ${fill};
process.stdout.write(String(length(bytes)));
process.exit(0);
`;

it.runIf(hasNative)("end a process that reads behind them, and no other", () => {
  const run = (fill: number) =>
    spawnSync(process.execPath, ["--input-type=module", "-e", program(fill)], {
      cwd: fileURLToPath(new URL("../../", import.meta.url)),
      encoding: "utf8",
    });
  expect(run(0)).toMatchObject({ status: 0, stdout: "guarded 0" });
  expect(run(1)).toMatchObject({ signal: "SIGSEGV", stdout: "guarded " });
});
