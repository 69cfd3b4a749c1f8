/** Plans that a target cannot hold are refused with their sizes. */
import { describe, expect, it } from "vitest";
import { schedule } from "../../compiler/4-schedule/index.js";
import { wasmSimd, x86v3, type Target } from "../../compiler/targets/index.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
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
