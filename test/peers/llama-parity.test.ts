/** Imported GGUF files against llama.cpp: logits at every position and greedy text. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { memorySource, openCheckpoint, writeGguf, type EncodableType } from "../../compiler/checkpoints/index.js";
import {
  type FamilyConfig,
  ggufMetadata,
  ggufTensors,
  readFamilyConfig,
  readFamilyTensors,
} from "../../compiler/checkpoints/families/index.js";
import type { Model } from "../../runtime/model/model.js";
import { configs, ggufBytes, ggufVariants, hfOf } from "../import/configs.js";
import { imported, referenceRows, relativeError, wasmModel, wasmRows, type Imported } from "../import/imported.js";
import { PlainModel } from "../import/plain-forward.js";
import { llamaGreedy, llamaLogits, peerPackage } from "../support/peers.js";
import { tinyVocabulary } from "../support/tiny-checkpoints.js";

const hasLlama = peerPackage("node-llama-cpp") !== undefined;
const folder = mkdtempSync(join(tmpdir(), "moec-parity-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const IDS = [1, 300, 17, 42, 511, 3, 3, 260, 99, 128, 7, 70, 410, 5, 33, 2];
/** A prompt, then token by token. */
const DECODE = [8, ...new Array<number>(8).fill(1)];
const GREEDY = 24;

/**
 * f32 weights with an f32 cache and no flash attention. Both sides round each operation to f32 (2^-24) in different
 * orders; over the sums of K = 128 products and a dozen roundings in a row that is sqrt(128) * 12 * 2^-24 = 8e-6 at
 * worst. A plain f64 forward pass agrees with llama.cpp to 3e-7.
 */
const F32 = 1e-5;

/**
 * Block-quantized weights: llama.cpp also quantizes each product's input to 8 bits in blocks of 32, moec's reference
 * doesn't. An input rounds to a step of max / 127, an error of step / sqrt(12) = max / 440 per value, which for the
 * uniform-like inputs here (rms = max / 2) is a relative error of 2 / 440 = 4.5e-3 per product. A layer has four of them
 * in a row (query, output, gate, down), two layers and the output projection make nine: sqrt(9) * 4.5e-3 = 1.4e-2.
 * Twice that bounds a row; the scales of the blocks are f16 (5e-4) and add little.
 */
const QUANTIZED = 2 * Math.sqrt(9) * (2 / 440);

/** What a wrong router must be away at least: a thousand times what f32 explains. */
const WRONG = 1000 * F32;

/**
 * A choice of experts may fall the other way when it is narrower than the error of the two logits that it compares.
 * Then the row is another one, and in the first of two layers it changes what later positions attend to.
 */
const NARROW = Math.SQRT2 * QUANTIZED;

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, `${name}.gguf`);
  writeFileSync(path, bytes);
  return path;
}

const open = (path: string): ReturnType<typeof openCheckpoint> => openCheckpoint(memorySource(readFileSync(path)));

async function greedy(model: Model, prompt: readonly number[], count: number, end: number): Promise<number[]> {
  await model.reset();
  const ids: number[] = [];
  let feed = prompt;
  while (ids.length < count) {
    const { outputs } = await model.extend("forward", { tokens: feed });
    const { data, axes } = Object.values(outputs)[0]!;
    const last = Float32Array.from(data).subarray((feed.length - 1) * axes[1]!.size);
    const best = last.indexOf(Math.max(...last));
    if (best === end) break;
    ids.push(best);
    feed = [best];
  }
  return ids;
}

const decoders = Object.entries(configs).filter(([name]) => name !== "bert");

describe.skipIf(!hasLlama).each(decoders)("%s in f32", (name, config) => {
  const path = write(name.replaceAll(" ", "-"), ggufBytes(config));
  const rows = llamaLogits(path, IDS).flat();

  it("has llama.cpp's logits on the reference evaluator, prefill and decode", async () => {
    const model = await imported(open(path));
    expect(relativeError(referenceRows(model, IDS), rows)).toBeLessThan(F32);
    expect(relativeError(referenceRows(model, IDS, DECODE), rows)).toBeLessThan(F32);
  });

  it("has them on wasm, and the same greedy text", async () => {
    using model = await wasmModel(await imported(open(path)));
    expect(relativeError(await wasmRows(model, IDS), rows)).toBeLessThan(F32);
    expect(relativeError(await wasmRows(model, IDS, DECODE), rows)).toBeLessThan(F32);
    const prompts = [IDS.slice(0, 5), IDS.slice(3, 12)];
    const [first, second] = llamaGreedy(path, prompts, GREEDY);
    expect(await greedy(model, prompts[0]!, GREEDY, 2)).toEqual(first);
    expect(await greedy(model, prompts[1]!, GREEDY, 2)).toEqual(second);
  });

  it("has them from safetensors of the same values", async () => {
    const hf = hfOf(config);
    const model = await imported(hf.checkpoint, hf.config);
    expect(relativeError(referenceRows(model, IDS), rows)).toBeLessThan(F32);
  });
});

interface Choice {
  readonly layer: number;
  readonly position: number;
}

/**
 * Of several texts the one with the fewest narrow choices in the first layer, where one changes all later positions,
 * and its narrow choices. Only the plain model is asked, so the comparison has no say in it.
 */
