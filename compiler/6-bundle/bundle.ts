/**
 * Puts a bundle together: kernels, plan, packed weights, tokenizer, typed shim, and the manifest last. Where the bytes
 * go is the shell's business: it gives a writer, so that nothing here knows of folders.
 */
import type { Plan } from "../4-schedule/plan.js";
import { bundleManifest, PLAN_FILE } from "./describe.js";
import type { BundleInput } from "./input.js";
import type { Manifest, ManifestFile, ManifestShard, ManifestTarget } from "./manifest.js";
import { shimFiles } from "./shim.js";
import { forBrowsers } from "./browser-files.js";
import { writeCuda } from "./cuda.js";
import { writeLevels } from "./native.js";
import { planText } from "./plan-text.js";
import { layoutText, writeShards } from "./shards.js";
import { writeWasm } from "./wasm.js";
import { writeWebGpu } from "./webgpu.js";
import type { BundleWriter } from "./writer.js";

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
  const { runtime } = input;
  for (const { path, bytes } of [...(runtime?.node ?? []), ...(runtime?.browser ?? [])]) put(path, bytes);
  const carried = runtime && (runtime.browser ? { data } : {});
  for (const { path, text } of shimFiles(described, carried)) put(path, text);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const manifest = { ...described, files };
  const last = writer.open("manifest.json");
  last.write(new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  last.close();
  return manifest;
}
