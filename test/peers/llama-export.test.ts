/** Files of `moec export` in llama.cpp: the logits of the checkpoint that they were made of, and the ids of its tokenizer. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { memorySource, openCheckpoint } from "../../compiler/checkpoints/index.js";
import type { FamilyConfig } from "../../compiler/checkpoints/families/index.js";
import { loadTokenizer, tokenizerFromGguf } from "../../runtime/tokenizer/index.js";
import { moec } from "../cli/io.js";
import { hfOf } from "../import/configs.js";
import { exportedDesigns } from "../import/design-gguf.js";
import { designCheckpoint, designTensors } from "../import/designs.js";
import { designFolder, exportable, familyTokenizer, hfFolder } from "../import/hf-folder.js";
import { imported, referenceRows, relativeError } from "../import/imported.js";
import { llamaLogits, llamaTokens, peerPackage } from "../support/peers.js";
import { tinyConfigs } from "../support/tiny-checkpoints.js";

const hasLlama = peerPackage("node-llama-cpp") !== undefined;
const cwd = mkdtempSync(join(tmpdir(), "moec-llama-export-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const IDS = [1, 300, 17, 42, 511, 3, 3, 260, 99, 128, 7, 70, 410, 5, 33, 2];
/** As in llama-parity.test.ts: both sides round each operation to f32 in their own order. */
const F32 = 1e-5;
/** As in test/import/designs.test.ts. */
const DESIGNS_F32 = 4e-5;
const TEXTS = ["the quick brown fox", "12345 can't\n\n é  x  the", "かな the 7"];

async function exported(name: string, config: FamilyConfig, ...more: readonly string[]): Promise<string> {
  const folder = name.replaceAll(" ", "-");
  hfFolder(join(cwd, folder), config);
  const out = join(cwd, `${folder}.gguf`);
  const { code, err } = await moec(["export", folder, "-o", out, ...more], { cwd });
  expect(code, err).toBe(0);
  return out;
}

describe.skipIf(!hasLlama).each(exportable)("%s", (name, config) => {
  it("loads, with the logits of the safetensors and the ids of the tokenizer.json", async () => {
    const path = await exported(name, config);
    const hf = hfOf(config);
    const expected = referenceRows(await imported(hf.checkpoint, hf.config), IDS);
    expect(relativeError(llamaLogits(path, IDS).flat(), expected)).toBeLessThan(F32);
    // NFC is the tokenizer's own step, which llama.cpp does not do: these texts are in it.
    const tokenizer = loadTokenizer({ tokenizer: familyTokenizer(config) });
    const found = llamaTokens(path, TEXTS);
    TEXTS.forEach((text, i) => {
      expect(found[i], text).toEqual(tokenizer.encode(text, { addSpecial: false }));
    });
  });
});

describe.skipIf(!hasLlama).each(exportedDesigns)("%s", (name, { config }) => {
  it("loads, with the logits of the safetensors", async () => {
    const folder = name.replaceAll(" ", "-");
    designFolder(join(cwd, folder), config);
    const out = join(cwd, `${folder}.gguf`);
    const { code, err } = await moec(["export", folder, "-o", out], { cwd });
    expect(code, err).toBe(0);
    const ids = IDS.filter((id) => id < Number(config["vocab_size"]));
    const expected = referenceRows(await imported(designCheckpoint(designTensors(config)), config), ids);
    expect(relativeError(llamaLogits(out, ids).flat(), expected)).toBeLessThan(DESIGNS_F32);
  });
});

describe.skipIf(!hasLlama).each(["f16", "bf16", "q8_0", "q4_0"] as const)("olmoe in %s", (type) => {
  it("loads with the numbers that moec reads from the same file", async () => {
    // All experts are chosen, so that no narrow choice can fall the other way.
    const path = await exported(`as ${type}`, { ...tinyConfigs.olmoe, experts: 8 }, "--quantization", type);
    const checkpoint = openCheckpoint(memorySource(readFileSync(path)));
    const found = referenceRows(await imported(checkpoint), IDS);
    // llama.cpp rounds inputs of products to 8 bits beside q8_0 and q4_0, as derived in llama-parity.test.ts; to f16 (2^-11)
    // or bf16 (2^-8) beside these: nine products one behind the other, each rounded input off by at most that.
    const most = { f16: 9 * 2 ** -11, bf16: 9 * 2 ** -8, q8_0: 6 * (2 / 440), q4_0: 6 * (2 / 440) }[type];
    expect(relativeError(llamaLogits(path, IDS).flat(), found)).toBeLessThan(most);
    expect(loadTokenizer(tokenizerFromGguf(checkpoint.metadata)).vocabSize).toBe(tinyConfigs.olmoe.vocab);
  });
});
