/** Choosing a GPU for a bundle's CUDA kernels, and the device for it. */
import type { ManifestCudaTarget } from "../../compiler/6-bundle/manifest.js";
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import type { CudaChoice } from "../host.js";
import { codeFor, codeNames } from "./code.js";
import { makeCudaDevice } from "./device.js";
import { CudaGpu } from "./gpu.js";
import { compileSource } from "./nvrtc.js";

/**
 * The first GPU, with the file that it runs best.
 *
 * @throws MoecError MOE4230 when there is no driver or GPU, MOE4232 from `open` when neither code nor source runs.
 */
export function chooseCuda(target: ManifestCudaTarget): CudaChoice {
  const gpu = CudaGpu.first();
  const compiled = codeFor(target, gpu.capability);
  const file = compiled?.file ?? target.source;
  return {
    file,
    open: ({ plan, code, launches, texts }) => {
      const image = compiled ? ended(code) : fromSource(target, gpu, code);
      return makeCudaDevice({ plan, gpu, code: image, file, launches, ...(texts === undefined ? {} : { texts }) });
    },
  };
}

/** With the zero that ends PTX; machine code knows its own length. */
function ended(code: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(code.length + 1);
  bytes.set(code);
  return bytes;
}

function fromSource(target: ManifestCudaTarget, gpu: CudaGpu, source: Uint8Array): Uint8Array {
  try {
    return compileSource(new TextDecoder().decode(source), gpu.capability);
  } catch (error) {
    throw moecError("MOE4232", { available: codeNames(target), gpu: gpu.name, reason: reasonOf(error) });
  }
}
