/** Pipelines of a plan's kernels, compiled side by side, with the bind groups that their launches need. */
import { codeFor, leastSupport, type Support } from "./support.js";
import type { PlannedWgsl } from "../../compiler/5-emit/wgsl/planned.js";
import type { MemorySpace } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import { COMPUTE_STAGE, type GpuBindGroup, type GpuBindGroupLayout, type GpuBuffer, type GpuDevice } from "./gpu.js";
import type { GpuPipeline } from "./gpu.js";

export interface Program {
  readonly wgsl: PlannedWgsl;
  readonly pipeline: GpuPipeline;
  readonly layout: GpuBindGroupLayout;
  /** By the chunks in which its weights lie. */
  readonly groups: Map<string, GpuBindGroup>;
}

export interface GpuMemory {
  readonly uniform: GpuBuffer;
  /** Bytes of the uniform that one launch sees. */
  readonly uniformBytes: number;
  readonly spaces: Readonly<Record<Exclude<MemorySpace, "weights">, GpuBuffer>>;
  readonly weights: readonly GpuBuffer[];
}

export const programKey = (kernel: string, spaces: readonly MemorySpace[]): string => `${kernel} ${spaces.join()}`;

/** @throws MoecError MOE4312 when the driver refuses a kernel. */
export async function compilePrograms(
  device: GpuDevice,
  programs: readonly PlannedWgsl[],
  support: Support = leastSupport,
): Promise<ReadonlyMap<string, Program>> {
  const layouts = new Map<string, GpuBindGroupLayout>();
  const layoutOf = ({ bindings }: PlannedWgsl): GpuBindGroupLayout => {
    const types = bindings.map(({ kind }) => (kind === "space" ? "storage" : "read-only-storage"));
    const key = types.join();
    const known = layouts.get(key);
    if (known) return known;
    const visibility = COMPUTE_STAGE;
    const layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility, buffer: { type: "uniform", hasDynamicOffset: true } },
        ...types.map((type, i) => ({ binding: i + 1, visibility, buffer: { type } })),
      ],
    });
    layouts.set(key, layout);
    return layout;
  };
  const compiled = programs.map(async (wgsl): Promise<[string, Program]> => {
    const layout = layoutOf(wgsl);
    const code = codeFor(wgsl, support);
    try {
      const pipeline = await device.createComputePipelineAsync({
        label: wgsl.kernel,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: device.createShaderModule({ code, label: wgsl.kernel }), entryPoint: "main" },
      });
      return [programKey(wgsl.kernel, wgsl.spaces), { wgsl, pipeline, layout, groups: new Map() }];
    } catch (error) {
      const reason = reasonOf(error);
      throw moecError("MOE4312", { kernel: wgsl.kernel, reason });
    }
  });
  return new Map(await Promise.all(compiled));
}

/** The bind group of a program whose weights lie in these chunks, in the order of its weight bindings. */
export function groupOf(
  device: GpuDevice,
  program: Program,
  memory: GpuMemory,
  chunks: readonly number[],
): GpuBindGroup {
  const key = chunks.join();
  const known = program.groups.get(key);
  if (known) return known;
  let weight = 0;
  const buffers = program.wgsl.bindings.map((binding) =>
    binding.kind === "space" ? memory.spaces[binding.space] : memory.weights[chunks[weight++]!]!,
  );
  const uniform = { buffer: memory.uniform, offset: 0, size: memory.uniformBytes };
  const group = device.createBindGroup({
    layout: program.layout,
    entries: [
      { binding: 0, resource: uniform },
      ...buffers.map((buffer, i) => ({ binding: i + 1, resource: { buffer } })),
    ],
  });
  program.groups.set(key, group);
  return group;
}
