/** Every target by name. */
import type { Target } from "./target.js";
import { wasmRelaxed, wasmSimd } from "./wasm.js";

export type { DotSupport, Target } from "./target.js";
export { lanesOf } from "./target.js";
export { wasmRelaxed, wasmSimd };

export const targets: Readonly<Record<string, Target>> = {
  [wasmSimd.name]: wasmSimd,
  [wasmRelaxed.name]: wasmRelaxed,
};
