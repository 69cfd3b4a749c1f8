/**
 * In which format each parameter is kept: what the spec demands, else the build's format for large matrices, f16 for
 * those that a block format would hurt, and f32 for vectors.
 */
import type { KRecords, Node, ParamDecl, Program, Region, StorageType, ValueId } from "../compiler/2-graph/ir.js";
import { isAnyK, isBlocked } from "../compiler/4-schedule/layout/layouts.js";
import { matrixUses, type MatrixUse } from "../compiler/4-schedule/layout/matrix-uses.js";
import { isK } from "../compiler/4-schedule/micro/k-layouts.js";
import { hasBlocksAlong, hasTensorsOfExperts, tensorsOf } from "../compiler/6-bundle/parameters.js";
import { keptAs, type Checkpoint, type EncodableType } from "../compiler/checkpoints/index.js";

/** Values in a block of q8_0 and q4_0. */
const BLOCK = 32;

/** What matrices are stored as: one format, or for each path its own. */
export type MatrixStorage = StorageType | ((path: string) => StorageType);

/** @param quantization What matrices are stored as. */
export function storageOf(program: Program, quantization: MatrixStorage): (param: ParamDecl) => StorageType {
  const choice = choiceOf(program, quantization);
  return (param) => {
    const format = choice(param);
    return format === NO_WHOLE_BLOCKS ? "f16" : format;
  };
}

/** Paths of the matrices that are f16 because no whole number of blocks fills their rows, whatever was asked for. */
export function matricesWithoutBlocks(program: Program, quantization: MatrixStorage): readonly string[] {
  const choice = choiceOf(program, quantization);
  return program.params.filter((param) => choice(param) === NO_WHOLE_BLOCKS).map(({ path }) => path);
}

const NO_WHOLE_BLOCKS = Symbol("rows of no whole blocks");

function choiceOf(
  program: Program,
  quantization: MatrixStorage,
): (param: ParamDecl) => StorageType | typeof NO_WHOLE_BLOCKS {
  const routers = routerParameters(program);
  return (param) => {
    if (param.storage !== undefined) return param.storage;
    if (param.dtype !== "f32") return "i32";
    // Vectors (gains of norms, biases) are small and sensitive.
    if (param.axes.length - param.layerAxes < 2) return "f32";
    const format = typeof quantization === "string" ? quantization : quantization(param.path);
    if (!isBlocked(format)) return format;
    // The choice of an expert hangs on small differences, and a router is a thousandth of a layer.
    if (routers.has(param.path)) return "f16";
    if (isK(format)) return format;
    return hasWholeBlocks(param) ? format : NO_WHOLE_BLOCKS;
  };
}

/** Whether the axis that blocks run along is filled by blocks of 32. */
function hasWholeBlocks({ axes, contracted }: ParamDecl): boolean {
  const along = axes.find(({ name }) => name === contracted) ?? axes.at(-1);
  return (along?.size.constant ?? 0) % BLOCK === 0;
}

/**
 * For each matrix the format of its tensors in a checkpoint: nothing is lost that 8 bits can hold, and nothing at all where
 * a target computes with the finer formats.
 *
 * @param fine Whether it does.
 */
export function storageInFile(program: Program, checkpoint: Checkpoint, fine = false): (path: string) => StorageType {
  const uses = fine ? matrixUses(program) : undefined;
  return (path) => {
    const tensors = tensorsOf(program, checkpoint, path);
    const own = uses && fineFormat(program, checkpoint, path, uses.get(path), new Set(tensors.map(({ type }) => type)));
    return own ?? common(new Set(tensors.map(({ type }) => keptAs(type))));
  };
}

/** The finer format that holds all tensors of a parameter as they are, when their blocks lie as products read them. */
function fineFormat(
  program: Program,
  checkpoint: Checkpoint,
  path: string,
  use: MatrixUse | undefined,
  types: ReadonlySet<string>,
): KRecords | undefined {
  const [only] = types;
  const mixed = use && [...types].every(isAnyK) && !hasTensorsOfExperts(program, checkpoint, path);
  const format = types.size === 1 && only !== undefined && isK(only) ? only : mixed ? "any_K" : undefined;
  const param = program.params.find((decl) => decl.path === path);
  if (!format || !param) return undefined;
  const along = use?.columns ?? param.axes.slice(-1).map(({ name }) => name);
  return hasBlocksAlong(program, checkpoint, path, format, along) ? format : undefined;
}

/** One format for the layers and experts of a parameter, which a file may keep in several. */
function common(types: ReadonlySet<EncodableType>): EncodableType {
  const [only] = types;
  if (only === undefined) return "f16";
  if (types.size === 1) return only;
  // Blocks of 4 bits fit into those of 8 as they are.
  if ([...types].every((type) => type === "q8_0" || type === "q4_0")) return "q8_0";
  // f16 and bf16 each hold numbers that the other does not.
  return types.has("f32") || (types.has("f16") && types.has("bf16")) ? "f32" : types.has("bf16") ? "bf16" : "f16";
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
