/** The toy model as a bundle, with a tokenizer of one letter per token. */
import { Size } from "../../compiler/axes/size.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { writeBundle, type BundleInput } from "../../compiler/6-bundle/index.js";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import { wasmRelaxed, wasmSimd } from "../../compiler/targets/index.js";
import { memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";
import { kernels, plan, table, V } from "./toy-model.js";

/** Token i is the letter with code 65 + i; the last two end a text and begin one. */
export const EOS = V - 2;
export const BOS = V - 1;

export function tokenizerText(): string {
  const vocab: Record<string, number> = {};
  for (let id = 0; id < EOS; id++) vocab[String.fromCharCode(65 + id)] = id;
  vocab["<eos>"] = EOS;
  vocab["<bos>"] = BOS;
  const special = (id: number, content: string): object => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [special(EOS, "<eos>"), special(BOS, "<bos>")],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: "BPE", vocab, merges: [] },
  };
  return JSON.stringify({ tokenizer, eos: [EOS] });
}

const program: Program = {
  name: "Toy",
  params: [
    {
      path: "table",
      dtype: "f32",
      axes: [
        { name: "U", size: Size.of(V) },
        { name: "V", size: Size.of(V) },
      ],
      layerAxes: 0,
    },
  ],
  states: [],
  knobs: [],
  runtimeSizes: ["T", "past"],
  entries: [],
  weightNames: {},
  settings: {},
};

export function toyInput(): BundleInput {
  return {
    program,
    plan,
    modules: [true, false].flatMap((relaxedSimd) =>
      [true, false].map((threads) => ({
        relaxedSimd,
        threads,
        bytes: emitWasm(kernels, relaxedSimd ? wasmRelaxed : wasmSimd, { threads }),
      })),
    ),
    scratchBytes: scratchBytes(kernels),
    parameters: { read: () => table },
    tokenizer: tokenizerText(),
    generation: {},
    compiler: "0.0.0",
  };
}

export function toyFiles(): MemoryFiles {
  const files: MemoryFiles = new Map();
  writeBundle(toyInput(), memoryWriter(files));
  return files;
}
