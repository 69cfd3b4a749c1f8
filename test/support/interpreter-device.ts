/** A device that runs a plan on the kernel-IR interpreter: the second oracle behind the same interface as wasm. */
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import type { Driver, MemorySpace, Plan } from "../../compiler/4-schedule/plan.js";
import type { Device } from "../../runtime/device.js";
import { flattenEntry } from "../../runtime/plan/launches.js";
import type { SizeValues } from "../../runtime/plan/sizes.js";
import { mapMemory } from "../../runtime/wasm/memory-map.js";

export function interpreterDevice(kernels: readonly Kernel[], plan: Plan, checked = false, on: Driver = "gpu"): Device {
  const interpreter = makeInterpreter(kernels, { checked });
  const map = mapMemory(plan, 0, 1);
  const memory = new ArrayBuffer(map.bytes);
  const entries = new Map(plan.entries.map((entry) => [entry.name, flattenEntry(plan, entry, map.bases, { on })]));
  const buffers = new Map(kernels.map((kernel) => [kernel.name, kernel.buffers.length]));
  const view = (space: MemorySpace, offset: number, length: number): Uint8Array =>
    new Uint8Array(memory, map.bases[space] + offset, length);
  return {
    report: { device: "interpreter", threads: 1, relaxedSimd: false, memoryBytes: map.bytes },
    window: view,
    read: view,
    write: (space, offset, bytes) => view(space, offset, bytes.length).set(bytes),
    run(entry: string, sizes: SizeValues) {
      for (const launch of entries.get(entry)!) {
        const args = Array.from(launch.args);
        for (const { at, evaluate } of launch.changing) args[at] = evaluate(sizes);
        const grid = launch.grid.evaluate(sizes);
        const count = buffers.get(launch.kernel)!;
        if (grid > 0) interpreter.launch(launch.kernel, memory, args.slice(0, count), args.slice(count), 0, grid);
      }
    },
    dispose: () => undefined,
  };
}
