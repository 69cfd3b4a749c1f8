/**
 * A whole model on the native device: the spec that `moec import` writes for a family of models, its plan for this
 * processor, and weights of noise (the time of a product does not depend on its numbers, and a router with noise spreads
 * the tokens over the experts). The same shape as a GGUF file for llama.cpp.
 */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { KQuants, StorageType } from "../../compiler/2-graph/ir.js";
import { deriveBatch, deriveLastToken, optimize } from "../../compiler/3-optimize/index.js";
import { schedule, type CacheStorage } from "../../compiler/4-schedule/index.js";
import { isBlocked, isMatrix } from "../../compiler/4-schedule/layout/layouts.js";
import { isK, kRecordBytes } from "../../compiler/4-schedule/micro/k-layouts.js";
import { wideRecordBytes } from "../../compiler/4-schedule/micro/wide-layouts.js";
import { layerCount, layoutOf } from "../../compiler/4-schedule/layout/pack.js";
import type { Plan, PlanEntry, PlanWeight } from "../../compiler/4-schedule/plan.js";
import { ggufMetadata, familyTensors } from "../../compiler/checkpoints/families/index.js";
import { fill } from "../../compiler/checkpoints/families/tensors.js";
import { writeSpec } from "../../compiler/checkpoints/import/spec.js";
import { fromF32, ggufChunks, STORAGE, type TensorSource } from "../../compiler/checkpoints/index.js";
import { storageOf } from "../../cli/storage-choice.js";
import type { Device } from "../../runtime/device.js";
import { tokenAxis } from "../../runtime/model/runner.js";
import type { SizeValues } from "../../runtime/plan/sizes.js";
import { pastOf, textOf, textRows } from "../../runtime/plan/texts.js";
import { testHost } from "../../test/check/host.js";
import { fineBlocks } from "../../test/native-kernels/fine-blocks.js";
import { levels, nativeDevice } from "../../test/support/native.js";
import { tinyVocabulary } from "../../test/support/tiny-checkpoints.js";
import { shapes } from "./shapes.js";
import { tokenAt } from "./tokens.mjs";

export type Quantization = "q4_0" | "q8_0" | KQuants;

/** Formats that files of the comparison are written in. */
export const fileTypes: readonly Quantization[] = ["q4_0", "q8_0", "q4_1", "q5_0", "q5_1", "q4_K", "q5_K", "q6_K"];

function noise(seed: number): Uint8Array {
  const words = new Uint32Array(1 << 18);
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state ^ (state >>> 15);
  }
  return new Uint8Array(words.buffer);
}

/** Small halves of both signs: 2^-6 to 2^-5. */
function smallHalves(bytes: Uint8Array): void {
  for (let at = 1; at < bytes.length; at += 2) bytes[at] = (bytes[at]! & 0x83) | 0x24;
}

/** Tokens of a call of prefill at most. */
const PREFILL = 512;

export interface ModelOptions {
  readonly threads: number;
  /** How keys and values are kept. */
  readonly cache: CacheStorage;
  /** Positions of a text. */
  readonly context: number;
  /** Texts side by side. */
  readonly texts: number;
}

/** What is timed: each of some texts goes on by some tokens. */
export interface Task {
  readonly texts: number;
  readonly tokens: number;
  /** Positions of each text before. */
  readonly past: number;
}

export interface PreparedModel {
  /** Bytes of weights that one token reads: of tables that are looked up nothing, of experts those that are chosen. */
  readonly tokenBytes: number;
  /** Multiplications and additions of one token of a long prompt by weights; the output is for the last one only. */
  readonly tokenOperations: number;
  /** Milliseconds of wall time and of processor time of one call; what lies before is there when they begin. */
  call(task: Task): { readonly wall: number; readonly cpu: number };
  /** Gives the memory back. */
  dispose(): void;
}

export function prepareModel(shape: string, quantization: Quantization, options: ModelOptions): PreparedModel {
  const config = shapes[shape]!;
  const spec = writeSpec({ config, format: "gguf", prefix: "", name: "Bench", source: "bench" });
  const project = check("bench.moe", testHost({ "bench.moe": spec }));
  if (project.diagnostics.length > 0) throw new Error(JSON.stringify(project.diagnostics));
  const program = deriveBatch(optimize(deriveLastToken(buildProgram(project))));
  const target = levels[0]!;
  const { threads, cache, context, texts } = options;
  const storage: (param: Parameters<ReturnType<typeof storageOf>>[0]) => StorageType = storageOf(program, quantization);
  const { kernels, plan } = schedule(program, target, { limits: { T: PREFILL, context }, storage, cache });
  const device = nativeDevice(kernels, plan, target, threads, texts);
  const some = noise(7);
  const halves = some.slice();
  smallHalves(halves);
  const offsets = new Map(plan.buffers.map(({ id, offset }) => [id, offset]));
  for (const weight of plan.weights) {
    const layout = layoutOf(weight);
    const total = layerCount(weight) * layout.layerBytes;
    const { storage } = layout;
    const inRecords = isMatrix(layout) && isBlocked(storage);
    const bytes = inRecords ? some.slice() : halves.slice();
    if (storage === "f32") new Float32Array(bytes.buffer).fill(1);
    else if (inRecords) {
      // The f16 numbers of a record lie in its first 64 bytes; those of blocks with minima go on, and are noise.
      const record = isK(storage) ? kRecordBytes(storage) : wideRecordBytes(storage);
      const usable = bytes.length - (bytes.length % record);
      for (let at = 0; at < usable; at += record) bytes.set(halves.subarray(at, at + 64), at);
      for (let at = 0; at < total; at += usable) {
        const part = bytes.subarray(0, Math.min(usable, total - at));
        void device.write("weights", offsets.get(weight.buffer)! + at, part);
      }
      continue;
    }
    for (let at = 0; at < total; at += bytes.length) {
      const part = bytes.subarray(0, Math.min(bytes.length, total - at));
      void device.write("weights", offsets.get(weight.buffer)! + at, part);
    }
  }
  const share = (weight: PlanWeight): number => {
    if (!weight.matrix) return 0;
    return weight.path.includes(".experts.") ? config.expertsPerToken / config.experts : 1;
  };
  const numbers = ({ axes }: PlanWeight): number => axes.reduce((product, { size }) => product * size, 1);
  const isOutput = ({ layerAxes }: PlanWeight): boolean => layerAxes === 0;
  const total = (count: (weight: PlanWeight) => number): number =>
    plan.weights.reduce((sum, weight) => sum + share(weight) * count(weight), 0);
  return {
    tokenBytes: total((weight) => layerCount(weight) * layoutOf(weight).layerBytes),
    tokenOperations: 2 * total((weight) => (isOutput(weight) ? 0 : numbers(weight))),
    ...calls(device, plan, texts),
    dispose: () => device.dispose(),
  };
}

