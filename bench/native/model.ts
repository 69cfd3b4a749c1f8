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
import { deriveLastToken, optimize } from "../../compiler/3-optimize/index.js";
import { schedule, type CacheStorage } from "../../compiler/4-schedule/index.js";
import { isBlocked, isMatrix } from "../../compiler/4-schedule/layout/layouts.js";
import { isK, kRecordBytes } from "../../compiler/4-schedule/micro/k-layouts.js";
import { wideRecordBytes } from "../../compiler/4-schedule/micro/wide-layouts.js";
import { layerCount, layoutOf } from "../../compiler/4-schedule/layout/pack.js";
import type { PlanWeight } from "../../compiler/4-schedule/plan.js";
import { ggufMetadata, familyTensors } from "../../compiler/checkpoints/families/index.js";
import { fill } from "../../compiler/checkpoints/families/tensors.js";
import { writeSpec } from "../../compiler/checkpoints/import/spec.js";
import { fromF32, ggufChunks, STORAGE, type TensorSource } from "../../compiler/checkpoints/index.js";
import { storageOf } from "../../cli/storage-choice.js";
import { testHost } from "../../test/check/host.js";
import { fineBlocks } from "../../test/native-kernels/fine-blocks.js";
import { levels, nativeDevice } from "../../test/support/native.js";
import { tinyVocabulary } from "../../test/support/tiny-checkpoints.js";
import { shapes } from "./shapes.js";

export type Quantization = "q4_0" | "q8_0" | KQuants;

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

/** Positions that both engines have room for. */
export const CONTEXT = 2560;

export interface PreparedModel {
  readonly threads: number;
  /** Bytes of weights that one token reads: of tables that are looked up nothing, of experts those that are chosen. */
  readonly tokenBytes: number;
  /** Milliseconds of wall time and of processor time of a call with `tokens` tokens behind `past`. */
  call(tokens: number, past: number): { readonly wall: number; readonly cpu: number };
}

export function prepareModel(
  shape: string,
  quantization: Quantization,
  threads: number,
  cache: CacheStorage = "f32",
): PreparedModel {
  const config = shapes[shape]!;
  const spec = writeSpec({ config, format: "gguf", prefix: "", name: "Bench", source: "bench" });
  const project = check("bench.moe", testHost({ "bench.moe": spec }));
  if (project.diagnostics.length > 0) throw new Error(JSON.stringify(project.diagnostics));
  const program = optimize(deriveLastToken(buildProgram(project)));
  const target = levels[0]!;
  const storage: (param: Parameters<ReturnType<typeof storageOf>>[0]) => StorageType = storageOf(program, quantization);
  const { kernels, plan } = schedule(program, target, { limits: { T: 512, context: CONTEXT }, storage, cache });
  const device = nativeDevice(kernels, plan, target, threads);
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
  const entry = plan.entries.find(({ name }) => name === "forward_last")!;
  const input = offsets.get(entry.inputs[0]!.buffer)!;
  const share = (weight: PlanWeight): number => {
    if (!weight.matrix) return 0;
    return weight.path.includes(".experts.") ? config.expertsPerToken / config.experts : 1;
  };
  return {
    threads,
    tokenBytes: plan.weights.reduce((sum, one) => sum + share(one) * layerCount(one) * layoutOf(one).layerBytes, 0),
    call: (tokens, past) => {
      const ids = Int32Array.from({ length: tokens }, (_, i) => 300 + ((i * 7919) % 7000));
      void device.write("io", input, new Uint8Array(ids.buffer));
      const before = process.cpuUsage();
      const start = performance.now();
      void device.run("forward_last", { T: tokens, past });
      const wall = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      return { wall, cpu: (user + system) / 1000 };
    },
  };
}

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
