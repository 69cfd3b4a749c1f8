/** Which of a bundle's compiled files a GPU runs. */
import { cudaArchitecture } from "../../compiler/5-emit/cuda/flags.js";
import type { ManifestCudaTarget } from "../../compiler/6-bundle/manifest.js";

/** A file of a bundle that a GPU can run; `undefined` when only the source is left. */
export function codeFor(
  { modules }: Pick<ManifestCudaTarget, "modules">,
  capability: number,
): ManifestCudaTarget["modules"][number] | undefined {
  const generation = (one: number): number => Math.floor(one / 10);
  const best = (kind: "cubin" | "ptx"): ManifestCudaTarget["modules"][number] | undefined =>
    modules
      .filter((one) => one.kind === kind && one.capability <= capability)
      // Machine code runs on GPUs of its own generation, PTX on all that are newer.
      .filter((one) => kind === "ptx" || generation(one.capability) === generation(capability))
      .sort((a, b) => b.capability - a.capability)[0];
  return best("cubin") ?? best("ptx");
}

/** `sm_80, PTX of compute_80`. */
export function codeNames({ modules }: Pick<ManifestCudaTarget, "modules">): string {
  const names = modules.map((module) => `${module.kind === "ptx" ? "PTX of " : ""}${cudaArchitecture(module)}`);
  return names.length === 0 ? "no GPU" : names.join(", ");
}
