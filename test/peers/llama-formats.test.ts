/** Files in ggml's finer formats, computed on native code as they are, against llama.cpp on the same files. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ggufMetadata, familyTensors, type FamilyConfig } from "../../compiler/checkpoints/families/index.js";
import { fill } from "../../compiler/checkpoints/families/tensors.js";
import { memorySource, openCheckpoint, writeGguf, type TensorSource } from "../../compiler/checkpoints/index.js";
import type { KQuants } from "../../compiler/2-graph/ir.js";
import { routerParameters, storageInFile } from "../../cli/storage-choice.js";
import { imported, nativeModel, referenceRows, relativeError, wasmRows } from "../import/imported.js";
import { fineBlocks, fineFormats } from "../native-kernels/fine-blocks.js";
import { levels } from "../support/native.js";
import { llamaLogits, peerPackage } from "../support/peers.js";
import { tinyConfigs, tinyVocabulary } from "../support/tiny-checkpoints.js";

const hasLlama = peerPackage("node-llama-cpp") !== undefined;
const folder = mkdtempSync(join(tmpdir(), "moec-formats-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const IDS = [1, 300, 17, 42, 511, 3, 3, 260, 99, 128, 7, 70, 410, 5, 33, 2];
/** A prompt, then token by token: products of many rows and of one. */
const DECODE = [12, 1, 1, 1, 1];

/** Rows of whole super-blocks of 256. All experts are chosen, so that no narrow choice can fall the other way. */
const config: FamilyConfig = {
  ...tinyConfigs.mixtral,
  ...{ layers: 2, width: 256, heads: 4, kvHeads: 4, headWidth: 64, experts: 4, expertsPerToken: 4, expertWidth: 256 },
};

/**
 * Both engines multiply whole numbers: each product's input is rounded to steps of max / 127, by moec in groups of 256
 * columns, by llama.cpp in blocks of 256 or 32. Of 256 normal numbers the largest is 3 deviations, so that a step is
 * 3 / 127 of one, and rounding to it, evenly over the step, errs by step / sqrt(12): 6.8e-3 of the input and, errors of
 * columns being independent, of the product.
 */
const ROUNDED = 3 / 127 / Math.sqrt(12);
/**
 * In squares of that: attention adds two (values and output) to what comes in; gate and up multiply what comes in by
 * itself, which doubles its error and so makes its square fourfold, and add two; down adds one. Were each branch all of
 * the residual stream, an error v became 4 (v + 2) + 3 in a layer: 11, then 55 behind the second, and 56 with the output.
 */
const ONE = Math.sqrt(56) * ROUNDED;
/** Where both sides round by themselves. */
const BOTH = Math.SQRT2 * ONE;

/** A file whose matrices are blocks with every bit at random, its vectors ones. */
function fileOf(format: KQuants): Uint8Array {
  const tensors = familyTensors(config).map(({ rule, shape, layer }, number): TensorSource => {
    const count = shape.reduce((product, size) => product * size, 1);
    const name = fill(rule.gguf, layer);
    if (rule.matrix) return { name, shape, type: format, data: () => fineBlocks(format, count, number + 1).bytes };
    const { values } = fineBlocks("q6_K", Math.ceil(count / 256) * 256, number + 1);
    const floats = shape.length === 1 ? new Float32Array(count).fill(1) : values.slice(0, count);
    return { name, shape, type: "f32", data: () => new Uint8Array(floats.buffer) };
  });
  const metadata = new Map([...ggufMetadata(config, format), ...tinyVocabulary(config.vocab)]);
  return writeGguf({ metadata, tensors });
}

const largest = (row: readonly number[]): number => row.indexOf(Math.max(...row));

const [level] = levels;

describe.skipIf(!hasLlama || !level).each(fineFormats)("%s", (format) => {
  it("has llama.cpp's logits on native code, and its best token where the formats let it be told", async () => {
    const bytes = fileOf(format);
    const path = join(folder, `${format}.gguf`);
    writeFileSync(path, bytes);
    const rows = llamaLogits(path, IDS);
    const checkpoint = openCheckpoint(memorySource(bytes));
    const own = await imported(checkpoint);
    const storage = storageInFile(own.program, checkpoint, true);
    // Nothing is turned into another format on the way. The file's routers are f32.
    const routers = routerParameters(own.program);
    const matrices = own.program.params.filter(({ path, axes }) => axes.length > 2 && !routers.has(path));
    expect(new Set(matrices.map(({ path }) => storage(path)))).toEqual(new Set([format]));
    const exact = referenceRows(own, IDS);
    expect(relativeError(rows.flat(), exact)).toBeLessThan(ONE);
    using model = await nativeModel(own, level!, storage);
    const found = await wasmRows(model, IDS, DECODE);
    expect(relativeError(found, exact), "beside the reference").toBeLessThan(ONE);
    expect(relativeError(found, rows.flat()), "beside llama.cpp").toBeLessThan(BOTH);
    let told = 0;
    rows.forEach((row, t) => {
      const best = largest(row);
      const second = Math.max(...row.filter((_, id) => id !== best));
      const size = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length);
      // The difference of two logits errs by sqrt(2) times what one does; three deviations of that are not passed by chance.
      if (row[best]! - second < 3 * Math.SQRT2 * BOTH * size) return;
      told++;
      expect(largest([...found.subarray(t * row.length, (t + 1) * row.length)]), `token ${t}`).toBe(best);
    });
    expect(told).toBeGreaterThan(0);
  });
});
