/** The examples, small: every entry gives as wasm what the reference gives. */
import { describe, expect, it } from "vitest";
import { buildProgram } from "../../compiler/2-graph/index.js";
import { compareEntry, paramsOf, specOf } from "./run-small.js";
import { smallExamples } from "./small.js";

describe.each(Object.entries(smallExamples))("%s", (name, example) => {
  const program = buildProgram(specOf(name), { sizes: example.sizes });
  it.each(program.entries.map((entry, index) => [entry.name, index] as const))("%s: wasm = reference", (_, index) => {
    const outputs = compareEntry(program, index, example, paramsOf(example));
    // Numbers, and not one number: a comparison of zeros or NaN would say nothing.
    const all = Object.values(outputs).flat();
    expect(all.every(Number.isFinite)).toBe(true);
    expect(all.length === 1 ? all[0] !== 0 : new Set(all).size > 1).toBe(true);
  });
});
