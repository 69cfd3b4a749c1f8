/** Choosing a GPU and opening the WebGPU kernels of a bundle on it. */
import type { WgslAlternative } from "../../compiler/5-emit/wgsl/alternatives.js";
import type { PlannedWgsl } from "../../compiler/5-emit/wgsl/planned.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import type { Manifest, ManifestWebGpuTarget } from "../../compiler/6-bundle/manifest.js";
import { moecError } from "../../compiler/errors/raise.js";
import { checkedText } from "../bundle/checked-files.js";
import { readPlan } from "../bundle/read-plan.js";
import { json, list, number, object, oneOf, optional, text, type Reader } from "../bundle/shape.js";
import type { Device } from "../device.js";
import type { BundleFiles, Host } from "../host.js";
import { supportOf, wgslFeatures, type Support } from "./support.js";
import { makeWebGpuDevice } from "./device.js";
import type { GpuAdapter } from "./gpu.js";

export interface ChosenGpu {
  readonly adapter: GpuAdapter;
  /** In words. */
  readonly name: string;
  /** True for a driver that computes on the processor. */
  readonly isSoftware: boolean;
  readonly support: Support;
}

/** @throws MoecError MOE4314 when there is no WebGPU or no adapter. */
export async function chooseGpu(host: Host): Promise<ChosenGpu> {
  const gpu = await host.gpu?.();
  if (!gpu) throw moecError("MOE4314", { reason: `${host.name} has no WebGPU` });
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw moecError("MOE4314", { reason: "there is no driver for it" });
  const { vendor, architecture, description } = adapter.info;
  const name = [description, vendor, architecture].find((part) => part !== "") ?? "a GPU";
  const isSoftware = /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${name} ${architecture}`);
  return { adapter, name, isSoftware, support: supportOf(gpu, adapter) };
}

const space = oneOf("weights", "state", "arena", "io");
const binding: Reader<PlannedWgsl["bindings"][number]> = (value, at) =>
  (value as { readonly kind?: unknown } | null)?.kind === "weights"
    ? object<{ kind: "weights"; buffer: number }>({ kind: oneOf("weights"), buffer: number })(value, at)
    : object<{ kind: "space"; space: "state" | "arena" | "io" }>({
        kind: oneOf("space"),
        space: oneOf("state", "arena", "io"),
      })(value, at);
const alternative = object<WgslAlternative>({ feature: oneOf(...wgslFeatures), plain: text, text });
const programs = list(
  object<PlannedWgsl>({
    kernel: text,
    spaces: list(space),
    code: text,
    bindings: list(binding),
    groupBlocks: number,
    // Bundles of older builds have none.
    alternatives: (value, at) => optional(list(alternative))(value, at) ?? [],
  }),
);

/**
 * @throws MoecError MOE4311 when the model exceeds the adapter's limits (before weights are read), MOE4312 when its
 * driver refuses a kernel.
 */
export async function openWebGpu(
  files: BundleFiles,
  manifest: Manifest,
  target: ManifestWebGpuTarget,
  { adapter, name, isSoftware, support }: ChosenGpu,
  texts?: number,
): Promise<{ readonly plan: Plan; readonly device: Device }> {
  const plan = readPlan(await checkedText(files, manifest, target.plan), target);
  const source = json(await checkedText(files, manifest, target.programs), target.programs);
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize };
  const gpu = await adapter.requestDevice({ requiredLimits, requiredFeatures: support.features });
  try {
    const parts = {
      plan,
      programs: programs(source, target.programs),
      device: gpu,
      name,
      isSoftware,
      support,
      texts,
    };
    return { plan, device: await makeWebGpuDevice(parts) };
  } catch (error) {
    gpu.destroy();
    throw error;
  }
}
