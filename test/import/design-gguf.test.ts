/** Families with designs from GGUF files: the names of llama.cpp, and the math of the family as from Hugging Face. */
import { describe, expect, it } from "vitest";
import { designForward } from "./design-forward.js";
import { designGgufCheckpoint, ggufFamilies } from "./design-gguf.js";
import { designTensors } from "./designs.js";
import { imported, referenceRows, relativeError } from "./imported.js";

const IDS = [1, 300, 17, 42, 311, 3, 3, 260, 99, 128];
const DECODE = [7, 1, 1, 1];

/** As in designs.test.ts. */
const F32 = 4e-5;

describe.each(Object.entries(ggufFamilies))("%s", (_, family) => {
  // On wasm and against llama.cpp itself: test/peers/llama-designs.test.ts.
  it("is its family's math from a GGUF file", async () => {
    const expected = designForward(family.config, designTensors(family.config), IDS);
    const model = await imported(designGgufCheckpoint(family));
    expect(relativeError(referenceRows(model, IDS), expected)).toBeLessThan(F32);
    expect(relativeError(referenceRows(model, IDS, DECODE), expected)).toBeLessThan(F32);
  });
});

it("names the file's own key of a number that can't be", () => {
  const phi = ggufFamilies["phi-3.5-moe"]!;
  const keys = { ...phi.keys, "rope.scaling.attn_factor": 0 };
  expect(() => designGgufCheckpoint({ ...phi, keys })).toThrow("`phimoe.rope.scaling.attn_factor` is 0, not above 0");
});
