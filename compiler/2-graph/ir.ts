/**
 * Graph IR: immutable SSA over values with named axes.
 *
 * A `Program` is what one model (or one declaration under test) becomes once its parameters are numbers. It has a graph
 * per entry point; graphs share parameters and states by path. Nodes are listed in an order in which every operand comes
 * before its use. Regions (the body of a mixture, of a stack, the mask of an attention) are graphs that see only their
 * own parameters: what they need from outside is passed as an operand, so a region can be moved and compared freely.
 *
 * A pass makes a new graph; nothing is changed in place.
 */
import type { Size } from "../axes/size.js";
import { ENCODABLE_TYPES } from "../checkpoints/encodable.js";
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Attrs, Axis, DType, ValueType } from "../ops/types.js";

/** Number of a value; printed as `%12`. Unique in a graph, regions included. */
export type ValueId = number;

export interface Value {
  readonly id: ValueId;
  readonly type: ValueType;
  /** The name in the source, when it had one; for people only. */
  readonly name?: string;
}

export interface Node {
  readonly op: string;
  readonly operands: readonly ValueId[];
  readonly attrs: Attrs;
  readonly regions: readonly Region[];
  readonly results: readonly Value[];
  readonly span?: SourceSpan;
}

export interface Region {
  readonly params: readonly Value[];
  readonly nodes: readonly Node[];
  readonly results: readonly ValueId[];
}

export const DERIVED_FORMS = ["last", "decode", "batch"] as const;

/** How the compiler made an entry from another one. */
export interface Derivation {
  /** The name of the other one. */
  readonly from: string;
  /** `last`: for the last token alone. `decode`: for one token behind a text. `batch`: for a token of each of many texts. */
  readonly form: (typeof DERIVED_FORMS)[number];
}

/** One entry point. Its inputs are the region parameters in order, named by `inputs`; `outputs` names the results. */
export interface Entry {
  readonly name: string;
  /** Absent for entries that the spec names. */
  readonly derived?: Derivation;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly body: Region;
}

const K_QUANTS = ["q4_1", "q5_0", "q5_1", "q4_K", "q5_K", "q6_K"] as const;

/** Block formats that files bring and some targets compute with; nothing is converted to them. */
export type KQuants = (typeof K_QUANTS)[number];

/** The same, and what holds layers of q4_K, q5_K and q6_K side by side as they are: files mix these. */
export type KRecords = KQuants | "any_K";

export const STORED_AS = [...ENCODABLE_TYPES, "i32", ...K_QUANTS, "any_K"] as const;

/** How the numbers of a parameter are stored; block formats run along the last axis in blocks of 32 or 256. */
export type StorageType = (typeof STORED_AS)[number];

/**
 * A parameter of the whole program. Inside a stack it carries the layer axis first, inside a bank the expert axis next:
 * `layers.moe.experts.gate` is `[L, E, D, F]`. `matrix` marks operands of contractions that a storage format may pack:
 * the axis that contractions sum over is `contracted`.
 */
export interface ParamDecl {
  readonly path: string;
  readonly dtype: DType;
  readonly axes: readonly Axis[];
  /** Leading axes that enumerate layers (of nested stacks, outermost first). */
  readonly layerAxes: number;
  readonly contracted?: string;
  /** All axes that contractions sum over, when there are more. */
  readonly contractedAxes?: readonly string[];
  /** Formats that are no `StorageType`, as written (`sparse(2:4)`, `uint3`): a target that cannot keep them refuses. */
  readonly formats?: readonly string[];
  /** What the spec demands (`quant(q4_0)`), when it says so; otherwise the build chooses. */
  readonly storage?: StorageType;
  /** How a random or test instance is filled: standard deviation or constant. */
  readonly init?:
    { readonly kind: "normal"; readonly deviation: number } | { readonly kind: "constant"; readonly value: number };
  readonly span?: SourceSpan;
}

/**
 * Kept between calls. `fixed` states have all axes known; a `cache` grows along its first axis (after the layer axes) by
 * the number of new tokens at each call, up to the context length that the build plans for.
 */
export interface StateDecl {
  readonly path: string;
  readonly kind: "fixed" | "cache";
  readonly dtype: DType;
  readonly axes: readonly Axis[];
  readonly layerAxes: number;
  readonly init: number;
}

/** Changeable at run time without a compile. */
export interface KnobDecl {
  readonly path: string;
  readonly dtype: DType;
  readonly axes: readonly Axis[];
  readonly layerAxes: number;
  readonly init: number;
  readonly range?: readonly [number, number];
}

/** Where a parameter lies in a checkpoint. */
export interface WeightSource {
  /** Tensor name; `{i}`, `{j}`… stand for the layers, `{e}` for the expert. */
  readonly pattern: string;
  /** Axes in the order in which the file has them, outermost first; the parameter's own order when absent. */
  readonly axes?: readonly string[];
  /** The file pairs rotary dimensions (2i, 2i + 1); the spec pairs (i, i + C / 2). */
  readonly interleaved?: boolean;
}

/**
 * Names of run-time sizes have fixed meanings: `T` (or whatever a model calls the axis of its tokens) is listed in
 * `runtimeSizes`; `past` is the number of positions already in the caches, and `past + T` the number after the call.
 */
