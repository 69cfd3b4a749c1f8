/** Types of what is in a graph: of values by id, of regions as type rules see them, of declarations by path. */
import type { Declarations, OpCall, RegionType, TensorType, ValueType } from "../ops/types.js";
import type { Node, Program, Region, ValueId } from "./ir.js";

/** Types of all values that a region defines itself (parameters and results of its nodes, not of nested regions). */
export function typesOf(region: Region): Map<ValueId, ValueType> {
  const types = new Map<ValueId, ValueType>();
  for (const param of region.params) types.set(param.id, param.type);
  for (const node of region.nodes) for (const result of node.results) types.set(result.id, result.type);
  return types;
}

function typeIn(types: ReadonlyMap<ValueId, ValueType>, id: ValueId): ValueType {
  const type = types.get(id);
  if (!type) throw new RangeError(`%${id} is not defined here`);
  return type;
}

/** The signature of a region. Throws RangeError when a result is not defined in it. */
export function regionType(region: Region): RegionType {
  const types = typesOf(region);
  return {
    params: region.params.map((param) => param.type),
    results: region.results.map((id) => typeIn(types, id)),
  };
}

/** One use as its type and cost rules see it; `types` are those of the region around the node. */
export function callOf(node: Node, types: ReadonlyMap<ValueId, ValueType>, declared?: Declarations): OpCall {
  return {
    operands: node.operands.map((id) => typeIn(types, id)),
    attrs: node.attrs,
    regions: node.regions.map(regionType),
    ...(declared ? { declared } : {}),
  };
}

/** Parameters, knobs and states of a program by path. */
export function declarationsOf(program: Pick<Program, "params" | "knobs" | "states">): Declarations {
  const tensor = (decl: { dtype: TensorType["dtype"]; axes: TensorType["axes"] }): TensorType => ({
    kind: "tensor",
    dtype: decl.dtype,
    axes: decl.axes,
  });
  const params = new Map(program.params.map((decl) => [decl.path, tensor(decl)]));
  const knobs = new Map(program.knobs.map((decl) => [decl.path, tensor(decl)]));
  const states = new Map(
    program.states.map((decl) => [
      decl.path,
      { kind: decl.kind, type: tensor({ dtype: decl.dtype, axes: decl.axes.slice(decl.layerAxes) }) },
    ]),
  );
  return {
    param: (path) => params.get(path),
    knob: (path) => knobs.get(path),
    state: (path) => states.get(path),
  };
}
