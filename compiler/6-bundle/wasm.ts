/** WebAssembly kernels of a bundle: modules for what an engine may have, and those that only some engines run. */
import type { Plan } from "../4-schedule/plan.js";
import { memoryOf } from "./describe.js";
import type { BundleInput, QuadKernels } from "./input.js";
import type { ManifestQuads, ManifestWasmTarget } from "./manifest.js";
import { planText } from "./plan-text.js";
import { layoutText } from "./shards.js";
import type { TargetWriter } from "./writer.js";

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
