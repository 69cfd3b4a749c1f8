/** Families with designs against llama.cpp, which loads the same GGUF files: logits at every position. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { memorySource, openCheckpoint } from "../../compiler/checkpoints/index.js";
import { deepGgufFamilies, designGguf, ggufFamilies } from "../import/design-gguf.js";
import { imported, referenceRows, relativeError, wasmModel, wasmRows } from "../import/imported.js";
import { llamaLogits, peerPackage } from "../support/peers.js";

const hasLlama = peerPackage("node-llama-cpp") !== undefined;
const folder = mkdtempSync(join(tmpdir(), "moec-designs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const IDS = [1, 300, 17, 42, 311, 3, 3, 260, 99, 128];
const DECODE = [7, 1, 1, 1];

/** As in test/import/designs.test.ts: both sides round each operation to f32 in their own order. */
const F32 = 4e-5;

const families = Object.entries({ ...ggufFamilies, ...deepGgufFamilies });

describe.skipIf(!hasLlama).each(families.filter(([, { differs }]) => differs === undefined))("%s", (name, family) => {
  it("has llama.cpp's logits, on the reference evaluator and on wasm", async () => {
    const bytes = designGguf(family);
    const path = join(folder, `${name.replaceAll(" ", "-")}.gguf`);
    writeFileSync(path, bytes);
    const rows = llamaLogits(path, IDS).flat();
    const model = await imported(openCheckpoint(memorySource(bytes)));
    expect(relativeError(referenceRows(model, IDS), rows)).toBeLessThan(F32);
    using wasm = await wasmModel(model);
    expect(relativeError(await wasmRows(wasm, IDS, DECODE), rows)).toBeLessThan(F32);
  });
});

describe.skipIf(!hasLlama).each(families.filter(([, { differs }]) => differs !== undefined))("%s", (name, family) => {
  it(`loads there, which computes ${family.differs!}`, () => {
    const path = join(folder, `${name.replaceAll(" ", "-")}.gguf`);
    writeFileSync(path, designGguf(family));
    expect(llamaLogits(path, IDS).flat().every(Number.isFinite)).toBe(true);
  });
});
