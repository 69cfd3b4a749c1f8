/** Opening a bundle: read and check the manifest, choose the kernels, fill the memory, check every byte on the way. */
import type { Manifest, ManifestShard } from "../../compiler/6-bundle/manifest.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { checkedText, listed } from "../bundle/checked-files.js";
import { readManifest } from "../bundle/read-manifest.js";
import { readPlan } from "../bundle/read-plan.js";
import type { Device } from "../device.js";
import { inRange, WHOLE_RANGES } from "../generate/ranges.js";
import type { BundleFiles, Host } from "../host.js";
import { loadTokenizer, type TokenizerFiles } from "../tokenizer/index.js";
import type { ModelParts } from "./model.js";
import { openDevice, type DeviceOptions, type OpenedDevice } from "./open-device.js";

export interface LoadProgress {
  /** Bytes of weights read so far and in all. */
  readonly loaded: number;
  readonly total: number;
}

export interface OpenOptions extends DeviceOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

/** Makes a device of another kind than the runtime has; tests run plans on the kernel-IR interpreter by it. */
export type DeviceMaker = (plan: Plan, manifest: Manifest) => Promise<Device>;

/**
 * Reads a bundle.
 *
 * @throws MoecError MOE5301 to MOE5312 for a bundle that is not whole, MOE5308, MOE5309, MOE4203 and MOE4204 for a host
 * that can't run it, MOE5323 for options out of range.
 */
export async function openModel(
  files: BundleFiles,
  host: Host,
  options: OpenOptions = {},
  makeDevice?: DeviceMaker,
): Promise<ModelParts> {
  const { threads, texts, signal } = options;
  for (const [name, value] of [["threads", threads] as const, ["texts", texts] as const]) {
    if (value !== undefined) inRange(name, value, ...WHOLE_RANGES[name], true);
  }
  const manifest = readManifest(await readText(files, "manifest.json"), files.location);
  signal?.throwIfAborted();
  const { plan, device, shards } = makeDevice
    ? await madeDevice(files, manifest, makeDevice)
    : await openDevice(files, manifest, host, options);
  try {
    await loadWeights(files, manifest, shards, device, options);
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

/** A device that the caller makes, with the plan and the weights of the bundle. */
async function madeDevice(files: BundleFiles, manifest: Manifest, make: DeviceMaker): Promise<OpenedDevice> {
  const plan = readPlan(await checkedText(files, manifest, manifest.plan), manifest);
  return { plan, device: await make(plan, manifest), shards: manifest.shards };
}

async function loadWeights(
  files: BundleFiles,
  manifest: Manifest,
  shards: readonly ManifestShard[],
  device: Device,
  { onProgress, signal }: OpenOptions,
): Promise<void> {
  const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);
  let loaded = 0;
  const count = (bytes: number): void => {
    loaded += bytes;
    onProgress?.({ loaded, total });
  };
  for (const { file, offset, bytes } of shards) {
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

/** A manifest names a few dozen files; nothing says how long it may be before it is read. */
const MOST_MANIFEST_BYTES = 2 ** 24;

async function readText(files: BundleFiles, path: string): Promise<string> {
  try {
    return new TextDecoder().decode(await files.read(path, MOST_MANIFEST_BYTES));
  } catch (error) {
    // Of a file that nobody could ask for nothing is known.
    if (!(error instanceof MoecError) || error.code === "MOE4304") throw error;
    const reason = error.code === "MOE5304" ? `it has no ${path}` : `its ${path} can't be read: ${error.message}`;
    throw moecError("MOE5301", { path: files.location, reason });
  }
}
