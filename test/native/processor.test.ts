/** Features that the processor has and this process may use, with a system that grants, refuses or can't be asked. */
import type fs from "node:fs";
import { beforeEach, expect, it, vi } from "vitest";

/** What the C library's `syscall` answers, -1 for a refusal; without an answer there is no library. */
interface System {
  flags: string;
  answer: number | undefined;
  asked: (readonly number[])[];
}
const system: System = { flags: "", answer: 0, asked: [] };
vi.mock("node:fs", async (original) => ({
  ...(await original<typeof fs>()),
  readFileSync: () => `processor : 0\nflags\t\t: ${system.flags}\nbugs\t\t:\n`,
}));
vi.mock("../../runtime/native/libc.js", () => ({
  libc: () => {
    const { answer, asked } = system;
    if (answer === undefined) throw new Error("koffi is not installed");
    return {
      syscall: (...args: readonly number[]): number => {
        asked.push(args);
        return answer;
      },
    };
  },
}));

// What is known of the processor is kept: each case takes the module anew.
beforeEach(() => vi.resetModules());

const withTiles = "avx2 amx_bf16 amx_tile";
const tiles = ["amx_bf16", "amx_tile"];
/** arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA), and an argument that it does not look at. */
const request = [158, 0x1023, 18, 0];

it.each([
  { name: "grants tiles", flags: withTiles, answer: 0, asked: [request], missing: [], refuses: false },
  { name: "refuses tiles", flags: withTiles, answer: -1, asked: [request], missing: tiles, refuses: true },
  { name: "can't be asked", flags: withTiles, answer: undefined, asked: [], missing: tiles, refuses: false },
  { name: "has no tiles to ask for", flags: "avx2", answer: -1, asked: [], missing: tiles, refuses: false },
])("a system that $name", async ({ flags, answer, asked, missing, refuses }) => {
  Object.assign(system, { flags, answer, asked: [] });
  const { missingFeatures, refusesTiles, whyWithout } = await import("../../runtime/native/processor.js");
  expect(missingFeatures(["avx2", "amx_bf16", "amx_tile"])).toEqual(missing);
  expect(refusesTiles()).toBe(refuses);
  expect(whyWithout(tiles)).toBe(
    `${refuses ? "the system does not let this process use" : "the processor lacks"} amx_bf16, amx_tile`,
  );
  expect(system.asked).toEqual(asked);
});