export interface Program {
  readonly name: string;
  readonly params: readonly ParamDecl[];
  readonly states: readonly StateDecl[];
  readonly knobs: readonly KnobDecl[];
  readonly runtimeSizes: readonly string[];
  readonly entries: readonly Entry[];
  /** Names in checkpoints, as the spec gives them: format -> parameter path -> where it lies. */
  readonly weightNames: Readonly<Record<string, Readonly<Record<string, WeightSource>>>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

/* ---- the region ops' attributes: stated here once for builder, passes, evaluator and schedules ---- */

/**
 * `route`: operands `[weights, by?, where?]`, each `[tokens…, E]`; result routes.
 * - `top`: the k best per token by `by` (or by weight), ties to the lowest index; NaN and -inf are never chosen.
 * - `within`: k / groups best in each of `groups` equal runs of experts.
 * - `where`: those with `where` true, at most `k`, best first.
 * - `experts`: each expert takes its k best tokens (over the last token axis).
 * - `everyone`: all experts, slot = expert.
 * - `only`: operand 0 is i32 `[tokens…]`, the expert of each token, weight 1.
 */
export interface RouteAttrs extends Attrs {
  readonly choice: "top" | "within" | "where" | "experts" | "everyone" | "only";
  readonly k: Size;
  readonly groups?: Size;
  readonly experts: string;
  readonly hasBy: boolean;
  readonly hasWhere: boolean;
  /** Divide the kept weights by their sum + `epsilon`. */
  readonly renormalize: boolean;
  readonly epsilon: number;
  /** Number of experts, for `only`, whose operand has no expert axis. */
  readonly size?: Size;
}

/**
 * `mixture`: operands `[x, routes, params of bank 0…, params of bank 1…, captures…]`, one region per bank with params
 * `[x of one token, its params without the expert axis…, captures…]` and one result. Experts are numbered through the
 * banks in order. Result: sum over slots of weight * expert(x), with the token axes of x. `dispatch` has the same
 * operands and keeps the slot axis (`slotAxis`) instead of summing; `combine` (operands `[values, routes]`) sums.
 */
export interface MixtureAttrs extends Attrs {
  readonly banks: readonly { readonly experts: Size; readonly params: number }[];
  readonly captures: number;
  /** Where the weight goes: on what comes out of the expert (usual) or on what goes in (Llama 4). */
  readonly weigh: "output" | "input";
  /**
   * How many operands after the routes belong to a token (and to an expert, when they have the expert axis of the
   * routes): `[tokens…, E?, …]`. Regions get them behind x, without these axes. 0 when absent.
   */
  readonly perToken?: number;
  /** Path of the experts in the spec (`layers.moe.experts`), where they have one: what traces call the mixture. */
  readonly bank?: string;
  /** What traces call its layers, where it lies in stacks: `layers.{i}.moe.experts`; see `1-check/layer-names.ts`. */
  readonly layers?: string;
}

/** `dispatch`: an x that has the axis `slotAxis` gives each slot an input of its own. Values are not weighted. */
export interface DispatchAttrs extends MixtureAttrs {
  readonly slotAxis: string;
}

/** `combine`: operands `[values, routes]`; each term is weight * value; `concat` joins the slots along `axis`. */
export interface CombineAttrs extends Attrs {
  readonly rule: "sum" | "mean" | "product" | "concat";
  readonly slotAxis: string;
  readonly axis?: string;
}

/**
 * `attend`: operands `[q, k, v, sinks?, keep?]`. q `[…, Q, …, C]`, k `[…, S, …, C]`, v `[…, S, …, V]`; axes shared by
 * name are batch axes, so grouped-query attention is q `[T, G, R, C]` with k `[S, G, C]`. Regions: `mask` with params
 * (query position i32, key position i32) -> bool when `hasMask`. Result has q's axes with C replaced by v's value axis.
 * A row with no allowed key is zero. `sinks` `[…]` are logits that join the denominator only.
 */
export interface AttendAttrs extends Attrs {
  readonly queryAxis: string;
  readonly keyAxis: string;
  readonly contracted: string;
  readonly valueAxis: string;
  readonly scale: number;
  /** Position of the first query: `past` with a cache, 0 without. Key positions start at 0. */
  readonly queryOffset: Size;
  readonly hasMask: boolean;
  readonly hasSinks: boolean;
  readonly hasKeep: boolean;
}

/**
 * `stack`: operands `[carried…, stacked params…, captures…]`, region params the same with the layer axis taken off the
 * stacked ones, region results the next carried values. States used inside belong to the layer.
 */
export interface StackAttrs extends Attrs {
  readonly name: string;
  readonly layers: Size;
  readonly carried: number;
  readonly stacked: number;
}

/**
 * `fold`: operands `[carried…, captures…]`, region params `[turn i32, carried…, captures…]`, results the next carried.
 * With `rows` region results are `[next carried…, rows…]` and those of the node `[last carried…, [rows, …]…]`.
 */
export interface FoldAttrs extends Attrs {
  readonly from: Size;
  readonly to: Size;
  readonly carried: number;
  /** Name of the axis along which the rows of all turns lie. */
  readonly rows?: string;
}

/** `append`: writes operand 0 `[axis, …]` behind the cache `state` and gives all of it, with the axis named `as`. */
export interface AppendAttrs extends Attrs {
  readonly state: string;
  readonly axis: string;
  readonly as: string;
}
