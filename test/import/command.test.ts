/** `moec import` as a command: what it writes, what it refuses, and that what it wrote builds. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readProjectFile } from "../../cli/project-file.js";
import { hfConfig, hfTensors } from "../../compiler/checkpoints/families/index.js";
import { byteTokenizer } from "../../cli/byte-tokenizer.js";
import {
  memorySource,
  type MetadataValue,
  openCheckpoint,
  writeGguf,
  writeSafetensors,
} from "../../compiler/checkpoints/index.js";
import { moec } from "../cli/io.js";
import { tinyValues } from "../support/tiny-checkpoints.js";
import { configs, ggufBytes } from "./configs.js";

const folders: string[] = [];
function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "moec-import-"));
  folders.push(path);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}
afterEach(() => folders.splice(0).forEach((path) => rmSync(path, { recursive: true, force: true })));

/** The files of a Hugging Face folder, with the tensors in two shards. */
function shards(name: string): Record<string, string | Uint8Array> {
  const config = configs[name]!;
  const tensors = hfTensors(config, tinyValues, "f32");
  const half = Math.ceil(tensors.length / 2);
  const parts = [tensors.slice(0, half), tensors.slice(half)];
  const file = (part: number): string => `model-0000${part + 1}-of-00002.safetensors`;
  const map = parts.flatMap((part, i) => part.map((tensor) => [tensor.name, file(i)] as const));
  return {
    "config.json": JSON.stringify(hfConfig(config)),
    "generation_config.json": JSON.stringify({ temperature: 0.7, top_p: 0.8, top_k: 20, eos_token_id: 2 }),
    "model.safetensors.index.json": JSON.stringify({ weight_map: Object.fromEntries(map) }),
    [file(0)]: writeSafetensors({ tensors: parts[0]! }),
    [file(1)]: writeSafetensors({ tensors: parts[1]! }),
  };
}

const project = (text: string): unknown => {
  const read = readProjectFile(text, "moec.yaml");
  return read.ok ? read.project : read.diagnostics;
};

describe("from a GGUF file", () => {
  it("writes a formatted spec that checks, and a project that builds and runs", async () => {
    const cwd = folder({ "Tiny-OLMoE.Q8_0.gguf": ggufBytes(configs["olmoe"]!, "q8_0") });
    const done = await moec(["import", "Tiny-OLMoE.Q8_0.gguf"], { cwd });
    expect(done.code, done.err).toBe(0);
    const made = join(cwd, "tiny-olmoe-q8-0");
    expect(readdirSync(made).sort()).toEqual(["moec.yaml", "tiny-olmoe-q8-0.moe"]);
    expect(project(readFileSync(join(made, "moec.yaml"), "utf8"))).toEqual({
      model: "tiny-olmoe-q8-0.moe",
      weights: "../Tiny-OLMoE.Q8_0.gguf",
      quantization: "file",
      context: 256,
      prefill: 256,
    });
    expect(readFileSync(join(made, "tiny-olmoe-q8-0.moe"), "utf8")).toMatchSnapshot();
    expect((await moec(["fmt", "--check", "tiny-olmoe-q8-0"], { cwd })).code).toBe(0);
    expect((await moec(["check", "--warnings-as-errors", "tiny-olmoe-q8-0"], { cwd })).code).toBe(0);
    const run = await moec(
      ["run", "tiny-olmoe-q8-0", "a b", "-t", "0", "--max-tokens", "3", "--threads", "1", "--json"],
      { cwd },
    );
    expect(run.code, run.err).toBe(0);
    expect(JSON.parse(run.out)).toMatchObject({ ok: true, prompt: "a b" });
  });
});

describe("from a Hugging Face folder in shards", () => {
  it("writes the spec beside it, with the makers' sampling", async () => {
    const cwd = folder();
    const source = folder(shards("qwen2-moe"));
    const done = await moec(["import", source, "--out", "made", "--json"], { cwd });
    expect(done.code, done.err).toBe(0);
    const result = JSON.parse(done.out) as { files: string[]; family: string; tokenizer: boolean };
    expect(result).toMatchObject({ ok: true, family: "qwen2-moe", tokenizer: false });
    const spec = readFileSync(join(cwd, "made", result.files[0]!), "utf8");
    expect(spec).toContain("generate { max_tokens: 256, temperature: 0.7, top_k: 20, top_p: 0.8 }");
    expect(spec).toContain('"model.layers.{i}.mlp.experts.{e}.gate_proj.weight"[F, D]');
    expect(readFileSync(join(cwd, "made", "moec.yaml"), "utf8")).toContain("model.safetensors.index.json");
    const built = await moec(["build", "made"], { cwd });
    expect(built.code, built.err).toBe(0);
  });

  it("takes one shard's folder by its index file too", async () => {
    const source = folder(shards("qwen3"));
    const done = await moec(["import", "model.safetensors.index.json", "--out", "made"], { cwd: source });
    expect(done.code, done.err).toBe(0);
    expect(existsSync(join(source, "made", "moec.yaml"))).toBe(true);
  });
});

