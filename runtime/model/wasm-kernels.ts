/** From a bundle with WebAssembly kernels to a device. */
import type { Manifest, ManifestWasmTarget } from "../../compiler/6-bundle/manifest.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import { checkedBytes } from "../bundle/checked-files.js";
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
  plan: Plan,
  host: Host,
  { threads, texts = 1 }: { readonly threads?: number; readonly texts?: number },
): Promise<Device> {
  const choice = chooseWasm(host, threads);
  // Refused before the kernels are read when the weights don't fit into a memory.
  mapMemory(plan, target.scratchBytes, choice.threads, texts);
  const file = chooseKernels(target, choice.relaxedSimd, choice.threads > 1);
  const bytes = await checkedBytes(files, manifest, file);
  const module = await compileKernels(bytes, file);
  return makeWasmDevice({ plan, module, scratchBytes: target.scratchBytes, choice, host, texts });
}

function chooseKernels(target: ManifestWasmTarget, relaxedSimd: boolean, threads: boolean): string {
  const usable = target.kernels.filter((one) => one.threads === threads && (relaxedSimd || !one.relaxedSimd));
  const best = usable.find((one) => one.relaxedSimd) ?? usable[0];
  if (best) return best.file;
  const reason = `the bundle has no kernels ${threads ? "for" : "without"} threads that this engine can run`;
  throw moecError("MOE5309", { device: target.name, reason });
}

async function compileKernels(bytes: Uint8Array, file: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(new Uint8Array(bytes));
  } catch (error) {
    const reason = `${file}: ${reasonOf(error)}`;
    throw moecError("MOE5309", { device: "wasm", reason });
  }
}
