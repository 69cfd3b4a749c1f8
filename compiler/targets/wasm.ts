/** WebAssembly with 128-bit vectors, and the same with the relaxed instructions. */
import type { Target } from "./target.js";

const common = {
  family: "wasm",
  vectorBits: 128,
  // x86-64 without AVX-512 has 16 registers, one of which the engine keeps for itself.
  vectorRegisters: 15,
  blockThreads: 1,
  sharedBytes: 1 << 20,
  memoryBytes: 65536 * 65536,
} as const;

/** Runs everywhere that has SIMD128; sums of products round twice and give equal bits on every machine. */
export const wasmSimd: Target = {
  ...common,
  name: "wasm-simd",
  doc: "WebAssembly with SIMD128",
  fma: false,
  dotPairsI8: "emulated",
  dotQuads: "emulated",
};

/** Adds fused multiply-add and i8 dot products; Node 20 needs --experimental-wasm-relaxed-simd. */
export const wasmRelaxed: Target = {
  ...common,
  name: "wasm-relaxed",
  doc: "WebAssembly with SIMD128 and relaxed SIMD",
  fma: true,
  dotPairsI8: "i7",
  dotQuads: "i7",
};

/** For engines whose product of four bytes is exact for all bytes, which those are where it is one instruction. */
export const wasmQuads: Target = {
  ...wasmRelaxed,
  name: "wasm-quads",
  doc: "WebAssembly with relaxed SIMD whose sums of four products of bytes are exact",
  dotQuads: "either",
};
