/**
 * The plan: what a device does for one call of an entry point, as data. It is what the schedule hands to the bundle and
 * what the runtime walks: launches of kernels, loops over layers, and where every buffer lies. Sizes are texts of `Size`
 * over the run-time sizes (`T`, `past`), so a plan is plain JSON.
 *
 * Memory has four spaces. `weights`: read only, packed at build time, layers of one parameter at a fixed stride.
 * `state`: caches and other values kept between calls. `arena`: everything that lives within one call; offsets come from
 * the memory plan for the largest call. `io`: inputs and outputs of the entry points, and knobs.
 */
import type { Axis, DType } from "../ops/types.js";
import type { Derivation, StorageType } from "../2-graph/ir.js";

export type MemorySpace = "weights" | "state" | "arena" | "io";

export interface PlanBuffer {
  readonly id: string;
  readonly space: MemorySpace;
  /** Byte offset in its space, a multiple of 64. */
  readonly offset: number;
  readonly bytes: number;
}

/** One parameter in the weights space: layers outermost, each packed by `layout`. */
export interface PlanWeight {
  readonly buffer: string;
  readonly path: string;
  readonly storage: StorageType;
  /** Name of a packing of `6-bundle` (a total map from layout names to packers), e.g. `rows`, `q8-rows4`. */
  readonly layout: string;
  /** Axes of a matrix of products: numbers of matrices, rows (outputs), columns (summed). Absent for `rows` and `planes`. */
  readonly matrix?: {
    readonly batch: readonly string[];
    readonly rows: readonly string[];
    readonly columns: readonly string[];
  };
  /** Axes with numbers, layers first, as the packer expects them from the checkpoint. */
  readonly axes: readonly { readonly name: string; readonly size: number }[];
  readonly layerAxes: number;
  /** Bytes from one layer to the next (0 without layers). */
  readonly layerStride: number;
}

export interface PlanState {
  readonly buffer: string;
  readonly path: string;
  readonly kind: "fixed" | "cache";
  readonly dtype: DType;
  readonly init: number;
  /** Positions of a cache lie side by side in runs, one for each head: bytes of one position in one run. */
  readonly positionBytes: number;
  /** Runs of one layer, and the bytes from one to the next. */
  readonly runs: number;
  readonly runStride: number;
  readonly layers: number;
  readonly layerStride: number;
}

export interface PlanPort {
  readonly name: string;
  readonly dtype: DType;
  readonly axes: readonly { readonly name: string; readonly size: string }[];
  readonly buffer: string;
  /** Numbers of this input choose rows of a table that has so many; absent where they choose none. */
  readonly rows?: number;
}

export type PlanStep = PlanLaunch | PlanLoop;

/**
 * What computes for a GPU's interface: a GPU, where threads of a block meet at little cost, or a driver on the processor,
 * for which a barrier costs more than the work between two.
 */
export type Driver = "gpu" | "cpu";

export interface PlanLaunch {
  readonly kind: "launch";
  readonly kernel: string;
  /** Blocks of the grid, a text of `Size`; 0 skips the launch. */
  readonly grid: string;
  readonly buffers: readonly PlanBufferArg[];
  readonly scalars: readonly PlanScalarArg[];
  /** Which node of the source this is, for traces and profiles. */
  readonly label: string;
  /** The only drivers that run it; all when absent. */
  readonly on?: Driver;
}
/** Repeat for each layer of a stack, or for each text of a call. */
export interface PlanLoop {
  readonly kind: "loop";
  readonly name: string;
  readonly count: number;
  /**
   * Turns are the texts of the call: in turn i the states are those of the text that the size `text.i` numbers, and
   * `past` is the size `past.i`. A device that holds fewer texts than `count` has as many turns as texts.
   */
  readonly texts?: true;
  readonly steps: readonly PlanStep[];
}
export interface PlanBufferArg {
  readonly buffer: string;
  /** Bytes, a text of `Size`. */
  readonly offset: string;
  /** Bytes added per turn of the enclosing loops, by loop name. */
  readonly strides: Readonly<Record<string, number>>;
}
/** A text of `Size` for i32 (loop names are sizes too: the number of the turn), a number for f32. */
export type PlanScalarArg =
  { readonly type: "i32"; readonly value: string } | { readonly type: "f32"; readonly value: number };

/**
 * Where the routes of a mixture lie after a call, for traces: `[rows, slots]` i32 (-1 for none) and f32 for each layer, the
 * layers `layerStride` bytes apart.
 */
export interface PlanTrace {
  /** Path of the experts in the spec, without the number of the layer; unique in the entry. */
  readonly label: string;
  /** What each of `layers` is called (`layers.3.moe.experts`); absent in older plans, and outside of stacks. */
  readonly names?: readonly string[];
  readonly loop?: string;
  readonly layers: number;
  readonly layerStride: number;
  readonly experts: number;
  /** Names of the axes that were routed, outermost first: those whose size a call decides, which are `rows`, then others. */
  readonly axes?: readonly string[];
  /** How many rows the routes have in a call, as a text; absent in older plans, where it is the number of tokens. */
  readonly rows?: string;
  /** Numbers of a row: the slots of all other axes of its routes. */
  readonly slots: number;
  readonly index: string;
  readonly weight: string;
}

export interface PlanEntry {
  readonly name: string;
  /** Absent for entries that the spec names. */
  readonly derived?: Derivation;
  /** The run-time size that counts the new tokens of a call; absent where it is the first free length of the inputs. */
  readonly tokens?: string;
  /** Most positions of a text: rows of the smallest table that positions choose from; absent where they choose none. */
  readonly positions?: number;
  readonly inputs: readonly PlanPort[];
  readonly outputs: readonly PlanPort[];
  readonly steps: readonly PlanStep[];
  readonly traces: readonly PlanTrace[];
}

export interface Plan {
  /** Bounds of the run-time sizes: the largest call, and the context length for `past + T`. */
  readonly limits: Readonly<Record<string, number>>;
  readonly spaces: Readonly<Record<MemorySpace, number>>;
  readonly buffers: readonly PlanBuffer[];
  readonly weights: readonly PlanWeight[];
  readonly states: readonly PlanState[];
  readonly knobs: readonly PlanPort[];
  readonly entries: readonly PlanEntry[];
}

/** For schedules that name axes only. */
export type { Axis };
