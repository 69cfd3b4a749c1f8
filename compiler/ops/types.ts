/**
 * What an op is: one record that the checker, the editor, the evaluator, the cost model, the schedules and the docs
 * read. The table itself is `index.ts`; each family of ops is one file beside it.
 *
 * An op works on values with named axes. Axes align by name, never by position; the order in which a type lists them is
 * the order in memory (last one fastest).
 */
import type { Size } from "../axes/size.js";

/** What arithmetic is done in. Storage of weights is a matter of `StorageType`, not of the graph. */
export type DType = "f32" | "i32" | "bool";

export interface Axis {
  readonly name: string;
  readonly size: Size;
}

export interface TensorType {
  readonly kind: "tensor";
  readonly dtype: DType;
  /** Outermost first. No name occurs twice. A scalar has none. */
  readonly axes: readonly Axis[];
}

/**
 * A sparse assignment of tokens to experts: for each token `slots` pairs of an expert (or none) and a weight. Whatever
 * built it (token choice, expert choice, a threshold, a transport plan), this is the form that later stages see; `slots`
 * is the static bound on experts per token.
 */
export interface RoutesType {
  readonly kind: "routes";
  /** The axes of the tokens that were routed, outermost first; none for one token. */
  readonly tokens: readonly Axis[];
  readonly experts: Axis;
  readonly slots: Size;
}

export type ValueType = TensorType | RoutesType;

/** Data of a node beside its operands: plain, immutable, printable. */
export type AttrValue =
  number | string | boolean | Size | readonly AttrValue[] | { readonly [key: string]: AttrValue | undefined };
export type Attrs = Readonly<Record<string, AttrValue | undefined>>;

/** The values inside a region's signature, as far as type rules need it. */
export interface RegionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** Cost of one run of the region, for cost rules; the graph fills it in (type rules never read it). */
  readonly cost?: OpCost;
}

/** What the program around a use declares, for ops that name a parameter, a state or a knob by path. */
export interface Declarations {
  /** Type of a parameter with all its axes, layers and experts first. */
  param(path: string): TensorType | undefined;
  /** Type of a knob with all its axes. */
  knob(path: string): TensorType | undefined;
  /** Type of a state as one layer sees it: without the layer axes. */
  state(path: string): { readonly kind: "fixed" | "cache"; readonly type: TensorType } | undefined;
}

/** One use of an op, as its type and cost rules see it. */
export interface OpCall<A extends Attrs = Attrs> {
  readonly operands: readonly ValueType[];
  readonly attrs: A;
  readonly regions: readonly RegionType[];
  /** Absent where no program is at hand: then a path is not looked up, and ops that need it refuse (MOE2058). */
  readonly declared?: Declarations;
}

/** Dense row-major values of one tensor at run time, as the reference evaluator holds them (f64 carries every dtype). */
export interface ReferenceTensor {
  readonly kind: "tensor";
  readonly dtype: DType;
  readonly axes: readonly { readonly name: string; readonly size: number }[];
  readonly data: Float64Array;
}
/** Routes at run time: `index[token * slots + slot]` is the expert or -1 for an empty slot. */
export interface ReferenceRoutes {
  readonly kind: "routes";
  readonly tokens: readonly { readonly name: string; readonly size: number }[];
  readonly experts: { readonly name: string; readonly size: number };
  readonly slots: number;
  readonly index: Int32Array;
  readonly weight: Float64Array;
}
export type ReferenceValue = ReferenceTensor | ReferenceRoutes;

/** What the reference semantics of an op may ask of the evaluator around it. */
export interface ReferenceContext {
  /** Run region number `region` of the current node; `layer` opens one turn of a stack for what is inside. */
  run(
    region: number,
    args: readonly ReferenceValue[],
    layer?: { readonly stack: string; readonly index: number },
  ): readonly ReferenceValue[];
  /** Run the region of the current node with the states and the `past` of one of the texts of the call. */
  runText(text: number, args: readonly ReferenceValue[]): readonly ReferenceValue[];
  /** The turn of the enclosing stack `name`. */
  layerIndex(name: string): number;
  /** The number behind a size, with the run-time sizes of this call. */
  size(size: Size): number;
  /** State named `path` in the innermost enclosing layer; undefined before its first write. */
  readState(path: string): ReferenceValue | undefined;
  writeState(path: string, value: ReferenceValue): void;
  /** Write rows behind a cache and give all of its rows; the first axis of both is the one that grows. */
  appendState(path: string, rows: ReferenceTensor): ReferenceTensor;
  knob(path: string): ReferenceTensor;
  /** Called with the routes that a mixture or dispatch follows, for traces. */
  trace(routes: ReferenceRoutes): void;
  /** A parameter of the program by its path. */
  param(path: string): ReferenceTensor;
}

