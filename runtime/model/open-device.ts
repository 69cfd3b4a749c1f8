/** Which of a bundle's kernels run here, and the device that runs them. */
import type { CudaLaunch } from "../../compiler/5-emit/cuda/index.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import type {
  Manifest,
  ManifestCudaTarget,
  ManifestNativeTarget,
  ManifestShard,
  ManifestTarget,
  ManifestWebGpuTarget,
} from "../../compiler/6-bundle/manifest.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { moecError } from "../../compiler/errors/raise.js";
import { checkedBytes, checkedText, listed } from "../bundle/checked-files.js";
import { readPlan } from "../bundle/read-plan.js";
import { count, json, list, object, text, wrong, type Reader } from "../bundle/shape.js";
import type { Device } from "../device.js";
import type { BundleFiles, Host, NativeChoice } from "../host.js";
import { chooseGpu, openWebGpu } from "../webgpu/open.js";
import { openWasm } from "./wasm-kernels.js";

export interface DeviceOptions {
  /** `auto` (default) takes the best device that the bundle has kernels for and this host can run. */
  readonly device?: "auto" | ManifestTarget["name"];
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

/** The best first. */
const ORDER = ["cuda", "native", "webgpu", "wasm"] as const satisfies readonly ManifestTarget["name"][];

/** Where the report says why kernels of the bundle do not run. */
const WHY_NOT = { cuda: "whyNotCuda", native: "whyNotNative", webgpu: "whyNotWebgpu" } as const;

/**
 * @throws MoecError MOE5308 when the bundle has no kernels for the wanted device, MOE5309, MOE4203, MOE4204, MOE4280, MOE4230
 * to MOE4233 and MOE4311 to MOE4314 when they can't run here, and what reading files throws.
 */
export async function openDevice(
  files: BundleFiles,
  manifest: Manifest,
  host: Host,
  options: DeviceOptions,
): Promise<OpenedDevice> {
  const wanted = options.device ?? "auto";
  const targets = manifest.targets.filter((target) => isForHost(target, manifest.targets, host));
  const candidates = ORDER.flatMap((name) =>
    wanted === "auto" || wanted === name ? targets.filter((target) => target.name === name) : [],
  );
  const bundle: OpenBundle = {
    files,
    manifest,
    host,
    options,
    hasWasm: candidates.some(({ name }) => name === "wasm"),
  };
  const reasons: Partial<Record<(typeof WHY_NOT)[keyof typeof WHY_NOT], string>> = {};
  let refusal: MoecError | undefined;
  for (const target of candidates) {
    const opened = await tryTarget(bundle, target);
    if (opened instanceof MoecError) {
      refusal ??= opened;
      if (target.name !== "wasm") reasons[WHY_NOT[target.name]] = opened.message;
      continue;
    }
    const { device } = opened;
    if (refusal) Object.defineProperty(device, "report", { value: { ...device.report, ...reasons } });
    return opened;
  }
  throw refusal ?? notInBundle(wanted, manifest.targets);
}

/** Native kernels for other platforms count only where there are none for this one: to say what is there. */
function isForHost(target: ManifestTarget, all: readonly ManifestTarget[], { platform }: Host): boolean {
  const isOther = (one: ManifestTarget): boolean => one.name === "native" && one.platform !== platform;
  return !isOther(target) || !all.some((one) => one.name === "native" && !isOther(one));
}

function notInBundle(wanted: string, targets: readonly ManifestTarget[]): Error {
  const available = targets.map(({ name }) => name).join(", ");
  return moecError("MOE5308", { device: wanted, available: available === "" ? "none" : available });
}

interface OpenBundle {
  readonly files: BundleFiles;
  readonly manifest: Manifest;
  readonly host: Host;
  readonly options: DeviceOptions;
  /** Whether wasm may run when all others can't. */
  readonly hasWasm: boolean;
}

/** What keeps a target from running here comes back as an error; others are thrown. */
async function tryTarget(bundle: OpenBundle, target: ManifestTarget): Promise<OpenedDevice | MoecError> {
  switch (target.name) {
    case "cuda":
      return refusalOr(() => openCuda(bundle, target), /^MOE423/);
    case "native": {
      const choice = await refusalOr(() => chooseNative(bundle.host, target), /./);
      return choice instanceof MoecError ? choice : openNative(bundle, choice);
    }
    case "webgpu":
      return refusalOr(() => tryWebGpu(bundle, target), /^MOE43/);
    case "wasm": {
      const { files, manifest, host, options } = bundle;
      return { ...(await openWasm(files, manifest, target, host, options)), shards: manifest.shards };
    }
    default:
      return target satisfies never;
  }
}

/** Errors with one of these codes as values. */
async function refusalOr<T>(open: () => Promise<T>, codes: RegExp): Promise<T | MoecError> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof MoecError && codes.test(error.code)) return error;
    throw error;
  }
}

async function openCuda(
  { files, manifest, host, options }: OpenBundle,
  target: ManifestCudaTarget,
): Promise<OpenedDevice> {
  if (!host.cuda) throw moecError("MOE4230", { reason: `${host.name} has no CUDA` });
  const choice = await host.cuda(target);
  const plan = readPlan(await checkedText(files, manifest, target.plan), target);
  const launches = cudaLaunches(json(await checkedText(files, manifest, target.launches), target.launches), "launches");
  const code = await checkedBytes(files, manifest, choice.file);
  const { texts } = options;
  const device = choice.open({ plan, code, launches, ...(texts === undefined ? {} : { texts }) });
  return { plan, device, shards: target.shards };
}

/** One or more: the number of blocks is divided by it. */
const several: Reader<number> = (value, at) => {
  const number = count(value, at);
  if (number > 0) return number;
  throw wrong(at, "zero");
};
const cudaLaunches = list(object<CudaLaunch>({ kernel: text, threads: several, groupBlocks: several }));

async function tryWebGpu(bundle: OpenBundle, target: ManifestWebGpuTarget): Promise<OpenedDevice> {
  const { files, manifest, host, options, hasWasm } = bundle;
  const { texts } = options;
  const gpu = await chooseGpu(host);
  if (gpu.isSoftware && hasWasm) {
    throw moecError("MOE4314", { reason: `${gpu.name} computes on the processor, which wasm does faster` });
  }
  return { ...(await openWebGpu(files, manifest, target, gpu, texts)), shards: target.shards };
}

function chooseNative(host: Host, target: ManifestNativeTarget): Promise<NativeChoice> {
  if (host.native) return host.native(target);
  throw moecError("MOE4203", { reason: `${host.name} runs WebAssembly only` });
}

async function openNative(
  { files, manifest, host, options: { threads, texts, verify } }: OpenBundle,
  choice: NativeChoice,
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
