/** Every target that is built for, by name. */
import { cuda, webgpu } from "./gpu.js";
import { arm64Dot, x86v3, x86v4, x86v4Amx } from "./native.js";
import type { Target } from "./target.js";
import { wasmQuads, wasmRelaxed, wasmSimd } from "./wasm.js";

export type { DotSupport, Target } from "./target.js";
export { isGpu, lanesOf } from "./target.js";
export type { SumTile, WideShapes } from "./tile-shapes.js";
export { arm64Dot, cuda, wasmQuads, wasmRelaxed, wasmSimd, webgpu, x86v3, x86v4, x86v4Amx };

export const targets: Readonly<Record<string, Target>> = Object.fromEntries(
  [wasmSimd, wasmRelaxed, wasmQuads, x86v3, x86v4, webgpu, cuda].map((target) => [target.name, target]),
);
