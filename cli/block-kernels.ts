/**
 * Stored numbers to blocks by kernels that the compiler makes on the spot: quant for quant what `asBlocks` gives, twenty
 * times as fast. Few numbers go the plain way, so that small models do not wait for a compile.
 */
import { requantizeKernel, isRequantizable, type BlockTarget } from "../compiler/4-schedule/requantize/kernel.js";
import { emitWasm } from "../compiler/5-emit/wasm/index.js";
import type { AsBlocks } from "../compiler/6-bundle/index.js";
import { asBlocks } from "../compiler/checkpoints/reblock.js";
import { STORAGE } from "../compiler/checkpoints/storage.js";
import type { StorageType } from "../compiler/checkpoints/types.js";
import { wasmSimd } from "../compiler/targets/index.js";

/** Numbers that are converted plainly before a kernel is made. */
const PLAIN_VALUES = 2 ** 21;
/** Numbers of one call of a kernel. */
const PIECE = 2 ** 18;
/** Where the kernel's buffers begin: the largest magnitude, then stored bytes, then blocks. */
const MOST_AT = 1024;
const SOURCE_AT = 2048;
const TARGET_AT = SOURCE_AT + PIECE * 4;
const PAGE_BYTES = 65536;
/** Magnitudes from here on may not fit an f16 scale; the plain way says which number does not. */
const LARGEST = 2 ** 18;

type Run = (source: number, target: number, most: number, from: number, to: number) => void;

/** Converts whole tensors; keeps its kernels between calls. */
export function kernelBlocks(): AsBlocks {
  const runs = new Map<string, Run>();
  let memory: WebAssembly.Memory | undefined;
  let plain = 0;
  const kernelOf = (from: StorageType, to: BlockTarget): Run => {
    const key = `${from} ${to}`;
    let run = runs.get(key);
    if (!run) {
      memory ??= new WebAssembly.Memory({ initial: Math.ceil((TARGET_AT + 2 * PIECE) / PAGE_BYTES) });
      const kernel = requantizeKernel(from, to);
      const module = new WebAssembly.Module(emitWasm([kernel], wasmSimd) as BufferSource);
      run = new WebAssembly.Instance(module, { env: { memory } }).exports[kernel.name] as unknown as Run;
      runs.set(key, run);
    }
    return run;
  };
  return (from, bytes, to) => {
    const { blockValues, blockBytes } = STORAGE[from];
    const values = (bytes.length / blockBytes) * blockValues;
    if (from === to || !isRequantizable(from) || (plain += values) <= PLAIN_VALUES) return asBlocks(from, bytes, to);
    const run = kernelOf(from, to);
    const view = new Uint8Array(memory!.buffer);
    const most = new Float32Array(memory!.buffer, MOST_AT, 1);
    most[0] = 0;
    const step = Math.max(32, blockValues);
    const bytesOf = (count: number): number => (count / blockValues) * blockBytes;
    const blocksOf = (count: number): number => (count / STORAGE[to].blockValues) * STORAGE[to].blockBytes;
    const out = new Uint8Array(blocksOf(values));
    for (let at = 0; at < values; at += PIECE) {
      const count = Math.min(PIECE, values - at);
      view.set(bytes.subarray(bytesOf(at), bytesOf(at + count)), SOURCE_AT);
      run(SOURCE_AT, TARGET_AT, MOST_AT, 0, count / step);
      out.set(view.subarray(TARGET_AT, TARGET_AT + blocksOf(count)), blocksOf(at));
    }
    return most[0] < LARGEST ? out : asBlocks(from, bytes, to);
  };
}
