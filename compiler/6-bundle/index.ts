/** Bundles: packed weights, plan, kernels, manifest and typed shim. Pure: a writer takes the bytes. */
export { writeBundle, type BrowserFile, type BundleInput, type BundleWriter, type OpenFile } from "./bundle.js";
export type { Manifest, ManifestFile, ManifestGeneration } from "./manifest.js";
export {
  checkpointSource,
  hasBlocksAlong,
  hasTensorsOfExperts,
  randomSource,
  tensorsOf,
  type AsBlocks,
  type ParameterSource,
} from "./parameters.js";
export { packWeights } from "./weights.js";
export type { CudaKernels, CudaModule } from "./cuda.js";
export { platformOf, type NativeLevel } from "./native.js";
export type { KernelModule, QuadKernels } from "./wasm.js";
export type { WebGpuKernels } from "./webgpu.js";
