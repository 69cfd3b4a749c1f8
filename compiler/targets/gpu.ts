/** GPUs: threads of a block replace vectors. */
import type { Target } from "./target.js";

/** Limits that every WebGPU device grants without asking. */
export const webgpu: Target = {
  name: "webgpu",
  family: "wgsl",
  doc: "WebGPU with its guaranteed limits",
  vectorBits: 32,
  vectorRegisters: 64,
  fma: true,
  dotPairsI8: "emulated",
  // One instruction for four bytes in a word, all of them signed.
  dotQuads: "exact",
  blockThreads: 256,
  sharedBytes: 16384,
  // Every GPU has limits of its own, which the runtime asks for and splits weights by.
  memoryBytes: 2 ** 40,
};

/** Static shared memory is limited to 48 KiB. */
export const cuda: Target = {
  name: "cuda",
  family: "cuda",
  doc: "CUDA from compute capability 8.0 on",
  vectorBits: 32,
  vectorRegisters: 255,
  fma: true,
  dotPairsI8: "emulated",
  // One instruction for four bytes in a word, all of them signed.
  dotQuads: "exact",
  blockThreads: 1024,
  sharedBytes: 49152,
  memoryBytes: 2 ** 40,
};
