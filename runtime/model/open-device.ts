/** Which of a bundle's kernels run here, and the device that runs them. */
import type { Plan } from "../../compiler/4-schedule/plan.js";
import type {
  Manifest,
  ManifestNativeTarget,
  ManifestShard,
  ManifestTarget,
  ManifestWasmTarget,
} from "../../compiler/6-bundle/manifest.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { moecError } from "../../compiler/errors/raise.js";
import { checkedBytes, checkedText, listed } from "../bundle/checked-files.js";
import { readPlan } from "../bundle/read-plan.js";
import type { Device } from "../device.js";
import type { BundleFiles, Host, NativeChoice } from "../host.js";
import { openWasm } from "./wasm-kernels.js";

export interface DeviceOptions {
  readonly device?: "auto" | "wasm" | "native";
  readonly threads?: number;
  readonly texts?: number;
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
  const wasm = targets.find((target): target is ManifestWasmTarget => target.name === "wasm");
  const native = targets.find((target): target is ManifestNativeTarget => target.name === "native");
  let whyNotNative: MoecError | undefined;
  if (native && wanted !== "wasm") {
    const choice = await chooseNative(host, native);
    if (!(choice instanceof MoecError)) return openNative(files, manifest, host, choice, options);
    whyNotNative = choice;
    if (wanted === "native" || !wasm) throw whyNotNative;
  }
  if (!wasm || wanted === "native") throw notInBundle(wanted, targets);
  const plan = readPlan(await checkedText(files, manifest, manifest.plan), manifest);
  const device = await openWasm(files, manifest, wasm, plan, host, options);
  if (whyNotNative) {
    const report = { ...device.report, whyNotNative: whyNotNative.message };
    Object.defineProperty(device, "report", { value: report });
  }
  return { plan, device, shards: manifest.shards };
}

function notInBundle(wanted: string, targets: readonly ManifestTarget[]): Error {
  const available = targets.map(({ name }) => name).join(", ");
  return moecError("MOE5308", { device: wanted, available: available === "" ? "none" : available });
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
