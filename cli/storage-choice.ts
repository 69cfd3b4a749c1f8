/**
 * In which format each parameter is kept: what the spec demands, else the build's format for large matrices, f16 for
 * those that a block format would hurt, and f32 for vectors.
 */
import type { Node, ParamDecl, Program, Region, StorageType, ValueId } from "../compiler/2-graph/ir.js";

/** Values in a block of q8_0 and q4_0. */
const BLOCK = 32;

/** @param quantization What matrices are stored as. */
export function storageOf(program: Program, quantization: StorageType): (param: ParamDecl) => StorageType {
  const routers = routerParameters(program);
  return (param) => {
    if (param.storage !== undefined) return param.storage;
    if (param.dtype !== "f32") return "i32";
    // Vectors (gains of norms, biases) are small and sensitive.
    const own = param.axes.slice(param.layerAxes);
    if (own.length < 2) return "f32";
    if (quantization !== "q8_0" && quantization !== "q4_0") return quantization;
    // The choice of an expert hangs on small differences, and a router is a thousandth of a layer.
    if (routers.has(param.path)) return "f16";
    const along = param.axes.find(({ name }) => name === param.contracted) ?? param.axes.at(-1);
    return (along?.size.constant ?? 0) % BLOCK === 0 ? quantization : "f16";
  };
}

/** Paths of the matrices whose products are the scores of a router. */
export function routerParameters(program: Program): ReadonlySet<string> {
  const found = new Set<string>();
  for (const entry of program.entries) search(entry.body, new Map(), found);
  return found;
}

/** @param outside Paths of the parameters that the region's own parameters stand for. */
function search(region: Region, outside: ReadonlyMap<ValueId, string>, found: Set<string>): void {
  const makers = new Map(region.nodes.flatMap((node) => node.results.map((value) => [value.id, node] as const)));
  const pathOf = (id: ValueId): string | undefined => {
    const own = outside.get(id);
    if (own !== undefined) return own;
    const node = makers.get(id);
    const path = node?.op === "param" ? node.attrs["path"] : undefined;
    if (typeof path === "string") return path;
    // A parameter with its axes renamed or reordered is still that parameter.
    return node !== undefined && VIEWS.has(node.op) ? pathOf(node.operands[0]!) : undefined;
  };
  for (const node of region.nodes) {
    if (node.op === "route") for (const operand of node.operands) scores(operand, makers, pathOf, found, new Set());
    for (const inner of node.regions) search(inner, bind(node, inner, pathOf), found);
  }
}

const VIEWS = new Set(["rename", "order", "split", "merge", "slice", "cast"]);

/** Walks back from a router's scores to the products that made them, and no further. */
function scores(
  id: ValueId,
  makers: ReadonlyMap<ValueId, Node>,
  pathOf: (id: ValueId) => string | undefined,
  found: Set<string>,
  seen: Set<ValueId>,
): void {
  const node = makers.get(id);
  if (!node || seen.has(id)) return;
  seen.add(id);
  if (node.op !== "contract") {
    for (const operand of node.operands) scores(operand, makers, pathOf, found, seen);
    return;
  }
  for (const operand of node.operands) {
    const path = pathOf(operand);
    if (path !== undefined) found.add(path);
  }
}

/** Operands of a region op stand for the region's parameters, one for one, where their numbers agree. */
function bind(node: Node, region: Region, pathOf: (id: ValueId) => string | undefined): ReadonlyMap<ValueId, string> {
  const bound = new Map<ValueId, string>();
  if (region.params.length !== node.operands.length) return bound;
  region.params.forEach((param, index) => {
    const path = pathOf(node.operands[index]!);
    if (path !== undefined) bound.set(param.id, path);
  });
  return bound;
}
