/** Pre-tokenizers that GGUF files name, against llama.cpp: a vocabulary in which whatever is not cut apart merges. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ggufMetadata, ggufTensors } from "../../compiler/checkpoints/families/index.js";
import { type MetadataValue, writeGguf } from "../../compiler/checkpoints/index.js";
import { loadTokenizer, tokenizerFromGguf } from "../../runtime/tokenizer/index.js";
import { BYTE_CHARACTERS } from "../../runtime/tokenizer/piece-bytes.js";
import { configs, testValues } from "../import/configs.js";
import { spelled } from "../import/hf-folder.js";
import { llamaTokens, peerPackage } from "../support/peers.js";

const hasLlama = peerPackage("node-llama-cpp") !== undefined;
const folder = mkdtempSync(join(tmpdir(), "moec-pre-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TEXTS = [
  "HelloWorld can't a/b 12345 foo_bar XMLHttp I'LL",
  "x =\n//\n1  y\t z   ",
  "it's 12345 かな漢字 ok!\nfine .env <a>",
  "é à naïve Ünï 한국 mixedかな9",
];
/** Longest token, in bytes. */
const LONGEST = 7;

/** Bytes, then every run of bytes of the texts, shorter ones first; each merges from the run without its last byte. */
function vocabulary(): { readonly tokens: readonly string[]; readonly merges: readonly string[] } {
  const tokens = new Set(BYTE_CHARACTERS);
  const merges: string[] = [];
  for (let length = 2; length <= LONGEST; length++) {
    for (const characters of TEXTS.map(spelled)) {
      for (let at = 0; at + length <= characters.length; at++) {
        const token = characters.slice(at, at + length).join("");
        if (tokens.has(token)) continue;
        tokens.add(token);
        merges.push(`${characters.slice(at, at + length - 1).join("")} ${characters[at + length - 1]!}`);
      }
    }
  }
  return { tokens: [...tokens], merges };
}

const { tokens, merges } = vocabulary();
const text = (value: string): MetadataValue => ({ type: "string", value });

const NAMES = ["gpt-4o", "llama4", "deepseek-v3", "glm4", "lfm2", "qwen2", "llama-bpe", "dbrx", "deepseek-llm"];

describe.skipIf(!hasLlama).each([...NAMES, "deepseek-coder"])("%s", (pre) => {
  it("cuts texts as llama.cpp does", () => {
    const all = [...tokens, "<|end|>"];
    const embedded = new Map<string, MetadataValue>([
      ["tokenizer.ggml.model", text("gpt2")],
      ["tokenizer.ggml.pre", text(pre)],
      ["tokenizer.ggml.tokens", { type: "array", of: "string", values: all }],
      [
        "tokenizer.ggml.token_type",
        { type: "array", of: "i32", values: Int32Array.from(all, (_, id) => (id === tokens.length ? 3 : 1)) },
      ],
      ["tokenizer.ggml.merges", { type: "array", of: "string", values: merges }],
      ["tokenizer.ggml.eos_token_id", { type: "u32", value: tokens.length }],
      ["tokenizer.ggml.bos_token_id", { type: "u32", value: tokens.length }],
      ["tokenizer.ggml.add_bos_token", { type: "bool", value: false }],
    ]);
    const config = { ...configs["llama"]!, vocab: all.length };
    const metadata = new Map([...ggufMetadata(config, "words"), ...embedded]);
    const path = join(folder, `${pre}.gguf`);
    writeFileSync(path, writeGguf({ metadata, tensors: ggufTensors(config, testValues, "f32") }));
    const tokenizer = loadTokenizer(tokenizerFromGguf(embedded));
    // The original cuts every digit apart; llama.cpp relies on there being no token of several.
    const texts = pre === "deepseek-llm" ? TEXTS.map((sample) => sample.replace(/\d+/g, "1")) : TEXTS;
    expect(texts.map((sample) => tokenizer.encode(sample))).toEqual(llamaTokens(path, texts));
  });
});

it.skipIf(!hasLlama)("WordPiece: has llama.cpp's ids", () => {
  const config = configs["bert"]!;
  const words = ["play", "chess", "the", ".", "!", "\u6f22", "caf", "a"].map((word) => `\u2581${word}`);
  const named = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...words, "ing", "s", "e", "er"];
  const all = [...named, ...Array.from({ length: config.vocab - named.length }, (_, i) => `[unused${i}]`)];
  const id = (token: string): MetadataValue => ({ type: "u32", value: all.indexOf(token) });
  const types = Int32Array.from(all, (token) => (/^\[[A-Z]+\]$/.test(token) ? 3 : 1));
  const embedded = new Map<string, MetadataValue>([
    ["tokenizer.ggml.model", text("bert")],
    ["tokenizer.ggml.pre", text("default")],
    ["tokenizer.ggml.tokens", { type: "array", of: "string", values: all }],
    ["tokenizer.ggml.token_type", { type: "array", of: "i32", values: types }],
    ["tokenizer.ggml.unknown_token_id", id("[UNK]")],
    ["tokenizer.ggml.seperator_token_id", id("[SEP]")],
    ["tokenizer.ggml.padding_token_id", id("[PAD]")],
    ["tokenizer.ggml.cls_token_id", id("[CLS]")],
    ["tokenizer.ggml.mask_token_id", id("[MASK]")],
    ["tokenizer.ggml.token_type_count", { type: "u32", value: 2 }],
  ]);
  const metadata = new Map([...ggufMetadata(config, "words"), ...embedded]);
  const path = join(folder, "bert.gguf");
  writeFileSync(path, writeGguf({ metadata, tensors: ggufTensors(config, testValues, "f32") }));
  const tokenizer = loadTokenizer(tokenizerFromGguf(embedded));
  const texts = ["Playing chess!", "the player plays\u6f22a.", "Caf\u00e9 zebra  the", "\tplay\nchess."];
  expect(texts.map((sample) => tokenizer.encode(sample, { addSpecial: false }))).toEqual(llamaTokens(path, texts));
});
