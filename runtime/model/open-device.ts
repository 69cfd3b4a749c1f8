/** Which of a bundle's kernels run here, and the device that runs them. */
import type { Plan } from "../../compiler/4-schedule/plan.js";
import type {
  Manifest,
  ManifestNativeTarget,
  ManifestShard,
  ManifestTarget,
  ManifestWebGpuTarget,
} from "../../compiler/6-bundle/manifest.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { moecError } from "../../compiler/errors/raise.js";
import { checkedBytes, checkedText, listed } from "../bundle/checked-files.js";
import { readPlan } from "../bundle/read-plan.js";
import type { Device } from "../device.js";
import type { BundleFiles, Host, NativeChoice } from "../host.js";
import { chooseGpu, openWebGpu } from "../webgpu/open.js";
import { openWasm } from "./wasm-kernels.js";

export interface DeviceOptions {
  /** `auto` (default) takes the best device that the bundle has kernels for and this host can run. */
  readonly device?: "auto" | "wasm" | "native" | "webgpu";
  /** Threads; all that run at the same time when it is not given. */
  readonly threads?: number;
  /** How many texts the model holds side by side, each with states of its own; one when it is not given. */
  readonly texts?: number;
  /**
   * Of weights that are mapped: `true` reads and hashes the files now, `false` never; otherwise each file is hashed once
   * and remembered by its size and time. Weights that are read are always hashed.
   */
  readonly verify?: boolean;
}

export interface OpenedDevice {
  readonly plan: Plan;
  readonly device: Device;
  /** What has to be written to its weights space. */
  readonly shards: readonly ManifestShard[];
}

/**
 * @throws MoecError MOE5308 when the bundle has no kernels for the wanted device, MOE5309, MOE4203 and MOE4204 when they
 * can't run here, and what reading files throws.
 */
export async function openDevice(
  files: BundleFiles,
  manifest: Manifest,
  host: Host,
  options: DeviceOptions,
): Promise<OpenedDevice> {
  const wanted = options.device ?? "auto";
  const { targets } = manifest;
  const find = <N extends ManifestTarget["name"]>(name: N): Extract<ManifestTarget, { name: N }> | undefined =>
    wanted === "auto" || wanted === name
      ? targets.find((target): target is Extract<ManifestTarget, { name: N }> => target.name === name)
      : undefined;
  const [native, webgpu, wasm] = [find("native"), find("webgpu"), find("wasm")];
  let whyNotNative: MoecError | undefined;
  if (native) {
    const choice = await chooseNative(host, native);
    if (!(choice instanceof MoecError)) return openNative(files, manifest, host, choice, options);
    whyNotNative = choice;
    if (!webgpu && !wasm) throw whyNotNative;
  }
  let whyNotWebgpu: MoecError | undefined;
  if (webgpu) {
    const gpu = await tryWebGpu(files, manifest, webgpu, host, { ...options, isOnly: !wasm });
    if (!(gpu instanceof MoecError)) return { ...gpu, shards: webgpu.shards };
    whyNotWebgpu = gpu;
    if (!wasm) throw whyNotNative ?? whyNotWebgpu;
  }
  if (!wasm) throw notInBundle(wanted, targets);
  const plan = readPlan(await checkedText(files, manifest, manifest.plan), manifest);
  const device = await openWasm(files, manifest, wasm, plan, host, options);
  if (whyNotNative || whyNotWebgpu) {
    const reasons = {
      ...(whyNotNative ? { whyNotNative: whyNotNative.message } : {}),
      ...(whyNotWebgpu ? { whyNotWebgpu: whyNotWebgpu.message } : {}),
    };
    Object.defineProperty(device, "report", { value: { ...device.report, ...reasons } });
  }
  return { plan, device, shards: manifest.shards };
}

function notInBundle(wanted: string, targets: readonly ManifestTarget[]): Error {
  const available = targets.map(({ name }) => name).join(", ");
  return moecError("MOE5308", { device: wanted, available: available === "" ? "none" : available });
}

/** What keeps WebGPU from running here comes back as an error; others are thrown. */
async function tryWebGpu(
  files: BundleFiles,
  manifest: Manifest,
  target: ManifestWebGpuTarget,
  host: Host,
  { isOnly, texts }: { readonly isOnly: boolean; readonly texts?: number | undefined },
): Promise<{ readonly plan: Plan; readonly device: Device } | MoecError> {
  try {
    const gpu = await chooseGpu(host);
    if (texts !== undefined && texts > 1) throw moecError("MOE4314", { reason: "the device holds one text at a time" });
    if (gpu.isSoftware && !isOnly) {
      throw moecError("MOE4314", { reason: `${gpu.name} computes on the processor, which wasm does faster` });
    }
    return await openWebGpu(files, manifest, target, gpu);
  } catch (error) {
    if (error instanceof MoecError && error.code.startsWith("MOE43")) return error;
    throw error;
  }
}

async function chooseNative(host: Host, target: ManifestNativeTarget): Promise<NativeChoice | MoecError> {
  if (!host.native) return moecError("MOE4203", { reason: `${host.name} runs WebAssembly only` });
  try {
    return await host.native(target);
  } catch (error) {
    if (error instanceof MoecError) return error;
    throw error;
  }
}

async function openNative(
  files: BundleFiles,
  manifest: Manifest,
  host: Host,
  choice: NativeChoice,
  { threads, texts, verify }: DeviceOptions,
): Promise<OpenedDevice> {
  const { level } = choice;
  const plan = readPlan(await checkedText(files, manifest, level.plan), level);
  const object = await checkedBytes(files, manifest, level.object);
  const paths = level.shards.map(({ file }) => files.localPath?.(file));
  const weights = level.shards.flatMap(({ file, offset, bytes }, number) => {
    const path = paths[number];
    return path === undefined ? [] : [{ path, offset, bytes, sha256: listed(manifest, file).sha256 }];
  });
  const isMapped = weights.length === level.shards.length;
  const device = await choice.open({
    plan,
    object,
    parallelism: host.parallelism,
    ...(threads === undefined ? {} : { threads }),
    ...(texts === undefined ? {} : { texts }),
    ...(isMapped ? { weights } : {}),
    ...(verify === undefined ? {} : { verify }),
  });
  return { plan, device, shards: isMapped ? [] : level.shards };
}