describe("refuses", () => {
  const code = async (args: readonly string[], cwd: string): Promise<string | undefined> => {
    const { err, out, code: exit } = await moec(["import", ...args], { cwd });
    expect(exit, out).not.toBe(0);
    return /MOE\d+/.exec(err + out)?.[0];
  };
  const withConfig = (changes: object): string =>
    folder({
      ...shards("qwen2-moe"),
      "config.json": JSON.stringify({ ...hfConfig(configs["qwen2-moe"]!), ...changes }),
    });

  it("to write over files, unless it is told to", async () => {
    const cwd = folder({ "tiny.gguf": ggufBytes(configs["llama"]!) });
    expect((await moec(["import", "tiny.gguf"], { cwd })).code).toBe(0);
    writeFileSync(join(cwd, "tiny", "tiny.moe"), "// mine\n");
    rmSync(join(cwd, "tiny", "moec.yaml"));
    expect(await code(["tiny.gguf"], cwd)).toBe("MOE5404");
    // Nothing at all was written, and nothing is left over.
    expect(readdirSync(join(cwd, "tiny"))).toEqual(["tiny.moe"]);
    expect(readFileSync(join(cwd, "tiny", "tiny.moe"), "utf8")).toBe("// mine\n");
    expect((await moec(["import", "tiny.gguf", "--force"], { cwd })).code).toBe(0);
    expect(readFileSync(join(cwd, "tiny", "tiny.moe"), "utf8")).toContain("model Tiny[");
  });

  it("what is not there, or no checkpoint, or without a config", async () => {
    const cwd = folder({ "text.gguf": "not a checkpoint at all" });
    expect(await code(["nothing"], cwd)).toBe("MOE5123");
    expect(await code(["text.gguf"], cwd)).toBe("MOE5101");
    const { "config.json": _, ...rest } = shards("qwen3");
    expect(await code(["."], folder(rest))).toBe("MOE5123");
    expect(await code(["."], folder({ ...rest, "config.json": "{" }))).toBe("MOE5120");
  });

  it("folders that lack a part, and says which", async () => {
    const said = async (files: Record<string, string | Uint8Array>, ...args: string[]): Promise<string> => {
      const cwd = folder(files);
      const { err, code: exit } = await moec(args.length > 0 ? args : ["import", "."], { cwd });
      expect(exit, err).toBe(3);
      return err;
    };
    const all = shards("qwen3");
    const { "model.safetensors.index.json": index, ...loose } = all;
    expect(await said(loose)).toMatch(/MOE5123.*2 shards, but no model\.safetensors\.index\.json/);
    const { "model-00002-of-00002.safetensors": _second, ...partial } = all;
    expect(await said(partial)).toMatch(/MOE5123.*model-00002-of-00002\.safetensors/);
    const config = { "config.json": all["config.json"]! };
    expect(await said({ ...config, "pytorch_model.bin": "x" })).toMatch(/MOE5123.*pickled[^]*convert them/);
    expect(await said({ ...config, "a.safetensors": "x", "b.safetensors": "x" })).toMatch(/a\.safetensors, b\.safet/);
    const parts = { "m-00001-of-00002.gguf": "x", "m-00002-of-00002.gguf": "x" };
    expect(await said({ ...parts, "a.gguf": "x", "b.gguf": "x" })).toMatch(
      /3 checkpoints[^]*Name one of them: a\.gguf, b\.gguf, m-00001-of-00002\.gguf\./,
    );
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    expect(await said({ ...config, "model.safetensors": pointer })).toMatch(/MOE5101[^]*git lfs pull/);
    expect(await said({ "m.gguf": pointer }, "import", "m.gguf")).toMatch(/MOE5101[^]*git lfs pull/);
    const shard = "model-00001-of-00002.safetensors";
    expect(await said({ ...all, [shard]: pointer })).toMatch(/MOE5101[^]*git lfs pull/);
    const { "config.json": _, ...unexplained } = all;
    expect(await said(unexplained, "run", ".", "x")).toMatch(/MOE5403.*no config\.json/);
    expect(await said(all, "build", ".")).toMatch(/MOE5403.*a checkpoint needs a spec beside it[^]*moec import/);
    expect(index).toBeDefined();
  });

  it("to run on text what has no tokenizer, and does not advise it", async () => {
    const cwd = folder(shards("qwen3"));
    const done = await moec(["import", ".", "--out", "made"], { cwd });
    expect(done.out).toContain("moec build made");
    expect(done.out).not.toContain("moec run");
    expect(done.err).toContain("tokenizer: path/to/tokenizer.json");
    const run = await moec(["run", "made", "x"], { cwd });
    expect(run.code).toBe(3);
    expect(run.err).toMatch(/MOE5313[^]*moec\.yaml/);
  });

  it("a tokenizer that it does not know inside of a file, unless another one is given", async () => {
    const file = openCheckpoint(memorySource(ggufBytes(configs["llama"]!)));
    const again = (changes: Record<string, MetadataValue>): Uint8Array =>
      writeGguf({
        metadata: new Map([...file.metadata, ...Object.entries(changes)]),
        tensors: [...file.tensors.values()].map(({ name, shape }) => ({
          ...{ name, shape, type: "f32" as const },
          data: () => file.read(name),
        })),
      });
    const cwd = folder({
      "m.gguf": again({ "tokenizer.ggml.model": { type: "string", value: "plamo2" } }),
      "tokenizer.json": byteTokenizer(),
    });
    const refused = await moec(["import", "m.gguf"], { cwd });
    expect(refused.err).toMatch(/MOE5206[^]*--tokenizer tokenizer\.json/);
    const given = await moec(["import", "m.gguf", "--tokenizer", "tokenizer.json"], { cwd });
    expect(given.code, given.err).toBe(0);
    expect(readFileSync(join(cwd, "m", "m.moe"), "utf8")).toContain('tokenizer "../tokenizer.json"');
    const run = await moec(["run", "m", "ab", "-t", "0", "-n", "2", "--threads", "1", "--json"], { cwd });
    expect(run.code, run.err + run.out).toBe(0);
    // The table has 512 rows: those beyond the vocabulary stand for no token.
    expect((JSON.parse(run.out) as { ids: number[] }).ids.every((id) => id < 256)).toBe(true);
    expect((await moec(["import", "m.gguf", "--tokenizer", "none.json"], { cwd })).err).toMatch(/MOE5123.*none\.json/);
  });

  it("a tokenizer with more tokens than the embedding has rows", async () => {
    const hf = shards("qwen3");
    const config = JSON.parse(String(hf["config.json"])) as { vocab_size: number };
    const tokens = Array.from({ length: config.vocab_size - 255 }, (_, i) => ({
      id: 256 + i,
      content: `<${i}>`,
      special: true,
    }));
    const tokenizer = { ...(JSON.parse(byteTokenizer()) as object), added_tokens: tokens };
    const cwd = folder({ ...hf, "tokenizer.json": JSON.stringify(tokenizer) });
    const { err } = await moec(["import", ".", "--out", "made"], { cwd });
    expect(err).toContain(`MOE5468]: the tokenizer has ${config.vocab_size + 1} tokens`);
    expect(existsSync(join(cwd, "made"))).toBe(false);
  });

  it("shows values in plain quotes", async () => {
    const { err } = await moec(["import", "."], { cwd: withConfig({ hidden_act: "gelu" }) });
    expect(err).toContain('`hidden_act` is "gelu", which');
  });

  it.each<[string, string, object]>([
    ["an unknown family", "MOE5119", { model_type: "mamba" }],
    ["stretched positions of another kind", "MOE5121", { rope_scaling: { rope_type: "yarn", factor: 4 } }],
    ["quantized weights of another tool", "MOE5121", { quantization_config: { quant_method: "gptq" } }],
    ["layers of several kinds", "MOE5121", { layer_types: ["full_attention", "sliding_attention"] }],
    ["sizes that are not those of the tensors", "MOE5122", { hidden_size: 256 }],
    ["layers that are not there", "MOE5116", { num_hidden_layers: 3 }],
    ["layers that have no place", "MOE5124", { num_hidden_layers: 1 }],
  ])("%s", async (_, expected, changes) => {
    expect(await code(["."], withConfig(changes))).toBe(expected);
  });
});
