/** WebAssembly kernels of a bundle: modules for what an engine may have, and those that only some engines run. */
import type { Plan } from "../4-schedule/plan.js";
import type { BundleInput, TargetWriter } from "./bundle.js";
import { memoryOf } from "./describe.js";
import type { ManifestQuads, ManifestWasmTarget } from "./manifest.js";
import { planText } from "./plan-text.js";
import { layoutText } from "./shards.js";

/** Kernels of one variant. */
export interface KernelModule {
  readonly relaxedSimd: boolean;
  readonly threads: boolean;
  readonly bytes: Uint8Array;
}

/** Kernels for engines whose sums of four products of bytes are exact (`wasmQuads`), with the plan that they belong to. */
export interface QuadKernels {
  readonly plan: Plan;
  readonly modules: readonly Pick<KernelModule, "threads" | "bytes">[];
  readonly scratchBytes: number;
}

const PLAN_OF_QUADS = "plan-quads.json";

export function writeWasm(
  { modules, quads, scratchBytes, plan }: Pick<BundleInput, "modules" | "quads" | "scratchBytes" | "plan">,
  { put }: Pick<TargetWriter, "put">,
): ManifestWasmTarget {
  const kernels = modules.map(({ relaxedSimd, threads, bytes }) => {
    const file = `kernels${relaxedSimd ? "-relaxed" : ""}${threads ? "-threads" : ""}.wasm`;
    put(file, bytes);
    return { file, relaxedSimd, threads };
  });
  return { name: "wasm", kernels, scratchBytes, ...(quads ? { quads: writeQuads(quads, plan, put) } : {}) };
}

/** @throws TypeError when the plan lays weights out differently: both read the same shards. */
function writeQuads({ plan, modules, scratchBytes }: QuadKernels, own: Plan, put: TargetWriter["put"]): ManifestQuads {
  if (layoutText(plan) !== layoutText(own)) throw new TypeError("kernels with quads want other weights");
  const kernels = modules.map(({ threads, bytes }) => {
    const file = `kernels-quads${threads ? "-threads" : ""}.wasm`;
    put(file, bytes);
    return { file, relaxedSimd: true, threads };
  });
  put(PLAN_OF_QUADS, planText(plan));
  return { kernels, scratchBytes, plan: PLAN_OF_QUADS, memory: memoryOf(plan) };
}
