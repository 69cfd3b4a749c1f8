/** From a bundle with WebAssembly kernels to a device. */
import type { Manifest, ManifestKernels, ManifestWasmTarget } from "../../compiler/6-bundle/manifest.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import { checkedBytes, checkedText } from "../bundle/checked-files.js";
import { readPlan } from "../bundle/read-plan.js";
import type { Device } from "../device.js";
import type { BundleFiles, Host } from "../host.js";
import { chooseWasm, makeWasmDevice } from "../wasm/device.js";
import { mapMemory } from "../wasm/memory-map.js";

/**
 * @throws MoecError MOE5309, MOE5310, MOE5312, and what reading a file throws.
 */
export async function openWasm(
  files: BundleFiles,
  manifest: Manifest,
  target: ManifestWasmTarget,
  host: Host,
  { threads, texts = 1 }: { readonly threads?: number; readonly texts?: number },
): Promise<{ readonly plan: Plan; readonly device: Device }> {
  const choice = chooseWasm(host, threads);
  const { quads } = choice.quads ? target : {};
  const { plan: planFile, memory } = quads ?? manifest;
  const { kernels, scratchBytes } = quads ?? target;
  const plan = readPlan(await checkedText(files, manifest, planFile), { memory });
  // Refused before the kernels are read when the weights don't fit into a memory.
  mapMemory(plan, scratchBytes, choice.threads, texts);
  const file = chooseKernels(kernels, choice.relaxedSimd, choice.threads > 1);
  const module = await compileKernels(await checkedBytes(files, manifest, file), file);
  const made = { ...choice, quads: quads !== undefined };
  const mayBeFewer = threads === undefined;
  return { plan, device: makeWasmDevice({ plan, module, scratchBytes, choice: made, host, texts, mayBeFewer }) };
}

function chooseKernels(kernels: readonly ManifestKernels[], relaxedSimd: boolean, threads: boolean): string {
  const usable = kernels.filter((one) => one.threads === threads && (relaxedSimd || !one.relaxedSimd));
  const best = usable.find((one) => one.relaxedSimd) ?? usable[0];
  if (best) return best.file;
  const reason = `the bundle has no kernels ${threads ? "for" : "without"} threads that this engine can run`;
  throw moecError("MOE5309", { device: "wasm", reason });
}

async function compileKernels(bytes: Uint8Array, file: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(new Uint8Array(bytes));
  } catch (error) {
    const reason = `${file}: ${reasonOf(error)}`;
    throw moecError("MOE5309", { device: "wasm", reason });
  }
}
