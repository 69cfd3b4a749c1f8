/** Small programs for schedule tests, built with the graph builder. */
import { Size } from "../../compiler/axes/size.js";
import { declarationsOf, GraphBuilder, type RegionBuilder } from "../../compiler/2-graph/index.js";
import type { KnobDecl, ParamDecl, Program, StateDecl, Value } from "../../compiler/2-graph/ir.js";
import type { Axis, DType, TensorType } from "../../compiler/ops/types.js";

export const axis = (name: string, size: number | string = name): Axis & { [key: string]: Size | string } => ({
  name,
  size: Size.of(size),
});
export const f32 = (...axes: readonly Axis[]): TensorType => ({ kind: "tensor", dtype: "f32", axes });
export const typed = (dtype: DType, ...axes: readonly Axis[]): TensorType => ({ kind: "tensor", dtype, axes });

export const param = (path: string, axes: readonly Axis[], options: Partial<ParamDecl> = {}): ParamDecl => ({
  path,
  dtype: "f32",
  axes,
  layerAxes: 0,
  ...options,
});

export interface ProgramParts {
  readonly inputs: Readonly<Record<string, TensorType>>;
  readonly params?: readonly ParamDecl[];
  readonly states?: readonly StateDecl[];
  readonly knobs?: readonly KnobDecl[];
  readonly build: (scope: RegionBuilder, inputs: readonly Value[], param: (path: string) => Value) => readonly Value[];
}

/** A program with the entry `forward`, whose outputs are called y0, y1, … */
export function program(parts: ProgramParts): Program {
  const base: Program = {
    name: "Test",
    params: parts.params ?? [],
    states: parts.states ?? [],
    knobs: parts.knobs ?? [],
    runtimeSizes: ["T", "past"],
    entries: [],
    weightNames: {},
    settings: {},
  };
  const graph = new GraphBuilder(declarationsOf(base));
  const params = Object.entries(parts.inputs).map(([name, type]) => ({ type, name }));
  const body = graph.region(params, (scope, inputs) =>
    parts.build(scope, inputs, (path) => scope.one("param", [], { path })),
  );
  const outputs = body.results.map((_, index) => `y${index}`);
  return { ...base, entries: [{ name: "forward", inputs: Object.keys(parts.inputs), outputs, body }] };
}
