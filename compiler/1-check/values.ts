/**
 * What an expression can stand for. Numbers, axes, modules, banks and masks are known before anything runs; tensors and
 * routes are values of the emitter.
 */
import type {
  CarryBinding,
  Expression,
  LambdaExpression,
  ModuleDecl,
  Parameter,
  Span,
  StackMember,
  TypeExpression,
} from "../../grammar/tree.js";
import type { Size } from "../axes/size.js";
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Emitted, Repetition, StoredState } from "./emitter.js";
import type { StaticNumber } from "./numbers.js";
import type { Scope } from "./scope.js";

export interface NumberValue {
  readonly kind: "number";
  readonly number: StaticNumber;
}
export interface BooleanValue {
  readonly kind: "boolean";
  /** Undefined while it depends on a symbol. */
  readonly value: boolean | undefined;
}
export interface StringValue {
  readonly kind: "string";
  readonly value: string;
}
/** A tensor or routes. */
export interface TensorValue {
  readonly kind: "tensor";
  readonly value: Emitted;
  /** Set for a knob: the greatest value it may take, which sizes what depends on it. */
  readonly bound?: Size;
}
export interface TupleValue {
  readonly kind: "tuple";
  readonly items: readonly Value[];
  /** The result of a stack that carries more than its stream: stands for its first item unless it is taken apart. */
  readonly stream?: boolean;
}
export interface ListValue {
  readonly kind: "list";
  readonly items: readonly { readonly name?: string; readonly value: Value }[];
}
export interface AxisValue {
  readonly kind: "axis";
  readonly name: string;
  readonly size: Size;
}
export interface RangeValue {
  readonly kind: "range";
  readonly from: StaticNumber;
  readonly to: StaticNumber;
}
export interface ArrowValue {
  readonly kind: "arrow";
  readonly from: Value;
  readonly to: Value;
}

/** A declaration with the file scope it was written in. */
export interface ModuleInfo {
  readonly decl: ModuleDecl;
  readonly file: string;
  readonly scope: Scope;
  /** Every identifier in it: batch axes with one of these names are renamed apart before they come in. */
  readonly names: () => ReadonlySet<string>;
}
export interface DeclarationValue {
  readonly kind: "declaration";
  readonly info: ModuleInfo;
  /** Axes given so far: `w[D, F]` without its arguments. */
  readonly axes?: ReadonlyMap<string, AxisArgument>;
}
/** What stands for an axis parameter of an instance; `name` is the axis of the caller. */
export interface AxisArgument {
  readonly size: Size;
  readonly name?: string;
  readonly span?: SourceSpan;
}
export interface InstanceValue {
  readonly kind: "instance";
  readonly info: ModuleInfo;
  readonly axes: ReadonlyMap<string, AxisArgument>;
  readonly args: ReadonlyMap<string, Value>;
  /** Which of the arguments are the declaration's own defaults, made in its scope and not where the instance is. */
  readonly defaults: ReadonlySet<string>;
  /** Where its parameters live: `layers.moe.route`. Empty for the model itself. */
  readonly path: string;
  readonly repetitions: readonly Repetition[];
  /** Axes, parameters and members by name. */
  readonly scope: Scope;
  /** Equal for instances whose bodies are the same up to the path of what they own. */
  readonly key: string;
}
/** A module known by its contract only: a parameter such as `mask: mask` while its declaration is checked by itself. */
export interface OpaqueValue {
  readonly kind: "opaque";
  readonly contract: string;
  readonly axes?: readonly AxisArgument[];
}
/** `E of SwiGLU[D, F]` and lists of these. */
export interface BankValue {
  readonly kind: "bank";
  readonly path: string;
  readonly groups: readonly BankGroup[];
  /** Name of the axis that enumerates the experts. */
  readonly axis: string;
}
export interface BankGroup {
  readonly count: Size;
  readonly module: InstanceValue | OpaqueValue;
  /** Set when the group's parameters are stacked over its experts. */
  readonly repetition?: Repetition;
}
/** Several separate modules or banks: `(L / 2) of bank(…)`. */
export interface PoolValue {
  readonly kind: "pool";
  readonly count: Size;
  readonly at: (index: number | undefined) => Value;
}
export interface StackValue {
  readonly kind: "stack";
  readonly member: StackMember;
  readonly owner: InstanceValue;
  readonly path: string;
  readonly runs: readonly StackRun[];
  readonly carry: readonly CarryBinding[];
}
export type LayerModule = InstanceValue | OpaqueValue;
/** Consecutive layers that repeat the same bodies: `turns` times all of `modules`, in order. */
export interface StackRun {
  readonly from: Size;
  readonly turns: Size;
  readonly repetition: Repetition;
  readonly modules: readonly LayerModule[];
}
/** A body that can be called: a lambda with the scope it was written in, or the method of an instance. */
export interface ClosureValue {
  readonly kind: "closure";
  readonly params: readonly Parameter[];
  readonly result?: TypeExpression;
  readonly body: Expression;
  readonly scope: Scope;
  readonly file: string;
  readonly span: Span;
  readonly names: () => ReadonlySet<string>;
  /** Axis parameters of its module with what stands for them at the caller. */
  readonly axes: ReadonlyMap<string, AxisArgument>;
  /** Axis parameters of a function that its arguments decide. */
  readonly openAxes?: readonly string[];
  readonly lambda?: LambdaExpression;
  readonly instance?: InstanceValue;
  /** The declaration, when that is the function itself. */
  readonly declaration?: ModuleInfo;
  readonly label: string;
}
export type MaskValue =
  | { readonly kind: "mask"; readonly form: "leaf"; readonly leaf: InstanceValue | ClosureValue | OpaqueValue }
  | { readonly kind: "mask"; readonly form: "and" | "or"; readonly left: MaskValue; readonly right: MaskValue }
  | { readonly kind: "mask"; readonly form: "not"; readonly operand: MaskValue }
  /** Decided from contents: a bool tensor over queries and keys. */
  | { readonly kind: "mask"; readonly form: "keep"; readonly keep: Emitted };
/** A state of a module: read as a tensor, or the first argument of `append`. */
export interface StateValue {
  readonly kind: "state";
  readonly state: StoredState;
}
export interface BuiltinValue {
  readonly kind: "builtin";
  readonly name: string;
}
/** Stands for anything after an error: everything made of it is silent. */
export interface UnknownValue {
  readonly kind: "unknown";
}

export type Value =
  | NumberValue
  | BooleanValue
  | StringValue
  | TensorValue
  | TupleValue
  | ListValue
  | AxisValue
  | RangeValue
  | ArrowValue
  | DeclarationValue
  | InstanceValue
  | OpaqueValue
  | BankValue
  | PoolValue
  | StackValue
  | ClosureValue
  | MaskValue
  | StateValue
  | BuiltinValue
  | UnknownValue;

export const unknown: UnknownValue = { kind: "unknown" };

export function numberValue(number: StaticNumber): NumberValue {
  return { kind: "number", number };
}
