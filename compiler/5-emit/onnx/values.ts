/** What a value of the graph is while it is written as ONNX. */
import type { ParamDecl } from "../../2-graph/ir.js";
import type { Axis } from "../../ops/types.js";
import type { ElementType } from "./model-bytes.js";

/**
 * A tensor with the axes that it has here, in this order. Inside of an expert a value also has the axis of the rows that
 * the expert took, so these are not always the axes that the graph says.
 */
export interface Tensor {
  readonly kind: "tensor";
  readonly name: string;
  readonly type: ElementType;
  readonly axes: readonly Axis[];
}

/** `index[tokens…, slots]` i32 with -1 for an empty slot, and the weights beside it. */
export interface Routes {
  readonly kind: "routes";
  readonly experts: Axis;
  readonly index: Tensor;
  readonly weight: Tensor;
}

/** A parameter, or what is left of it after its leading axes were fixed; its numbers are written where it is read. */
export interface Parameter {
  readonly kind: "parameter";
  readonly decl: ParamDecl;
  readonly leading: readonly number[];
}

export type Value = Tensor | Routes | Parameter;

/** The axis of the slots of routes. No source can write this name. */
export const SLOT = "'slot";

export const tokensOf = (routes: Routes): readonly Axis[] => routes.index.axes.slice(0, -1);
