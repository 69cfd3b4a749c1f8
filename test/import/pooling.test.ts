/** Sentence encoders: how their files say that one vector is made of those of the tokens. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  type Checkpoint,
  memorySource,
  type MetadataValue,
  openCheckpoint,
  writeGguf,
} from "../../compiler/checkpoints/index.js";
import { codeOf } from "../checkpoints/coded.js";
import { moec } from "../cli/io.js";
import { configs, ggufBytes, hfOf } from "./configs.js";
import { hfFolder, sentencePieceTokenizer } from "./hf-folder.js";
import { imported, referenceRows, relativeError, wasmModel, wasmRows } from "./imported.js";
import { sentencePooling } from "../../compiler/checkpoints/import/pooling.js";

const cwd = mkdtempSync(join(tmpdir(), "moec-pooling-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const config = configs["bert"]!;
const IDS = [1, 300, 17, 42, 3, 99];
const module = (kind: string, path: string): object => ({ path, type: `sentence_transformers.models.${kind}` });
const modules = [module("Transformer", ""), module("Pooling", "1_Pooling"), module("Normalize", "2_Normalize")];
const mean = { word_embedding_dimension: 64, pooling_mode_cls_token: false, pooling_mode_mean_tokens: true };
const cls = { word_embedding_dimension: 64, pooling_mode_cls_token: true, pooling_mode_mean_tokens: false };

/** Vectors of all tokens, [T, D]. */
async function tokenVectors(): Promise<Float64Array> {
  const hf = hfOf(config);
  return referenceRows(await imported(hf.checkpoint, hf.config), IDS);
}

const pooled = (rows: Float64Array, kind: "mean" | "cls"): Float64Array => {
  const { width } = config;
  return Float64Array.from({ length: width }, (_, d) => {
    if (kind === "cls") return rows[d]!;
    return IDS.reduce((sum, _id, t) => sum + rows[t * width + d]!, 0) / IDS.length;
  });
};
const unit = (vector: Float64Array): Float64Array => {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
};
/** As in math.test.ts: each operation rounded to f32. */
const F32 = 1e-5;

describe.each([
  ["the mean", { pooling: mean }, "mean", false],
  ["the mean, of length 1", { modules, pooling: mean }, "mean", true],
  ["the first token, of length 1", { modules, pooling: cls }, "cls", true],
  ["the first token in newer files", { pooling: { pooling_mode: "cls" } }, "cls", false],
] as const)("%s", (_, sentences, kind, normalize) => {
  it("is the vector of a text, on the reference evaluator and on wasm", async () => {
    const vector = pooled(await tokenVectors(), kind);
    const expected = normalize ? unit(vector) : vector;
    const hf = hfOf(config);
    const model = await imported(hf.checkpoint, hf.config, undefined, sentences);
    expect(relativeError(referenceRows(model, IDS), expected)).toBeLessThan(F32);
    using wasm = await wasmModel(model);
    expect(relativeError(await wasmRows(wasm, IDS), expected)).toBeLessThan(F32);
  });
});

const withPooling = (type: number): Checkpoint => {
  const file = openCheckpoint(memorySource(ggufBytes(config)));
  const key: MetadataValue = { type: "u32", value: type };
  const tensors = [...file.tensors.values()].map(({ name, shape, type: stored }) => ({
    name,
    shape,
    type: stored,
    data: () => file.read(name),
  }));
  return openCheckpoint(
    memorySource(writeGguf({ metadata: new Map([...file.metadata, ["bert.pooling_type", key]]), tensors })),
  );
};

it("is read from GGUF files", async () => {
  const rows = await tokenVectors();
  const found = async (type: number): Promise<Float64Array> => referenceRows(await imported(withPooling(type)), IDS);
  expect(relativeError(await found(0), rows)).toBeLessThan(F32);
  expect(relativeError(await found(1), pooled(rows, "mean"))).toBeLessThan(F32);
  expect(relativeError(await found(2), pooled(rows, "cls"))).toBeLessThan(F32);
  await expect(imported(withPooling(3))).rejects.toThrow("`bert.pooling_type` is 3");
});

it("is found in the folder of a sentence encoder", async () => {
  const folder = join(cwd, "encoder");
  hfFolder(folder, config, sentencePieceTokenizer(config.vocab));
  mkdirSync(join(folder, "1_Pooling"));
  writeFileSync(join(folder, "modules.json"), JSON.stringify(modules));
  const said = async (): Promise<string> => (await moec(["import", "encoder", "--force"], { cwd })).err;
  expect(await said()).toMatch(/MOE5123.*1_Pooling.config\.json.*modules\.json names/);
  writeFileSync(join(folder, "1_Pooling", "config.json"), JSON.stringify(mean));
  expect(await said()).toBe("");
  const spec = readFileSync(join(cwd, "encoder", "encoder.moe"), "utf8");
  expect(spec).toContain("over: T)");
  expect(spec).toContain("-> f32[D]");
});

it.each(["qwen3", "llama"])("is not read for %s, which writes text", async (family) => {
  const own = configs[family]!;
  hfFolder(join(cwd, family), own, sentencePieceTokenizer(own.vocab));
  const run = async (): Promise<{ code: number; err: string }> => moec(["import", family, "--force"], { cwd });
  for (const text of [JSON.stringify(modules), '{ "another": "form" }']) {
    writeFileSync(join(cwd, family, "modules.json"), text);
    expect(await run()).toMatchObject({ code: 0, err: "" });
  }
  mkdirSync(join(cwd, family, "1_Pooling"));
  writeFileSync(join(cwd, family, "1_Pooling", "config.json"), JSON.stringify({ pooling_mode_lasttoken: true }));
  const { code, err } = await run();
  expect(code).toBe(0);
  expect(err).toMatch(/one vector.*1_Pooling/);
});

it("refuses what it does not know", () => {
  const code = (files: object): string => codeOf(() => sentencePooling(files));
  expect(code({ pooling: { ...mean, pooling_mode_cls_token: true } })).toBe("MOE5121");
  expect(code({ pooling: { pooling_mode_max_tokens: true } })).toBe("MOE5121");
  expect(code({ pooling: { pooling_mode: "lasttoken" } })).toBe("MOE5121");
  expect(code({ modules: [...modules, module("Dense", "3_Dense")], pooling: mean })).toBe("MOE5121");
  expect(code({ modules: [{}], pooling: mean })).toBe("MOE5120");
  expect(sentencePooling({})).toBeUndefined();
});
