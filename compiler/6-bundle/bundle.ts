/**
 * Puts a bundle together: kernels, plan, packed weights, tokenizer, typed shim, and the manifest last. Where the bytes
 * go is the shell's business: it gives a writer, so that nothing here knows of folders.
 */
import type { Program } from "../2-graph/ir.js";
import type { Plan } from "../4-schedule/plan.js";
import { bundleManifest } from "./describe.js";
import type { Manifest, ManifestFile, ManifestGeneration, ManifestShard } from "./manifest.js";
import type { ParameterSource } from "./parameters.js";
import { shimFiles } from "./shim.js";
import { packWeights } from "./weights.js";

/** One file of the bundle while it is written. */
export interface OpenFile {
  write(bytes: Uint8Array): void;
  /** Ends the file and gives its size and hash. */
  close(): ManifestFile;
}

export interface BundleWriter {
  open(path: string): OpenFile;
}

/** Kernels of one variant. */
export interface KernelModule {
  readonly relaxedSimd: boolean;
  readonly threads: boolean;
  readonly bytes: Uint8Array;
}

/** A file of the runtime that browsers load; `runtime.js` is what a page imports. */
export interface BrowserFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface BundleInput {
  readonly program: Program;
  readonly plan: Plan;
  readonly modules: readonly KernelModule[];
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

/** Large enough that requests don't count, small enough for caches of browsers and proxies. */
const SHARD_BYTES = 64 * 2 ** 20;

/** Writes everything; the manifest is the last file, so a bundle without one is not whole. */
export function writeBundle(input: BundleInput, writer: BundleWriter): Manifest {
  const files: ManifestFile[] = [];
  const put = (path: string, bytes: Uint8Array | string): void => {
    const file = writer.open(path);
    file.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    files.push(file.close());
  };
  const kernels = input.modules.map(({ relaxedSimd, threads, bytes }) => {
    const file = `kernels${relaxedSimd ? "-relaxed" : ""}${threads ? "-threads" : ""}.wasm`;
    put(file, bytes);
    return { file, relaxedSimd, threads };
  });
  put("plan.json", planText(input.plan));
  const shards = writeShards(input, writer, files);
  if (input.tokenizer !== undefined) put("tokenizer.json", input.tokenizer);
  const described = bundleManifest(input, kernels, shards);
  // Read by the runtime, so a bundler that renames files has to know of them.
  const data = ["manifest.json", ...files.map(({ path }) => path)].sort();
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

/** JSON has no infinities; they are written as text and the runtime reads them back. */
export function planText(plan: Plan): string {
  const finite = (_: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return JSON.stringify(plan, finite);
}

/** The weights space cut into files; gaps between parameters are zeros. */
function writeShards(input: BundleInput, writer: BundleWriter, files: ManifestFile[]): readonly ManifestShard[] {
  const total = input.plan.spaces.weights;
  const shards: ManifestShard[] = [];
  let at = 0;
  let file: OpenFile | undefined;
  const write = (bytes: Uint8Array): void => {
    for (let from = 0; from < bytes.length;) {
      const start = Math.floor(at / SHARD_BYTES) * SHARD_BYTES;
      const path = `weights-${shards.length}.bin`;
      file ??= writer.open(path);
      const count = Math.min(bytes.length - from, start + SHARD_BYTES - at);
      file.write(bytes.subarray(from, from + count));
      from += count;
      at += count;
      if (at === start + SHARD_BYTES || at === total) {
        files.push(file.close());
        file = undefined;
        shards.push({ file: path, offset: start, bytes: at - start });
      }
    }
  };
  const fillTo = (offset: number): void => {
    const zeros = new Uint8Array(Math.min(65536, Math.max(0, offset - at)));
    while (at < offset) write(zeros.subarray(0, Math.min(zeros.length, offset - at)));
  };
  for (const { offset, bytes } of packWeights(input.plan, input.parameters)) {
    fillTo(offset);
    write(bytes);
    input.onProgress?.(at, total);
  }
  fillTo(total);
  return shards;
}
