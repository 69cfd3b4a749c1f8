/**
 * What the walk over a program emits into. The walk decides which ops a body is made of; an emitter either derives types
 * only (checking) or makes graph nodes (building). Both ask the op table for every type, so a shape rule exists once.
 */
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Attrs, Axis, DType, RegionType, ValueType } from "../ops/types.js";
import type { Size } from "../axes/size.js";

/** A value at run time, as far as the walk needs to know it. */
export interface Emitted {
  readonly type: ValueType;
  /** Where its axes were declared or its expression stands, for the second place of an error. */
  source?: SourceSpan;
}

/** An axis that repeats a module: the layers of a stack or the experts of a bank. */
export interface Repetition {
  readonly kind: "layer" | "expert";
  /** Path of the stack or bank. */
  readonly path: string;
  readonly axis: Axis;
  /** Of layers: which ones of which stack these are. */
  readonly layers?: LayerNumbers;
}

/** The numbers that the turns of a run have in their stack: `first`, `first + step`, … */
export interface LayerNumbers {
  /** Path of the whole stack. */
  readonly stack: string;
  /** Undefined where the path of what a layer owns has the number of its first turn. */
  readonly first: number | undefined;
  readonly step: number;
}

/** A parameter or knob as its module declares it, with the repetitions around it, outermost first. */
export interface StoredValue {
  readonly kind: "param" | "knob";
  readonly path: string;
  readonly dtype: DType;
  readonly axes: readonly Axis[];
  readonly repetitions: readonly Repetition[];
  readonly storage?: string;
  /** Formats that are not a storage type, as written: `sparse(2:4)`. */
  readonly formats?: readonly string[];
  readonly init?:
    { readonly kind: "normal"; readonly deviation: number } | { readonly kind: "constant"; readonly value: number };
  readonly range?: readonly [number, number];
  readonly span: SourceSpan;
}

/** A state as its module declares it; `cache` grows along its first axis. */
export interface StoredState {
  readonly path: string;
  readonly kind: "fixed" | "cache";
  readonly dtype: DType;
  readonly axes: readonly Axis[];
  readonly repetitions: readonly Repetition[];
  readonly init: number;
  readonly span: SourceSpan;
}

/** The body of a region op while it is being emitted; opaque to the walk but for its types. */
export interface EmittedRegion {
  readonly type: RegionType;
  /** True when the body uses a value from outside. */
  readonly captures: boolean;
}

export interface RegionParam {
  readonly type: ValueType;
  readonly name?: string;
}

export interface Emitter {
  /**
   * One use of an op. Parameters and outside values that regions need are added to the operands here, with the counts in
   * the attributes. Throws OpTypeError when the type rule refuses.
   */
  op(
    name: string,
    operands: readonly Emitted[],
    attrs: Attrs,
    span: SourceSpan,
    regions?: readonly EmittedRegion[],
  ): readonly Emitted[];
  /** Emits a body; inside, values stored under `repetition` lose its axis. */
  region(
    params: readonly RegionParam[],
    body: (params: readonly Emitted[]) => readonly Emitted[],
    repetition?: Repetition,
  ): EmittedRegion;
  /** The parameter or knob as seen here: axes of the repetitions that no region around has taken off come first. */
  stored(value: StoredValue): Emitted;
  /** From here on the parameter of this path is `value`, made outside of all regions with the parameter's own axes. */
  bind(path: string, value: Emitted): void;
  /** Which of these repetitions stored values still have axes for here. */
  repetitionKey(repetitions: readonly Repetition[]): string;
  /** Makes the state known; ops name it by its path. */
  state(state: StoredState): void;
  /** The name of the value in the source, for people. */
  name(value: Emitted, name: string): void;
}

/** Sizes with fixed meanings at run time. */
export const PAST = "past";

export type { Axis, DType, Size, ValueType };
