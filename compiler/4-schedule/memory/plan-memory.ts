/** Where every buffer lies, and whether all of it fits into the target. */
import type { WantedBuffer } from "../lower/program-lowering.js";
import type { Target } from "../../targets/index.js";
import type { MemorySpace, PlanBuffer, PlanEntry } from "../plan.js";
import { refuse } from "../refusal.js";
import { lifetimes, place } from "./arena.js";

export interface MemoryPlan {
  readonly buffers: readonly PlanBuffer[];
  readonly spaces: Readonly<Record<MemorySpace, number>>;
}

/** Throws MOE3302 when the spaces together are larger than what the target addresses. */
export function planMemory(wanted: readonly WantedBuffer[], entries: readonly PlanEntry[], target: Target): MemoryPlan {
  const spaces: Record<MemorySpace, number> = { weights: 0, state: 0, arena: 0, io: 0 };
  const buffers: PlanBuffer[] = [];
  for (const { id, space, bytes } of wanted) {
    if (space === "arena") continue;
    buffers.push({ id, space, offset: spaces[space], bytes });
    spaces[space] += bytes;
  }
  // Entry points run one at a time, so they share the arena.
  for (const entry of entries) {
    const own = wanted.filter((buffer) => buffer.space === "arena" && buffer.entry === entry.name);
    const { offsets, peak } = place(lifetimes(entry.steps, own));
    for (const { id, bytes } of own) buffers.push({ id, space: "arena", offset: offsets.get(id)!, bytes });
    spaces.arena = Math.max(spaces.arena, peak);
  }
  const needed = spaces.weights + spaces.state + spaces.arena + spaces.io;
  if (needed > target.memoryBytes) {
    const slots = {
      needed: `${needed}`,
      target: target.name,
      limit: `${target.memoryBytes}`,
      weights: `${spaces.weights}`,
      state: `${spaces.state}`,
      arena: `${spaces.arena}`,
      io: `${spaces.io}`,
    };
    const help =
      target.family === "wasm"
        ? "A WebAssembly memory ends at 4 GiB. Native kernels map larger weights: `--target native`, or `--device native` to run."
        : undefined;
    refuse("MOE3302", slots, undefined, help);
  }
  return { buffers, spaces };
}
