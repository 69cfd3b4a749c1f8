/**
 * Puts a bundle together: kernels, plan, packed weights, tokenizer, typed shim, and the manifest last. Where the bytes
 * go is the shell's business: it gives a writer, so that nothing here knows of folders.
 */
import type { Program } from "../2-graph/ir.js";
import type { Plan } from "../4-schedule/plan.js";
import { bundleManifest, PLAN_FILE } from "./describe.js";
import type { Manifest, ManifestFile, ManifestGeneration, ManifestShard, ManifestTarget } from "./manifest.js";
import type { ParameterSource } from "./parameters.js";
import { shimFiles } from "./shim.js";
import { forBrowsers } from "./browser-files.js";
import { writeCuda, type CudaKernels } from "./cuda.js";
import { writeLevels, type NativeLevel } from "./native.js";
import { planText } from "./plan-text.js";
import { layoutText, writeShards } from "./shards.js";
import { writeWasm, type KernelModule, type QuadKernels } from "./wasm.js";
import { writeWebGpu, type WebGpuKernels } from "./webgpu.js";

/** One file of the bundle while it is written. */
export interface OpenFile {
  write(bytes: Uint8Array): void;
  /** Ends the file and gives its size and hash. */
  close(): ManifestFile;
}

export interface BundleWriter {
  open(path: string): OpenFile;
}

/** How targets write their part of a bundle. */
export interface TargetWriter {
  /** Writes one file. */
  readonly put: (path: string, bytes: Uint8Array | string) => void;
  /** Writes the weights of a plan, under a name, unless they are there already. */
  readonly weights: (plan: Plan, name: string) => readonly ManifestShard[];
}

/** A file of the runtime that browsers load; `runtime.js` is what a page imports. */
export interface BrowserFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface BundleInput {
  readonly program: Program;
  readonly plan: Plan;
  /** None for a bundle that has native kernels only; `plan` is then that of the first level. */
  readonly modules: readonly KernelModule[];
  /** What engines with exact products of bytes run instead of `modules`. */
  readonly quads?: QuadKernels;
  readonly native?: readonly NativeLevel[];
  readonly webgpu?: WebGpuKernels;
  readonly cuda?: CudaKernels;
  readonly scratchBytes: number;
  readonly parameters: ParameterSource;
  /** JSON text of what `loadTokenizer` takes. */
  readonly tokenizer?: string;
  readonly generation: ManifestGeneration;
  /** The runtime for browsers. Without it the shim needs the package `moec` there too. */
  readonly browser?: readonly BrowserFile[];
  /** Version of moec. */
  readonly compiler: string;
  /** Told how many bytes of weights were packed, of how many. */
  readonly onProgress?: (packed: number, total: number) => void;
}

/** Writes everything; the manifest is the last file, so a bundle without one is not whole. */
export function writeBundle(input: BundleInput, writer: BundleWriter): Manifest {
  const files: ManifestFile[] = [];
  const put = (path: string, bytes: Uint8Array | string): void => {
    const file = writer.open(path);
    file.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    files.push(file.close());
  };
  const wasm = input.modules.length > 0 ? writeWasm(input, { put }) : undefined;
  put(PLAN_FILE, planText(input.plan));
  const written = new Map<string, readonly ManifestShard[]>();
  const weights = (plan: Plan, name: string): readonly ManifestShard[] => {
    const layout = layoutText(plan);
    const shards = written.get(layout) ?? writeShards(plan, name, input, writer, files);
    written.set(layout, shards);
    return shards;
  };
  const shards = weights(input.plan, "weights");
  const native = writeLevels(input, { put, weights });
  const webgpu = input.webgpu && writeWebGpu(input.webgpu, { put, weights });
  const cuda = input.cuda && writeCuda(input.cuda, { put, weights });
  if (input.tokenizer !== undefined) put("tokenizer.json", input.tokenizer);
  const targets: readonly ManifestTarget[] = [
    ...(wasm ? [wasm] : []),
    ...native,
    ...(webgpu ? [webgpu] : []),
    ...(cuda ? [cuda] : []),
  ];
  const described = bundleManifest(input, targets, shards);
  const data = forBrowsers(described, files);
  const { browser } = input;
  for (const { path, bytes } of browser ?? []) put(path, bytes);
  for (const { path, text } of shimFiles(described, browser && data)) put(path, text);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const manifest = { ...described, files };
  const last = writer.open("manifest.json");
  last.write(new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  last.close();
  return manifest;
}
