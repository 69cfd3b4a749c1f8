/** What a build decides before scheduling. */
import type { Node, ParamDecl, StorageType } from "../2-graph/ir.js";
import type { Kernel } from "./kernel-ir.js";
import type { Plan } from "./plan.js";

export interface ScheduleLimits {
  /** Most new tokens in one call. */
  readonly T: number;
  /** Most positions, `past + T`. */
  readonly context: number;
  /** Bounds of other run-time sizes by name; `T` when absent. */
  readonly [size: string]: number;
}

/** Formats of caches. */
export const CACHES = ["f32", "f16", "bf16", "q8_0"] as const;
export type CacheStorage = (typeof CACHES)[number];

export interface ScheduleOptions {
  readonly limits: ScheduleLimits;
  /** How the numbers of a parameter are stored; what the program demands goes first. f32 when absent. */
  readonly storage?: (param: ParamDecl) => StorageType;
  /** How numbers in caches are stored; f32 when absent. They are rounded when they are appended. */
  readonly cache?: CacheStorage;
  /** Entry points to schedule; all when absent. */
  readonly entries?: readonly string[];
  /** Told the name of each stage as it begins, so that a shell can measure times. */
  readonly onStage?: (stage: string) => void;
  /** Told each launch with the nodes of the graph that it computes, so that a view can lead from a kernel to the source. */
  readonly onLaunch?: (kernel: string, nodes: readonly Node[]) => void;
}

export interface Schedule {
  readonly kernels: readonly Kernel[];
  readonly plan: Plan;
}