/** Calls of a device, whose texts are brought to the length that a task wants before its time begins. */
function calls(device: Device, plan: Plan, texts: number): Pick<PreparedModel, "call"> {
  const { last, batch } = { last: entryOf(plan, "forward_last"), batch: entryOf(plan, "forward.batch") };
  const run = (entry: PlanEntry, ids: readonly number[], sizes: SizeValues): void => {
    const { offset } = plan.buffers.find(({ id }) => id === entry.inputs[0]!.buffer)!;
    void device.write("io", offset, new Uint8Array(Int32Array.from(ids).buffer));
    void device.run(entry.name, { [tokenAxis(entry)]: ids.length, ...sizes });
  };
  const goOn = (text: number, past: number, tokens: number): void => {
    device.selectText!(text);
    const ids = Array.from({ length: tokens }, (_, i) => tokenAt(text, past + i));
    run(last, ids, { past });
  };
  const step = (count: number, past: number): void => {
    const ids = Array.from({ length: count }, (_, text) => tokenAt(text, past));
    const rows = Array.from({ length: textRows(batch) }, (_, row) => row);
    const pasts = rows.map((row) => [pastOf(row), row < count ? past : 0] as const);
    const own = rows.map((row) => [textOf(row), row < count ? row : 0] as const);
    run(batch, ids, { past: 0, ...Object.fromEntries([...pasts, ...own]) });
  };
  /** Positions of each text that hold keys and values. */
  const filled = new Array<number>(texts).fill(0);
  const fill = (text: number, past: number): void => {
    for (let at = filled[text]!; at < past; at += PREFILL) goOn(text, at, Math.min(PREFILL, past - at));
    filled[text] = Math.max(filled[text]!, past);
  };
  return {
    call: ({ texts: count, tokens, past }) => {
      for (let text = 0; text < count; text++) fill(text, past);
      const before = process.cpuUsage();
      const start = performance.now();
      if (count > 1 && tokens === 1) step(count, past);
      else for (let text = 0; text < count; text++) goOn(text, past, tokens);
      const wall = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      for (let text = 0; text < count; text++) filled[text] = Math.max(filled[text]!, past + tokens);
      return { wall, cpu: (user + system) / 1000 };
    },
  };
}

const entryOf = (plan: Plan, name: string): PlanEntry => plan.entries.find((entry) => entry.name === name)!;

/** Writes the GGUF file: quants of noise with one scale, routers and norms as f32. */
export async function writeModel(shape: string, quantization: Quantization, path: string): Promise<void> {
  const config = shapes[shape]!;
  const some = noise(7);
  const floats = Float32Array.from(
    { length: 1 << 16 },
    (_, i) => ((some[2 * i]! | (some[2 * i + 1]! << 8)) / 32768 - 1) / 16,
  );
  const blocks = isK(quantization) ? fineBlocks(quantization, floats.length, 7).bytes : fromF32(quantization, floats);
  const tensors = familyTensors(config).map(({ rule, shape: sizes, layer }, number): TensorSource => {
    const type = rule.matrix ? quantization : "f32";
    const count = sizes.reduce((product, size) => product * size, 1);
    const { blockBytes, blockValues } = STORAGE[type];
    const data = (): Uint8Array => {
      const bytes = new Uint8Array((count / blockValues) * blockBytes);
      const source = type === "f32" ? new Uint8Array(floats.buffer) : blocks;
      if (sizes.length === 1) new Float32Array(bytes.buffer).fill(1);
      else {
        // Each tensor begins at another block, so that no two layers are alike.
        const shift = (number * 977 * blockBytes) % source.length;
        const turned = new Uint8Array(source.length);
        turned.set(source.subarray(shift));
        turned.set(source.subarray(0, shift), source.length - shift);
        for (let at = 0; at < bytes.length; at += turned.length) bytes.set(turned.subarray(0, bytes.length - at), at);
      }
      return bytes;
    };
    return { name: fill(rule.gguf, layer), shape: sizes, type, data };
  });
  const metadata = new Map([...ggufMetadata(config, shape), ...tinyVocabulary(config.vocab)]);
  const file = createWriteStream(path);
  for (const chunk of ggufChunks({ metadata, tensors })) if (!file.write(chunk)) await once(file, "drain");
  file.end();
  await once(file, "close");
}