function widest(
  config: FamilyConfig,
  values: ConstructorParameters<typeof PlainModel>[1],
): { readonly ids: readonly number[]; readonly narrow: readonly Choice[] } {
  const texts = Array.from({ length: 8 }, (_, n) => {
    const ids = IDS.map((id, t) => (t === 0 ? id : 3 + ((id + 61 * n) % (config.vocab - 3))));
    const plain = new PlainModel(config, values);
    plain.forward(ids);
    return { ids, narrow: plain.gaps.filter(({ gap }) => gap < NARROW) };
  });
  const early = ({ narrow }: (typeof texts)[number]): number => narrow.filter(({ layer }) => layer === 0).length;
  return texts.reduce((best, text) => (early(text) < early(best) ? text : best));
}

describe.skipIf(!hasLlama).each(Object.entries(ggufVariants))("%s", (name, config) => {
  it("has llama.cpp's logits", async () => {
    const path = write(name.replaceAll(" ", "-"), ggufBytes(config));
    const model = await imported(open(path));
    expect(relativeError(referenceRows(model, IDS, DECODE), llamaLogits(path, IDS).flat())).toBeLessThan(F32);
  });
});

const quantized = decoders.flatMap(([name, config]) =>
  (["q8_0", "q4_0"] as const).map((type): [string, EncodableType, FamilyConfig] => [name, type, config]),
);

describe.skipIf(!hasLlama).each(quantized)("%s in %s", (name, type, config) => {
  it("is as near to llama.cpp as its quantized activations allow", async () => {
    const path = write(`${name}-${type}`, ggufBytes(config, type));
    const checkpoint = open(path);
    const reader = readFamilyTensors(checkpoint, config);
    const { ids, narrow } = widest(config, ({ key }) => reader.readF32(key));
    const found = referenceRows(await imported(checkpoint), ids);
    const expected = llamaLogits(path, ids);
    const errors = expected.map((row, t) => relativeError(found.subarray(t * row.length, (t + 1) * row.length), row));
    const isFlipped = (t: number): boolean =>
      narrow.some(({ layer, position }) => position === t || (layer === 0 && position < t));
    const unexplained = errors.filter((error, t) => error >= QUANTIZED && !isFlipped(t));
    expect(unexplained, `errors ${errors.join(" ")}`).toEqual([]);
    // Most rows have their experts in common: without this a wrong model with narrow choices would pass.
    const near = errors.filter((error) => error < QUANTIZED).length;
    expect(near, `errors ${errors.join(" ")}`).toBeGreaterThan(ids.length / 2);
  });
});

describe.skipIf(!hasLlama)("the comparison", () => {
  const wrong = async (name: string, from: string, to: string): Promise<number> => {
    const path = write(`wrong-${name}`, ggufBytes(configs[name]!));
    const edit = (text: string): string => {
      expect(text).toContain(from);
      return text.replaceAll(from, to);
    };
    const model: Imported = await imported(open(path), undefined, edit);
    return relativeError(referenceRows(model, IDS), llamaLogits(path, IDS).flat());
  };

  it("sees a router that renormalizes where it must not, and the other way round", async () => {
    expect(await wrong("mixtral", "renormalize: true", "renormalize: false")).toBeGreaterThan(WRONG);
    expect(await wrong("olmoe", "renormalize: false", "renormalize: true")).toBeGreaterThan(WRONG);
  });
});

describe.skipIf(!hasLlama)("examples/tiny-moe as GGUF", () => {
  it("gives llama.cpp the greedy ids of the reference", () => {
    const example = new URL("../../examples/tiny-moe/", import.meta.url);
    const text = (name: string): string => readFileSync(new URL(name, example), "utf8");
    const config = readFamilyConfig({ config: JSON.parse(text("config.json")) });
    const reader = readFamilyTensors(
      openCheckpoint(memorySource(readFileSync(new URL("model.safetensors", example)))),
      config,
    );
    // Only ids go in and out: any vocabulary of the right size with the same end token will do.
    const { greedy: cases } = JSON.parse(text("reference.json")) as {
      greedy: { prompt: string; prompt_ids: number[]; ids: number[] }[];
    };
    const metadata = new Map([...ggufMetadata(config, "tiny-moe"), ...tinyVocabulary(config.vocab)]);
    // Every prompt begins with the end of the text before it; llama.cpp stops only at a token that is marked as such.
    const end = cases[0]!.prompt_ids[0]!;
    metadata.set("tokenizer.ggml.eos_token_id", { type: "u32", value: end });
    const types = Int32Array.from({ length: config.vocab }, (_, id) => (id === end ? 3 : 1));
    metadata.set("tokenizer.ggml.token_type", { type: "array", of: "i32", values: types });
    // f16 values widened: llama.cpp computes in f32 as the reference did.
    const tensors = ggufTensors(config, ({ key }) => reader.readF32(key), "f32");
    const path = write("tiny-moe", writeGguf({ metadata, tensors }));
    const prompts = cases.map(({ prompt_ids: ids }) => ids);
    const most = Math.max(...cases.map(({ ids }) => ids.length));
    const found = llamaGreedy(path, prompts, most);
    cases.forEach(({ prompt, ids }, i) => expect(found[i], prompt).toEqual(ids));
  });
});
