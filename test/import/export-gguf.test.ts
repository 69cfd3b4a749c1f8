/** `moec export` to GGUF: what comes back by `moec import` is the same model with the same tokenizer. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { memorySource, openCheckpoint, type Checkpoint } from "../../compiler/checkpoints/index.js";
import type { FamilyConfig } from "../../compiler/checkpoints/families/index.js";
import { loadTokenizer, tokenizerFromGguf } from "../../runtime/tokenizer/index.js";
import { moec } from "../cli/io.js";
import { configs, hfOf, variants } from "./configs.js";
import { exportable, familyTokenizer, hfFolder, sentencePieceTokenizer, TEMPLATE } from "./hf-folder.js";
import { imported, referenceRows, relativeError } from "./imported.js";

const cwd = mkdtempSync(join(tmpdir(), "moec-export-gguf-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const IDS = [1, 300, 17, 42, 511, 3, 3, 260, 99, 128];
const TEXTS = ["the quick brown fox", "12345 can't\n\n é <tool> x  the", "かな </s> the"];
const opened = (name: string): Checkpoint => openCheckpoint(memorySource(readFileSync(join(cwd, name))));
const run = async (...args: readonly string[]): Promise<string> => {
  const { code, out, err } = await moec(args, { cwd });
  expect(code, err + out).toBe(0);
  return out;
};

describe.each(exportable)("%s", (name, config) => {
  const folder = name.replaceAll(" ", "-");

  it("has the same logits and the same token ids behind the way through GGUF", async () => {
    hfFolder(join(cwd, folder), config);
    const made = JSON.parse(await run("export", folder, "-o", `${folder}.gguf`, "--json")) as Record<string, unknown>;
    expect(made).toMatchObject({ ok: true, family: config.family, quantization: "f32", f16: [] });
    const file = opened(`${folder}.gguf`);
    expect(made["tensors"]).toBe(file.tensors.size);
    const hf = hfOf(config);
    const expected = referenceRows(await imported(hf.checkpoint, hf.config), IDS);
    const found = referenceRows(await imported(file), IDS);
    // The divisors of Llama 3's positions are stored in f32 and computed in the spec: 2^-24 of an angle of up to ten
    // turns, in two layers. All else is the same numbers in the same formulas.
    const most = name.includes("Llama 3") ? 1e-5 : 0;
    expect(relativeError(found, expected)).toBeLessThanOrEqual(most);

    const original = loadTokenizer({ tokenizer: familyTokenizer(config) });
    const back = loadTokenizer(tokenizerFromGguf(file.metadata));
    for (const text of TEXTS) expect(back.encode(text), text).toEqual(original.encode(text));
    expect(back.decode([back.eos[0]!])).toBe("</s>");
    expect(file.metadata.get("tokenizer.chat_template")).toEqual({ type: "string", value: TEMPLATE });
  });
});

it("exports a project that was imported, byte for byte as its checkpoint", async () => {
  hfFolder(join(cwd, "source"), configs["qwen3-moe"]!);
  await run("import", "source", "--out", "made");
  await run("export", "source", "-o", "direct.gguf");
  await run("export", "made", "-o", "from-project.gguf");
  expect(readFileSync(join(cwd, "from-project.gguf")).equals(readFileSync(join(cwd, "direct.gguf")))).toBe(true);
  const spec = join(
    cwd,
    "made",
    readdirSync(join(cwd, "made")).find((name) => name.endsWith(".moe"))!,
  );
  const text = readFileSync(spec, "utf8");
  const changed = text.replace("renormalize: true", "renormalize: false");
  expect(changed).not.toBe(text);
  writeFileSync(spec, changed);
  const { code, err } = await moec(["export", "made", "-o", "changed.gguf"], { cwd });
  expect(code).toBe(3);
  expect(err).toContain("MOE5126");
  expect(err).toContain("moec export source/model.safetensors");
  expect(existsSync(join(cwd, "changed.gguf"))).toBe(false);
});

it.each(["f32", "f16", "bf16", "q8_0", "q4_0"] as const)(
  "stores matrices as %s, and vectors and routers as f32",
  async (type) => {
    hfFolder(join(cwd, `as-${type}`), configs["olmoe"]!, undefined, "bf16");
    await run("export", `as-${type}`, "-o", `${type}.gguf`, "--quantization", type);
    const { tensors, metadata } = opened(`${type}.gguf`);
    for (const { name, shape, type: found } of tensors.values()) {
      expect(found, name).toBe(shape.length === 1 || name.includes("ffn_gate_inp") ? "f32" : type);
    }
    const number = { f32: 0, f16: 1, bf16: 32, q8_0: 7, q4_0: 2 }[type];
    expect(metadata.get("general.file_type")).toEqual({ type: "u32", value: number });
  },
);

it("keeps the checkpoint's own type when nobody asks for another, and rows that are no whole blocks in f16", async () => {
  hfFolder(join(cwd, "half"), configs["llama"]!, undefined, "bf16");
  await run("export", "half", "-o", "half.gguf");
  expect(opened("half.gguf").tensors.get("blk.0.attn_q.weight")!.type).toBe("bf16");
  hfFolder(join(cwd, "narrow"), { ...configs["llama"]!, ffnWidth: 80 });
  const { f16 } = JSON.parse(await run("export", "narrow", "-o", "n.gguf", "--quantization", "q8_0", "--json")) as {
    f16: string[];
  };
  expect(f16).toEqual(["blk.0.ffn_down.weight", "blk.1.ffn_down.weight"]);
});

it("says that the token for padding has no row", async () => {
  const config = configs["llama"]!;
  hfFolder(join(cwd, "padded"), config);
  const path = join(cwd, "padded", "config.json");
  const json = JSON.parse(readFileSync(path, "utf8")) as object;
  const said = async (id: number): Promise<string> => {
    writeFileSync(path, JSON.stringify({ ...json, pad_token_id: id }));
    const { code, err } = await moec(["export", "padded", "-o", "padded.gguf"], { cwd });
    expect(code, err).toBe(0);
    return err;
  };
  const key = "tokenizer.ggml.padding_token_id";
  expect(await said(config.vocab)).toContain(`\`pad_token_id\` is ${config.vocab}, beyond the ${config.vocab} rows`);
  expect(opened("padded.gguf").metadata.has(key)).toBe(false);
  expect(await said(config.vocab - 1)).not.toContain("pad_token_id");
  expect(opened("padded.gguf").metadata.get(key)).toEqual({ type: "u32", value: config.vocab - 1 });
});

describe("refuses", () => {
  const config = configs["olmoe"]!;
  it.each<[string, string, string, FamilyConfig, unknown?]>([
    ["an encoder", "MOE5125", "bert", configs["bert"]!, sentencePieceTokenizer(512)],
    ["values that are clipped", "MOE5121", "clip_qkv", { ...config, clipQkv: 0.5 }],
    ["weights that readers do not renormalize", "MOE5121", "norm_topk_prob", { ...config, normalizeTopK: true }],
    ["biases that readers do not read", "MOE5121", "attention_bias", { ...config, qkvBias: true, outputBias: true }],
    ["a window", "MOE5121", "sliding_window", variants["mixtral with a window"]!],
    ["layers without experts", "MOE5121", "mlp_only_layers", variants["qwen2-moe with a dense layer"]!],
    ["positions that readers do not stretch", "MOE5121", "rope_scaling", variants["qwen3 with Llama 3 positions"]!],
    ["tokens without a row", "MOE5468", "rows", { ...config, vocab: 64 }],
  ])("%s", async (name, code, word, model, tokenizer) => {
    const folder = `refused-${name.replaceAll(" ", "-")}`;
    hfFolder(join(cwd, folder), model, tokenizer);
    const { code: exit, err } = await moec(["export", folder, "-o", `${folder}.gguf`], { cwd });
    expect(err).toContain(code);
    expect(err).toContain(word);
    expect(exit).toBe(3);
    expect(existsSync(join(cwd, `${folder}.gguf`))).toBe(false);
  });

  it("a family without a writer by name, and says which can be", async () => {
    hfFolder(join(cwd, "other"), config);
    writeFileSync(join(cwd, "other", "config.json"), JSON.stringify({ model_type: "jetmoe" }));
    const { err } = await moec(["export", "other", "-o", "other.gguf"], { cwd });
    expect(err).toContain("MOE5125");
    expect(err).toContain("`jetmoe`");
    expect(err).toContain("llama, qwen2, qwen3, mixtral, olmoe, qwen2_moe, qwen3_moe, deepseek_v2");
  });

  it("numbers that the type does not hold, and leaves nothing", async () => {
    hfFolder(join(cwd, "huge"), configs["llama"]!);
    const { checkpoint } = hfOf(configs["llama"]!);
    const { offset } = checkpoint.tensors.get("model.layers.1.mlp.up_proj.weight")!;
    const bytes = readFileSync(join(cwd, "huge", "model.safetensors"));
    bytes.writeFloatLE(1e6, offset);
    writeFileSync(join(cwd, "huge", "model.safetensors"), bytes);
    const { err } = await moec(["export", "huge", "-o", "huge.gguf", "--quantization", "f16"], { cwd });
    expect(err).toContain("MOE5446");
    expect(readdirSync(cwd).filter((file) => file.includes("huge"))).toEqual(["huge"]);
  });

  it("a folder without a tokenizer, and weights that are GGUF already", async () => {
    hfFolder(join(cwd, "mute"), config);
    rmSync(join(cwd, "mute", "tokenizer.json"));
    const { err } = await moec(["export", "mute", "-o", "mute.gguf"], { cwd });
    expect(err).toContain("MOE5209");
    hfFolder(join(cwd, "again"), config);
    await run("export", "again", "-o", "again.gguf");
    const { code, err: said } = await moec(["export", "again.gguf", "-o", "twice.gguf"], { cwd });
    expect(code).toBe(2);
    expect(said).toContain("the weights are GGUF");
  });
});
