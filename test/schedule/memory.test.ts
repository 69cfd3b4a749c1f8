/** Plans that a target cannot hold are refused with their sizes. */
import { describe, expect, it } from "vitest";
import { schedule } from "../../compiler/4-schedule/index.js";
import type { StorageType } from "../../compiler/2-graph/ir.js";
import { cuda, wasmRelaxed, wasmSimd, x86v3, type Target } from "../../compiler/targets/index.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { axis, f32, param, program } from "./programs.js";
import { smallest, tinyMoe } from "./tiny.js";

const options = { limits: { T: 4, context: 8 } };

function refusal(target: Target): MoecError {
  try {
    schedule(tinyMoe(smallest), target, options);
  } catch (error) {
    if (error instanceof MoecError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a plan that is too large", () => {
  it("is refused with the sizes of its spaces, which together are what it needs", () => {
    const { spaces } = schedule(tinyMoe(smallest), wasmSimd, options).plan;
    const needed = spaces.weights + spaces.state + spaces.arena + spaces.io;
    const error = refusal({ ...wasmSimd, memoryBytes: needed - 1 });
    expect(error.code).toBe("MOE3302");
    for (const size of [needed, needed - 1, spaces.weights, spaces.state, spaces.arena, spaces.io])
      expect(error.message).toContain(String(size));
    expect(schedule(tinyMoe(smallest), { ...wasmSimd, memoryBytes: needed }, options).plan.spaces).toEqual(spaces);
  });

  it("is told of native kernels when it does not fit a WebAssembly memory only", () => {
    expect(refusal({ ...wasmSimd, memoryBytes: 1 }).help).toContain("--target native");
    expect(refusal({ ...x86v3, memoryBytes: 1 }).help).toBeUndefined();
  });
});

describe("a layer with more numbers than kernels count", () => {
  const unlimited = (target: Target): Target => ({ ...target, memoryBytes: Number.MAX_SAFE_INTEGER });
  /** One matrix of so many rows of 4096. */
  const compile = (rows: number, target: Target, storage: StorageType): void => {
    const [T, C, V] = [axis("T"), axis("C", 4096), axis("V", rows)];
    const one = program({
      inputs: { x: f32(T, C) },
      params: [param("w", [C, V])],
      build: (scope, [x], p) => [scope.one("contract", [x!, p("w")], { over: ["C"] })],
    });
    schedule(one, unlimited(target), { ...options, storage: () => storage });
  };
  const numbers = 2 ** 31;

  it.each([
    ["f32", wasmRelaxed, numbers],
    ["f32", x86v3, numbers],
    ["bf16", x86v3, numbers],
    // 34 bytes of 32 numbers, 18 of 32.
    ["q8_0", x86v3, (numbers / 34) * 32],
    ["q4_0", x86v3, (numbers / 18) * 32],
    ["f32", cuda, numbers],
  ] as const)("is refused in %s on $1.name, half as many are not", (storage, target, most) => {
    // Tiles are whole: 64 rows more than fit.
    const rows = Math.ceil(most / 4096 / 64 + 1) * 64;
    const code = expect.objectContaining({ code: "MOE3305" }) as Error;
    expect(() => compile(rows, target, storage)).toThrow(code);
    expect(() => compile(rows, target, storage)).toThrow(/`weights:w` has \d+ bytes/);
    expect(() => compile(Math.ceil(rows / 128) * 64, target, storage)).not.toThrow();
  });

  it("is found on WebAssembly by addresses that wrap, where its numbers are bytes", () => {
    expect(() => compile(2 ** 19 + 2 ** 17, wasmRelaxed, "q8_0")).not.toThrow();
  });
});
