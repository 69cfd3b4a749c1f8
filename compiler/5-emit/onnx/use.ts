/** One use of an op while it is written: its operands as they are here, and what runs its regions. */
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import type { Attrs, Axis, ValueType } from "../../ops/types.js";
import type { Graph } from "./graph.js";
import type { Parameter, Routes, Tensor, Value } from "./values.js";

/** What surrounds a use: declarations, states and the layers that it is in. */
export interface Surroundings {
  readonly graph: Graph;
  /** Writes a region's nodes with these arguments. */
  run(
    region: Region,
    args: readonly Value[],
    layer?: { readonly stack: string; readonly index: number },
  ): readonly Value[];
  /** A parameter's numbers as a tensor. */
  materialize(parameter: Parameter): Tensor;
  /** A value without the axis (the first one, of a parameter), at one index of it. */
  leading(value: Value, axis: string, index: number): Value;
  layerIndex(stack: string): number;
  param(path: string): Parameter;
  knob(path: string): Tensor;
  readState(path: string): Tensor;
  writeState(path: string, value: Tensor): void;
  /** Rows behind a cache; all of its rows. */
  append(path: string, rows: Tensor): Tensor;
  /** What a tensor, as `append` gave it, is made of. */
  appended(name: string): Appended | undefined;
  /** What made a value of this region; undefined for its parameters. */
  producer(id: ValueId): Node | undefined;
  /** Numbers of a parameter, row-major over these axes of it, which are those behind its layers. */
  numbers(parameter: Parameter, axes: readonly string[]): Float32Array;
  /** Stops with MOE5601, or with MOE5610 when a fused operator was asked for. */
  refuse(node: Node, reason: string, operator?: string): never;
}

/** A cache with rows behind it. */
export interface Appended {
  /** The rows before, `[rows, …]` as the state has them. */
  readonly past: Tensor;
  readonly rows: Tensor;
  /** The axis of `rows` that is the cache's first one. */
  readonly rowAxis: string;
  /** Says what the state is from here on. */
  replace(now: Tensor): void;
}

export class Use {
  readonly graph: Graph;
  readonly attrs: Attrs;

  constructor(
    readonly node: Node,
    readonly operands: readonly Value[],
    readonly around: Surroundings,
    /** Types of the operands as the graph says them: the order of axes that an op may speak of ("the last one"). */
    private readonly types: readonly ValueType[],
  ) {
    this.graph = around.graph;
    this.attrs = node.attrs;
  }

  tensor(index: number): Tensor {
    const value = this.operands[index];
    if (value?.kind === "parameter") return this.around.materialize(value);
    if (value?.kind !== "tensor") throw new TypeError(`operand ${index} of ${this.node.op} is no tensor`);
    return value;
  }

  /** Axes of an operand (of the tokens, when it holds routes) in the order that the graph says. */
  declaredAxes(index: number): readonly Axis[] {
    const type = this.types[index]!;
    return type.kind === "tensor" ? type.axes : type.tokens;
  }

  get tensors(): readonly Tensor[] {
    return this.operands.map((_, index) => this.tensor(index));
  }

  routes(index: number): Routes {
    const value = this.operands[index];
    if (value?.kind !== "routes") throw new TypeError(`operand ${index} of ${this.node.op} holds no routes`);
    return value;
  }

  refuse(reason: string, operator?: string): never {
    return this.around.refuse(this.node, reason, operator);
  }
}

/** Writes one use of an op. */
export type Lower = (use: Use) => readonly Value[];
