/** Bundles: packed weights, plan, kernels, manifest and typed shim. Pure: a writer takes the bytes. */
export { writeBundle } from "./bundle.js";
export type {
  BundleInput,
  BundleRuntime,
  CudaKernels,
  CudaModule,
  KernelModule,
  NativeLevel,
  QuadKernels,
  RuntimeFile,
  WebGpuKernels,
} from "./input.js";
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
export { platformOf } from "./native.js";
export type { BundleWriter, OpenFile } from "./writer.js";
