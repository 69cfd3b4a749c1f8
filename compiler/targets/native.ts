/** Native code by way of LLVM, for levels of processors. */
import type { Target } from "./target.js";
import { amxTiles, avx2Tiles, avx512Tiles, neonTiles } from "./tile-shapes.js";

const common = {
  family: "llvm",
  fma: true,
  dotPairsI8: "i7",
  blockThreads: 1,
  sharedBytes: 1 << 20,
  memoryBytes: 2 ** 40,
} as const;

const needsV3 = ["avx2", "fma", "f16c", "bmi1", "bmi2", "movbe", "abm"];
const needsV4 = [...needsV3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];

/** AVX2, FMA and F16C: nearly every x86-64 server since 2013. */
export const x86v3: Target = {
  ...common,
  name: "x86-64-v3",
  doc: "x86-64 with AVX2, FMA and F16C",
  vectorBits: 256,
  vectorRegisters: 16,
  dotQuads: "emulated",
  tiles: avx2Tiles,
  codegen: { architecture: "x86-64", cpu: "x86-64-v3", features: "", needs: needsV3 },
};

const vnni: NonNullable<Target["codegen"]> = {
  architecture: "x86-64",
  cpu: "x86-64-v4",
  features: "+avx512vnni",
  needs: [...needsV4, "avx512_vnni"],
};

/** AVX-512 with the dot products of VNNI: servers since 2019 (Intel) and 2022 (AMD). */
export const x86v4: Target = {
  ...common,
  name: "x86-64-v4-vnni",
  doc: "x86-64 with AVX-512 and VNNI",
  vectorBits: 512,
  vectorRegisters: 32,
  dotQuads: "i7",
  tiles: avx512Tiles,
  codegen: vnni,
};

/** What AVX-512 has, and matrices of bf16 numbers in registers of their own: Intel's servers since 2023. */
export const x86v4Amx: Target = {
  ...x86v4,
  name: "x86-64-v4-amx",
  doc: "x86-64 with AVX-512, VNNI and matrices of bf16 numbers (AMX)",
  tiles: amxTiles,
  codegen: {
    ...vnni,
    features: `${vnni.features},+amx-tile,+amx-bf16`,
    needs: [...vnni.needs, "amx_tile", "amx_bf16"],
  },
};

/**
 * NEON with the dot products of ARMv8.2: servers and phones since 2018. Tests run its kernels on an emulated processor.
 */
export const arm64Dot: Target = {
  ...common,
  name: "aarch64-dotprod",
  doc: "64-bit ARM with NEON and its dot products",
  vectorBits: 128,
  vectorRegisters: 32,
  dotPairsI8: "emulated",
  dotQuads: "exact",
  tiles: neonTiles,
  codegen: {
    architecture: "aarch64",
    cpu: "neoverse-n1",
    features: "+neon,+dotprod",
    // Also what LLVM may take from this processor beyond the dot products: atomic additions in one instruction, loads that
    // acquire, and halves.
    needs: ["asimd", "asimddp", "atomics", "lrcpc", "fphp", "asimdhp", "asimdrdm", "crc32"],
  },
};
