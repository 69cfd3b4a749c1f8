/** Features that the processor has and this process may use, with a system that grants, refuses or can't be asked. */
import type fs from "node:fs";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

const system = { flags: "", syscall: (): number => 0 };
vi.mock("node:fs", async (original) => ({
  ...(await original<typeof fs>()),
  readFileSync: () => `processor : 0\nflags\t\t: ${system.flags}\nbugs\t\t:\n`,
}));
vi.mock("../../runtime/native/libc.js", () => ({
  libc: () => {
    if (system.syscall === absent) throw new Error("koffi is not installed");
    return { syscall: system.syscall };
  },
}));
const absent = (): number => 0;

// What is known of the processor is kept: each case takes the module anew.
beforeEach(() => vi.resetModules());
afterEach(() => vi.clearAllMocks());

it.each([
  { name: "grants tiles", flags: "avx2 amx_bf16 amx_tile", syscall: () => 0, missing: [], refuses: false },
  {
    ...{ name: "refuses tiles", flags: "avx2 amx_bf16 amx_tile", syscall: () => -1 },
    ...{ missing: ["amx_bf16", "amx_tile"], refuses: true },
  },
  {
    ...{ name: "can't be asked", flags: "avx2 amx_bf16 amx_tile", syscall: absent },
    ...{ missing: ["amx_bf16", "amx_tile"], refuses: false },
  },
  {
    ...{ name: "has no tiles to ask for", flags: "avx2", syscall: () => -1 },
    ...{ missing: ["amx_bf16", "amx_tile"], refuses: false },
  },
])("a system that $name", async ({ flags, syscall, missing, refuses }) => {
  Object.assign(system, { flags, syscall });
  const { missingFeatures, refusesTiles } = await import("../../runtime/native/processor.js");
  expect(missingFeatures(["avx2", "amx_bf16", "amx_tile"])).toEqual(missing);
  expect(refusesTiles()).toBe(refuses);
});
