/** Opening a bundle: read and check the manifest, choose the kernels, fill the memory, check every byte on the way. */
import type { Manifest, ManifestTarget } from "../../compiler/6-bundle/manifest.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { readManifest } from "../bundle/read-manifest.js";
import { readPlan } from "../bundle/read-plan.js";
import type { Device } from "../device.js";
import type { BundleFiles, Host } from "../host.js";
import { loadTokenizer, type TokenizerFiles } from "../tokenizer/index.js";
import { chooseWasm, makeWasmDevice } from "../wasm/device.js";
import { mapMemory } from "../wasm/memory-map.js";
import type { ModelParts } from "./model.js";

export interface LoadProgress {
  /** Bytes of weights read so far and in all. */
  readonly loaded: number;
  readonly total: number;
}

export interface LoadOptions {
  /** `auto` (default) takes the best device that the bundle has kernels for and this host can run. */
  readonly device?: "auto" | "wasm";
  /** Threads; all that run at the same time when it is not given. */
  readonly threads?: number;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

/** Makes a device of another kind than the runtime has; tests run plans on the kernel-IR interpreter by it. */
export type DeviceMaker = (plan: Plan, manifest: Manifest) => Promise<Device>;

/**
 * Reads a bundle.
 *
 * @throws MoecError MOE5301 to MOE5312 for a bundle that is not whole, MOE5309 for a host that can't run it, MOE5323 for
 * options out of range.
 */
export async function openModel(
  files: BundleFiles,
  host: Host,
  options: LoadOptions = {},
  makeDevice?: DeviceMaker,
): Promise<ModelParts> {
  const { threads, signal } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256)) {
    const expected = "a whole number from 1 to 256";
    throw moecError("MOE5323", { name: "threads", value: String(threads), expected });
  }
  const manifest = readManifest(await readText(files, "manifest.json"), files.location);
  signal?.throwIfAborted();
  const plan = readPlan(await checkedText(files, manifest, manifest.plan), manifest);
  const device = await (makeDevice ?? wasmMaker(files, host, options))(plan, manifest);
  try {
    await loadWeights(files, manifest, device, options);
    const tokenizer =
      manifest.tokenizer === undefined
        ? undefined
        : loadTokenizer(JSON.parse(await checkedText(files, manifest, manifest.tokenizer)) as TokenizerFiles);
    await initialize(plan, manifest, device);
    return { manifest, plan, device, host, tokenizer };
  } catch (error) {
    device.dispose();
    throw error;
  }
}

function wasmMaker(files: BundleFiles, host: Host, options: LoadOptions): DeviceMaker {
  return async (plan, manifest) => {
    const wanted = options.device ?? "auto";
    const target = manifest.targets.find(({ name }) => wanted === "auto" || name === wanted);
    if (!target) {
      const available = manifest.targets.map(({ name }) => name).join(", ");
      throw moecError("MOE5308", { device: wanted, available: available === "" ? "none" : available });
    }
    const choice = chooseWasm(host, options.threads);
    // Refused before the kernels are read when the weights don't fit into a memory.
    mapMemory(plan, target.scratchBytes, choice.threads);
    const file = chooseKernels(target, choice.relaxedSimd, choice.threads > 1);
    const bytes = await checkedBytes(files, manifest, file);
    const module = await compileKernels(bytes, file);
    return makeWasmDevice({ plan, module, scratchBytes: target.scratchBytes, choice, host });
  };
}

function chooseKernels(target: ManifestTarget, relaxedSimd: boolean, threads: boolean): string {
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
    const reason = `${file}: ${error instanceof Error ? error.message : String(error)}`;
    throw moecError("MOE5309", { device: "wasm", reason });
  }
}

async function loadWeights(
  files: BundleFiles,
  manifest: Manifest,
  device: Device,
  { onProgress, signal }: LoadOptions,
): Promise<void> {
  const total = manifest.memory.weights;
  let loaded = 0;
  const count = (bytes: number): void => {
    loaded += bytes;
    onProgress?.({ loaded, total });
  };
  for (const { file, offset, bytes } of manifest.shards) {
    signal?.throwIfAborted();
    const place = device.window?.("weights", offset, bytes);
    const target = place ?? new Uint8Array(bytes);
    const { sha256 } = listed(manifest, file);
    const hash = await files.readInto(file, target, onProgress ? count : undefined, sha256);
    if (hash !== sha256) throw moecError("MOE5306", { file }, { file: files.location });
    if (!place) await device.write("weights", offset, target);
  }
}

/** Knobs get their declared values; states are initialized when the first text begins. */
async function initialize(plan: Plan, manifest: Manifest, device: Device): Promise<void> {
  for (const port of plan.knobs) {
    const init = manifest.knobs.find((knob) => knob.name === port.name)?.init ?? 0;
    const buffer = plan.buffers.find((candidate) => candidate.id === port.buffer)!;
    const values = port.dtype === "f32" ? new Float32Array(buffer.bytes / 4) : new Int32Array(buffer.bytes / 4);
    await device.write(buffer.space, buffer.offset, new Uint8Array(values.fill(init).buffer));
  }
}

async function readText(files: BundleFiles, path: string): Promise<string> {
  try {
    return new TextDecoder().decode(await files.read(path));
  } catch (error) {
    if (!(error instanceof MoecError)) throw error;
    throw moecError("MOE5301", { path: files.location, reason: `it has no ${path}` });
  }
}

async function checkedText(files: BundleFiles, manifest: Manifest, path: string): Promise<string> {
  return new TextDecoder().decode(await checkedBytes(files, manifest, path));
}

async function checkedBytes(files: BundleFiles, manifest: Manifest, path: string): Promise<Uint8Array> {
  const expected = listed(manifest, path);
  const bytes = await files.read(path);
  if (bytes.length !== expected.bytes) {
    throw moecError("MOE5305", { file: path, found: bytes.length, expected: expected.bytes }, { file: files.location });
  }
  if ((await files.sha256(bytes)) !== expected.sha256) {
    throw moecError("MOE5306", { file: path }, { file: files.location });
  }
  return bytes;
}

/** The manifest reader has checked that every file in use is listed. */
function listed(manifest: Manifest, path: string): { readonly bytes: number; readonly sha256: string } {
  return manifest.files.find((file) => file.path === path)!;
}
