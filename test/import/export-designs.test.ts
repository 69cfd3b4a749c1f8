/** `moec export` of families with designs to GGUF: the keys that readers know, and the same model behind the way back. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { DESIGN_WRITERS } from "../../compiler/checkpoints/export-gguf/design-writers.js";
import { GGUF_MODELS } from "../../compiler/checkpoints/export-gguf/names.js";
import { READERS } from "../../compiler/checkpoints/export-gguf/readers.js";
import { FAMILIES } from "../../compiler/checkpoints/families/detect.js";
import { memorySource, openCheckpoint } from "../../compiler/checkpoints/index.js";
import { DESIGNED } from "../../compiler/checkpoints/import/designs/index.js";
import { moec } from "../cli/io.js";
import { exportedDesigns, ggufFamilies, metadataOfFamily } from "./design-gguf.js";
import { designCheckpoint, designConfigs, designTensors, type Json } from "./designs.js";
import { designFolder } from "./hf-folder.js";
import { imported, referenceRows, relativeError } from "./imported.js";

const cwd = mkdtempSync(join(tmpdir(), "moec-export-designs-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const IDS = [1, 300, 17, 42, 311, 3, 3, 260, 99, 128];

async function exported(
  name: string,
  config: Json,
  ...more: readonly string[]
): Promise<{ code: number; err: string }> {
  designFolder(join(cwd, name), config);
  return moec(["export", name, "-o", `${name}.gguf`, ...more], { cwd });
}

// The 27 layers of V2-Lite: test/peers/llama-export.test.ts.
describe.each(exportedDesigns.filter(([name]) => name !== "deepseek-v2-lite"))("%s", (name, family) => {
  const folder = name.replaceAll(" ", "-");

  it("has the keys of its architecture, and the same logits behind the way through GGUF", async () => {
    const { code, err } = await exported(folder, family.config);
    expect(code, err).toBe(0);
    const file = openCheckpoint(memorySource(readFileSync(join(cwd, `${folder}.gguf`))));
    for (const [key, value] of metadataOfFamily(family)) {
      // The name and the tokenizer are the folder's; DBRX has norms with a mean, which have a key of their own.
      if (/^(general\.name|tokenizer\..*|dbrx\.attention\.layer_norm_rms_epsilon)$/.test(key)) continue;
      const stored = value.type === "f32" ? { ...value, value: Math.fround(value.value) } : value;
      expect(file.metadata.get(key), key).toEqual(stored);
    }
    const expected = referenceRows(await imported(designCheckpoint(designTensors(family.config)), family.config), IDS);
    const found = referenceRows(await imported(file), IDS);
    // The same numbers in the same formulas; a joined projection adds the same products in the same order.
    expect(relativeError(found, expected)).toBeLessThan(1e-6);
  });
});

it("stores matrices as they are asked for, and what readers take in f32 in f32", async () => {
  const name = "lfm2-in-q8";
  expect((await exported(name, ggufFamilies["lfm2-moe"]!.config, "--quantization", "q8_0")).code).toBe(0);
  const { tensors } = openCheckpoint(memorySource(readFileSync(join(cwd, `${name}.gguf`))));
  for (const { name: tensor, shape, type } of tensors.values()) {
    const isPlain = shape.length === 1 || /ffn_gate_inp|shortconv\.conv/.test(tensor);
    expect(type, tensor).toBe(isPlain ? "f32" : "q8_0");
  }
});

describe("refuses", () => {
  const changed = (name: string, changes: Json): Json => ({ ...ggufFamilies[name]!.config, ...changes });
  it.each<[string, string, RegExp, Json]>([
    ["experts chosen by groups in V2", "MOE5128", /groups: 4/, designConfigs["deepseek-v2"]!],
    ["queries without a latent in few layers", "MOE5121", /q_lora_rank/, designConfigs["deepseek-v2-lite"]!],
    ["queries with a latent in 26 layers", "MOE5121", /q_lora_rank.*48/, changed("deepseek-v3", { num_hidden_layers: 26, q_lora_rank: 48 })], // prettier-ignore
    ["chunks of another length", "MOE5128", /Chunked\(8\)/, changed("llama-4", { attention_chunk_size: 8 })],
    ["another growth of queries", "MOE5128", /0\.2/, changed("llama-4", { attn_scale: 0.2 })],
    ["windows of another width", "MOE5121", /sliding_window_size/, changed("smallthinker", { sliding_window_size: 6 })],
    ["weights that are scaled", "MOE5128", /scale: 2/, changed("lfm2-moe", { routed_scaling_factor: 2 })],
    ["clamps of another height", "MOE5121", /swiglu_limit/, changed("gpt-oss", { swiglu_limit: 5 })],
    ["windows in other layers", "MOE5128", /l [<=%]/, changed("gpt-oss", { layer_types: ["full_attention", ...new Array<string>(3).fill("sliding_attention")] })], // prettier-ignore
    ["positions that no key stretches", "MOE5128", /Llama3RoPE/, changed("granite", { rope_scaling: { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 } })], // prettier-ignore
    ["a family that readers compute otherwise", "MOE5125", /phimoe/, designConfigs["phi-3.5-moe"]!],
  ])("%s", async (name, code, words, config) => {
    const folder = `refused-${name.replaceAll(" ", "-")}`;
    const { code: exit, err } = await exported(folder, config);
    expect(err).toContain(code);
    expect(err).toMatch(words);
    expect(exit).toBe(3);
    expect(existsSync(join(cwd, `${folder}.gguf`))).toBe(false);
  });
});

it.each(["deepseek-v2-lite", "deepseek-v3"])("writes %s with 26 layers and no latent, with a note", async (name) => {
  const config = { ...designConfigs[name]!, q_lora_rank: null, num_hidden_layers: 26 };
  const { code, err } = await exported(`${name}-26`, config);
  expect(code, err).toBe(0);
  expect(err).toMatch(/before December 2025.*26 layers/);
  const { tensors } = openCheckpoint(memorySource(readFileSync(join(cwd, `${name}-26.gguf`))));
  expect(tensors.has("blk.25.attn_q.weight")).toBe(true);
});

it("says what llama.cpp rounds in YaRN of GPT-OSS", async () => {
  const { code, err } = await exported("gpt-oss-yarn", designConfigs["gpt-oss"]!);
  expect(code, err).toBe(0);
  expect(err).toContain("whole pairs");
});

describe("the table of what can be written", () => {
  it("is that of the writers", () => {
    const records = Object.keys(READERS).map((name) => FAMILIES[name as keyof typeof FAMILIES].modelType);
    const designs = DESIGNED.filter(({ name }) => DESIGN_WRITERS[name]).flatMap(({ modelTypes }) => modelTypes);
    expect(Object.keys(DESIGN_WRITERS).filter((name) => !DESIGNED.some((family) => family.name === name))).toEqual([]);
    expect(Object.keys(GGUF_MODELS).sort()).toEqual([...records, ...designs].sort());
  });

  it("is that of the page on importing, row by row", () => {
    const page = readFileSync(new URL("../../docs/import.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| [^|]+ \| (`[^|]+`) +\|[^|]+\| (yes|-) +\|/gm)];
    const types = (cell: string): readonly string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, type]) => type!);
    const all = [
      ...Object.values(FAMILIES).map(({ modelType }) => modelType),
      ...DESIGNED.flatMap((one) => one.modelTypes),
    ];
    expect(rows.flatMap(([, cell]) => types(cell!)).sort()).toEqual(all.sort());
    const written = rows.filter(([, , answer]) => answer === "yes").flatMap(([, cell]) => types(cell!));
    expect(written.sort()).toEqual(Object.keys(GGUF_MODELS).sort());
  });
});
