/** GGUF models in several files against llama.cpp, which loads them from the first one. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openCheckpointFiles } from "../../cli/checkpoint-files.js";
import { memorySource, openCheckpoint } from "../../compiler/checkpoints/index.js";
import { imported, referenceRows, relativeError } from "../import/imported.js";
import { ggufParts } from "../support/gguf-parts.js";
import { llamaLogits, peerPackage } from "../support/peers.js";
import { tinyGguf } from "../support/tiny-checkpoints.js";

const hasLlama = peerPackage("node-llama-cpp") !== undefined;
const folder = mkdtempSync(join(tmpdir(), "moec-llama-parts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const IDS = [1, 300, 17, 42, 511, 3, 3, 260, 99, 128];
/** As in llama-parity.test.ts: both sides round each operation to f32 in their own order. */
const F32 = 1e-5;

describe.skipIf(!hasLlama).each([false, true])("with a first part of metadata alone: %s", (bareFirst) => {
  it("has the logits that llama.cpp has of the same files", async () => {
    const stem = `olmoe-${bareFirst}`;
    const model = openCheckpoint(memorySource(tinyGguf("olmoe", "f32")));
    const paths = Object.entries(ggufParts(model, 3, { stem, bareFirst })).map(([name, bytes]) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    });
    const opened = openCheckpointFiles([paths[1]!]);
    try {
      const found = referenceRows(await imported(opened.checkpoint), IDS);
      expect(relativeError(found, llamaLogits(paths[0]!, IDS).flat())).toBeLessThan(F32);
    } finally {
      opened.close();
    }
  });
});
