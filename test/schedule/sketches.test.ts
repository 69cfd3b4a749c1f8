/** Kernels of products that are known by their sketches are those that would have been written. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { StorageType } from "../../compiler/2-graph/ir.js";
import { deriveLastToken } from "../../compiler/3-optimize/index.js";
import { schedule, type Schedule } from "../../compiler/4-schedule/index.js";
import { SketchedKernels } from "../../compiler/4-schedule/lower/product-sketch.js";
import { wasmRelaxed } from "../../compiler/targets/index.js";
import { tinyMoe } from "./tiny.js";

afterEach(() => vi.restoreAllMocks());

const formats: readonly StorageType[] = ["f32", "f16", "q8_0", "q4_0"];
// Columns of every matrix are whole blocks.
const sizes = { V: 40, L: 2, D: 64, G: 2, R: 2, C: 32, E: 5, F: 96, k: 2 };

describe.each(formats)("%s weights", (format) => {
  it("gives the same kernels and plan as writing each kernel anew", () => {
    // Two entries with the same layers.
    const program = deriveLastToken(tinyMoe(sizes));
    const scheduled = (): Schedule =>
      schedule(program, wasmRelaxed, {
        limits: { T: 61, context: 128 },
        storage: ({ contracted }) => (contracted === undefined ? "f32" : format),
      });
    const find = vi.spyOn(SketchedKernels.prototype, "find");
    const known = scheduled();
    expect(find.mock.results.filter(({ value }) => value !== undefined).length).toBeGreaterThan(0);
    find.mockReturnValue(undefined);
    expect(JSON.stringify(scheduled())).toBe(JSON.stringify(known));
  });
});
