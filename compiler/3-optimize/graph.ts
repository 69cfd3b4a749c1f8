/** Questions about graphs that several passes ask. */
import type { Node, Program, Region, Value, ValueId } from "../2-graph/ir.js";
import { getOp } from "../ops/index.js";
import type { AttrValue, Declarations, TensorType, ValueType } from "../ops/types.js";

/** All values of a region and of the regions inside it. */
export function* valuesIn(region: Region): Generator<Value> {
  yield* region.params;
  for (const node of region.nodes) {
    yield* node.results;
    for (const inner of node.regions) yield* valuesIn(inner);
  }
}

/** Which node made each value of this region (not of inner ones). */
export function producers(region: Region): ReadonlyMap<ValueId, Node> {
  return new Map(region.nodes.flatMap((node) => node.results.map((result) => [result.id, node] as const)));
}

/** The nodes of this region that use a value, each once per use; results of the region are not counted. */
export function users(region: Region): ReadonlyMap<ValueId, readonly Node[]> {
  const found = new Map<ValueId, Node[]>();
  for (const node of region.nodes) {
    for (const operand of node.operands) found.set(operand, [...(found.get(operand) ?? []), node]);
  }
  return found;
}

/** Types of the values of this region (not of inner ones). */
export function typesOf(region: Region): ReadonlyMap<ValueId, ValueType> {
  const values = [...region.params, ...region.nodes.flatMap((node) => node.results)];
  return new Map(values.map((value) => [value.id, value.type]));
}

/** True when a node, or one in its regions, may not be merged, moved or dropped. */
export function hasEffect(node: Node): boolean {
  // An op that the table does not know is left alone.
  return (getOp(node.op)?.effect ?? true) || node.regions.some((region) => region.nodes.some(hasEffect));
}

/** The number of a scalar `constant` node. */
export function constantOf(node: Node | undefined): number | undefined {
  if (node?.op !== "constant" || !("value" in node.attrs)) return undefined;
  const value: AttrValue | undefined = node.attrs["value"];
  return typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : undefined;
}

export function tensorOf(type: ValueType | undefined): TensorType | undefined {
  return type?.kind === "tensor" ? type : undefined;
}

export const axisNames = (type: ValueType): readonly string[] =>
  type.kind === "tensor" ? type.axes.map(({ name }) => name) : type.tokens.map(({ name }) => name);

/** What type rules look up by path. */
export function declarationsOf(program: Program): Declarations {
  const tensor = (row: Pick<TensorType, "dtype" | "axes"> | undefined): TensorType | undefined =>
    row && { kind: "tensor", dtype: row.dtype, axes: row.axes };
  return {
    param: (path) => tensor(program.params.find((row) => row.path === path)),
    knob: (path) => tensor(program.knobs.find((row) => row.path === path)),
    state: (path) => {
      const row = program.states.find((each) => each.path === path);
      return row && { kind: row.kind, type: { kind: "tensor", dtype: row.dtype, axes: row.axes.slice(row.layerAxes) } };
    },
  };
}
