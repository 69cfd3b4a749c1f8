/** The example model for the tests of real input: compiled from its spec, run on wasm or on the interpreter. */
import { readFileSync } from "node:fs";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { Program, StorageType } from "../../compiler/2-graph/ir.js";
import { deriveBatch, deriveLastToken, optimize } from "../../compiler/3-optimize/index.js";
import { schedule, type CacheStorage } from "../../compiler/4-schedule/index.js";
import type { Schedule } from "../../compiler/4-schedule/options.js";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import {
  checkpointSource,
  writeBundle,
  type BundleInput,
  type ParameterSource,
} from "../../compiler/6-bundle/index.js";
import { memorySource, openCheckpoint, type Checkpoint } from "../../compiler/checkpoints/index.js";
import { wasmRelaxed, type Target } from "../../compiler/targets/index.js";
import { diskHost } from "../../cli/source-host.js";
import { storageOf } from "../../cli/storage-choice.js";
import { tokenizerText } from "../../cli/tokenizer-files.js";
import { Model, type ModelParts } from "../../runtime/model/model.js";
import { openModel } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { loadTokenizer, type Tokenizer, type TokenizerFiles } from "../../runtime/tokenizer/index.js";
import { interpreterDevice } from "../support/interpreter-device.js";

import { memoryFiles, memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";
import { nativeDevice } from "../support/native.js";

export const folder = new URL("../../examples/tiny-moe/", import.meta.url).pathname;

export interface Reference {
  readonly greedy: readonly { readonly prompt: string; readonly prompt_ids: number[]; readonly ids: number[] }[];
  readonly ppl: Readonly<Record<string, { readonly ppl: number; readonly tokens: number }>>;
  /** By domain: for each layer how often each expert was chosen. */
  readonly routing: Readonly<Record<string, readonly (readonly number[])[]>>;
}

export const reference = JSON.parse(readFileSync(`${folder}reference.json`, "utf8")) as Reference;
export const DOMAINS = Object.keys(reference.ppl);

let checkpoint: Checkpoint | undefined;
export function tinyCheckpoint(): Checkpoint {
  return (checkpoint ??= openCheckpoint(memorySource(readFileSync(`${folder}model.safetensors`), "model.safetensors")));
}

export function tinyProgram(): Program {
  const project = check(`${folder}tiny-moe.moe`, diskHost("/"));
  return deriveLastToken(buildProgram(project));
}

export function tinySchedule(
  program: Program,
  storage: StorageType,
  target: Target = wasmRelaxed,
  cache: CacheStorage = "f32",
): Schedule {
  const optimized = deriveBatch(optimize(program));
  const limits = { T: 256, context: 512 };
  return schedule(optimized, target, { limits, storage: storageOf(optimized, storage), cache });
}

export interface TinyOptions {
  readonly storage: StorageType;
  /** Of caches; f32 when absent. */
  readonly cache?: CacheStorage;
  /** Run the kernels on the interpreter instead of wasm. */
  readonly interpreter?: boolean;
  /** Run native kernels of this level, on so many threads. */
  readonly native?: { readonly target: Target; readonly threads: number };
  /** How many texts side by side; 1 when absent. */
  readonly texts?: number;
  /** Exchange some parameters. */
  readonly parameters?: (source: ParameterSource, program: Program) => ParameterSource;
}

/** The files of a bundle with the example's parameters. */
export function tinyBundle(
  program: Program,
  rest: Pick<BundleInput, "plan"> & Partial<Pick<BundleInput, "modules" | "scratchBytes" | "parameters" | "cuda">>,
): MemoryFiles {
  const files: MemoryFiles = new Map();
  writeBundle(
    {
      program,
      modules: [],
      scratchBytes: 0,
      parameters: checkpointSource(program, tinyCheckpoint()),
      tokenizer: tokenizerText(`${folder}tokenizer.json`, undefined)!,
      generation: {},
      compiler: "test",
      ...rest,
    },
    memoryWriter(files),
  );
  return files;
}

/** The model with the given storage of its matrices, through a whole bundle in memory. */
export async function tinyModel(options: TinyOptions): Promise<Model> {
  const model = new Model(await tinyParts(options));
  await model.reset();
  return model;
}

/** What that model is made of. */
export async function tinyParts(options: TinyOptions): Promise<ModelParts> {
  const { storage, cache, interpreter = false, native, texts = 1, parameters } = options;
  const program = tinyProgram();
  const { kernels, plan } = tinySchedule(program, storage, native?.target, cache);
  const own = checkpointSource(program, tinyCheckpoint());
  const modules =
    interpreter || native
      ? []
      : [{ relaxedSimd: true, threads: false, bytes: emitWasm(kernels, wasmRelaxed, { threads: false }) }];
  const files = tinyBundle(program, {
    plan,
    modules,
    scratchBytes: scratchBytes(kernels),
    parameters: parameters ? parameters(own, program) : own,
  });
  const make = native
    ? () => Promise.resolve(nativeDevice(kernels, plan, native.target, native.threads, texts))
    : interpreter
      ? () => Promise.resolve(interpreterDevice(kernels, plan))
      : undefined;
  return openModel(memoryFiles(files), nodeHost(), { threads: 1, texts }, make);
}

export function tinyTokenizer(): Tokenizer {
  return loadTokenizer(JSON.parse(tokenizerText(`${folder}tokenizer.json`, undefined)!) as TokenizerFiles);
}

/** Tokens of one row of the perplexity measurement, as `reference.json` was made. */
export const ROW = 256;
const MAX_ROWS = 20;

/** The held-out text of a domain in rows of 257 ids: each predicts the id after it. */
export function rowsOf(domain: string, tokenizer: Tokenizer, rows = MAX_ROWS): readonly (readonly number[])[] {
  const text = readFileSync(`${folder}val/${domain}.txt`, "utf8");
  const end = tokenizer.eos[0]!;
  const ids = [end];
  for (const document of text.split("\0")) ids.push(...tokenizer.encode(document, { addSpecial: false }), end);
  const count = Math.min(rows, MAX_ROWS, Math.floor((ids.length - 1) / ROW));
  return Array.from({ length: count }, (_, row) => ids.slice(row * ROW, (row + 1) * ROW + 1));
}

export interface DomainResult {
  readonly perplexity: number;
  /** For each layer how often each expert was chosen. */
  readonly counts: readonly (readonly number[])[];
}

/** Perplexity and choices of experts over rows of held-out text. */
export async function measure(model: Model, rows: readonly (readonly number[])[]): Promise<DomainResult> {
  let nats = 0;
  let tokens = 0;
  let counts: number[][] = [];
  for (const row of rows) {
    const { outputs, routes } = await model.call("forward", { tokens: row.slice(0, -1) }, { trace: true });
    const logits = Object.values(outputs)[0]!;
    const width = logits.axes[1]!.size;
    for (let at = 0; at < row.length - 1; at++) {
      nats += surprise(logits.data.subarray(at * width, (at + 1) * width), row[at + 1]!);
      tokens++;
    }
    const [trace] = routes;
    if (!trace) throw new Error("the model has no routes");
    counts =
      counts.length > 0 ? counts : Array.from({ length: trace.layers }, () => new Array<number>(trace.experts).fill(0));
    const perLayer = trace.tokens * trace.slots;
    trace.index.forEach((expert, place) => {
      if (expert >= 0) counts[Math.floor(place / perLayer)]![expert]!++;
    });
  }
  return { perplexity: Math.exp(nats / tokens), counts };
}

/** -log of the probability of `id`. */
function surprise(logits: Float32Array | Int32Array, id: number): number {
  let top = -Infinity;
  for (const value of logits) top = Math.max(top, value);
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - top);
  return top + Math.log(sum) - logits[id]!;
}

/** Share of choices that went to another expert: half the sum of differences, over all choices. */
export function histogramDistance(a: readonly number[], b: readonly number[]): number {
  const total = b.reduce((sum, count) => sum + count, 0);
  return a.reduce((sum, count, expert) => sum + Math.abs(count - b[expert]!), 0) / (2 * total);
}