/** Cost of one use, as exact formulas: floating-point operations (a multiply-add counts 2) and bytes that must move. */
export interface OpCost {
  readonly flops: Size;
  readonly bytes: Size;
}

/**
 * Scalar arithmetic from which an elementwise op says what it computes in a kernel. A schedule implements it on kernel
 * IR expressions (scalar or vector), so that one formula serves every target; the reference has its own, in doubles.
 */
export interface ScalarMath<E> {
  constant(value: number): E;
  add(a: E, b: E): E;
  sub(a: E, b: E): E;
  mul(a: E, b: E): E;
  div(a: E, b: E): E;
  /** NaN when either is NaN (f32). */
  min(a: E, b: E): E;
  /** NaN when either is NaN (f32). */
  max(a: E, b: E): E;
  neg(a: E): E;
  abs(a: E): E;
  floor(a: E): E;
  ceil(a: E): E;
  /** Round half to even. */
  round(a: E): E;
  sqrt(a: E): E;
  /** e^a to 2 ulp or so, with 0 and Infinity at the ends of the range. */
  exp(a: E): E;
  log(a: E): E;
  sin(a: E): E;
  cos(a: E): E;
  tanh(a: E): E;
  compare(relation: "eq" | "ne" | "lt" | "le" | "gt" | "ge", a: E, b: E): E;
  select(condition: E, yes: E, no: E): E;
  and(a: E, b: E): E;
  or(a: E, b: E): E;
  not(a: E): E;
}

/** How the schedule makes kernels for an op; the schedules themselves live in `4-schedule`. */
export type Lowering =
  /** Joins a loop nest with its neighbours; needs `scalar`. */
  | { readonly kind: "elementwise" }
  /** Changes axes or offsets only: no kernel where the consumer can read through it. */
  | { readonly kind: "view" }
  /** A named kernel template of `4-schedule`. */
  | { readonly kind: "template"; readonly template: string }
  /** Has no kernel yet: a program that needs it on a target is refused with a coded error that names the op. */
  | { readonly kind: "reference-only" };

/**
 * The record of one op. `type` throws `OpTypeError` and nothing else; `reference` may assume that `type` passed.
 */
export interface OpDef<A extends Attrs = Attrs> {
  readonly name: string;
  readonly family: "elementwise" | "axes" | "reduce" | "contract" | "select" | "random" | "source" | "state" | "region";
  /** One paragraph of Markdown: what it computes, with shapes and the meaning of the ends of the range. */
  readonly doc: string;
  /** A `.moe` expression or declaration that uses it; the tests compile it. */
  readonly example: string;
  readonly attrs: readonly string[];
  /** True when two equal uses may not be merged and an unused one may not be dropped (state, randomness without key). */
  readonly effect: boolean;
  /** True when exchanging the two operands changes nothing. */
  readonly commutative: boolean;
  type(call: OpCall<A>): readonly ValueType[];
  cost(call: OpCall<A>): OpCost;
  /** Names a rule of the autodiff table, or says that there is none. */
  readonly gradient: "chain" | "none";
  reference(context: ReferenceContext, operands: readonly ReferenceValue[], call: OpCall<A>): readonly ReferenceValue[];
  /**
   * For `elementwise` lowering: the formula, one element at a time. Where its value has another dtype than the result of
   * the node (`cast`), the schedule converts: f32 to i32 truncates and saturates with NaN to 0, a number to bool is `!= 0`,
   * bool to a number is 0 or 1.
   */
  readonly scalar?: <E>(math: ScalarMath<E>, ...operands: readonly E[]) => E;
  /** The formula on i32 operands where it is another one (division); `scalar` when absent. */
  readonly scalarInteger?: <E>(math: ScalarMath<E>, ...operands: readonly E[]) => E;
  readonly lowering: Lowering;
}

/**
 * A use of an op that its type rule refuses. `code` is a MOE2xxx code; `operand` and `axis` say which operand and which
 * of its axes is at fault so that the checker can underline it and point at where the other size came from.
 */
export class OpTypeError extends Error {
  constructor(
    readonly code: string,
    readonly slots: Readonly<Record<string, string>>,
    readonly operand?: number,
    readonly axis?: string,
  ) {
    super(`${code} ${JSON.stringify(slots)}`);
    this.name = "OpTypeError";
  }
}
