/**
 * Where the numbers of a parameter come from: a checkpoint, by the names that the spec gives, or a seed. One layer at a
 * time, in the axis order that is asked for.
 */
import { moecError } from "../errors/raise.js";
import { asBlocks } from "../checkpoints/reblock.js";
import { STORAGE } from "../checkpoints/storage.js";
import type { Checkpoint, TensorInfo } from "../checkpoints/types.js";
import type { ParamDecl, Program, WeightSource } from "../2-graph/ir.js";
import { indexVectors } from "../axes/index-vectors.js";
import { blockValues, holdsBlocks, type BlockFormat, type BlockStorage } from "../4-schedule/layout/layouts.js";
import { isK } from "../4-schedule/micro/k-layouts.js";
import type { StoredBlocks } from "../4-schedule/layout/pack-blocks.js";
import { pairHalves, rearrange } from "./rearrange.js";
import { codeValues, normalValues } from "./random-values.js";
import {
  around,
  layerSizes,
  orderOf,
  product,
  shapeOf,
  storedOrder,
  tensorNames,
  withoutTensor,
  type Shape,
  type StoredOrder,
} from "./stored-order.js";

export interface ParameterSource {
  /** Values of a parameter in one layer, row-major over `axes` (its own axes without those of the layers). */
  read(path: string, layer: readonly number[], axes: readonly string[]): Float32Array;
  /**
   * The same layer in blocks, without a way through f32 where the source has such blocks.
   *
   * @param along Axes that the blocks run along; `undefined` comes back when the source's numbers do not lie so.
   */
  readBlocks?(
    path: string,
    layer: readonly number[],
    storage: BlockStorage,
    along: readonly string[],
  ): StoredBlocks | undefined;
}

/** Whole blocks of a type as blocks of another: `asBlocks`, or something faster that gives the same bytes. */
export type AsBlocks = typeof asBlocks;

function findParam(program: Program, path: string): ParamDecl {
  const found = program.params.find((param) => param.path === path);
  if (found) return found;
  throw withoutTensor(path, "the program has no such parameter");
}

/**
 * Parameters from a checkpoint.
 *
 * @param convert Makes blocks of tensors that the checkpoint keeps in another type.
 * @throws MoecError MOE5326 when the spec has no names for the checkpoint's format; `read` throws MOE5327 when a
 * parameter has no name, or its tensor is missing or of another shape.
 */
export function checkpointSource(
  program: Program,
  checkpoint: Checkpoint,
  convert: AsBlocks = asBlocks,
): ParameterSource {
  const names = program.weightNames[checkpoint.format];
  if (!names) throw moecError("MOE5326", { model: program.name, format: checkpoint.format });
  return {
    read(path, layer, axes) {
      const param = findParam(program, path);
      const source = names[path];
      if (!source) throw withoutTensor(path, `the \`weights ${checkpoint.format}\` block does not name it`);
      const { names: own, sizes } = shapeOf(param);
      return rearrange(readLayer(checkpoint, source, param, layer), sizes, orderOf(own, axes, path));
    },
    readBlocks(path, layer, storage, along) {
      const source = names[path];
      return source && blocksOf({ checkpoint, convert }, source, findParam(program, path), layer, storage, along);
    },
  };
}

/** How a parameter lies in the file, when whole blocks of a format run along these axes. */
function blockOrder(
  source: WeightSource,
  param: ParamDecl,
  storage: BlockStorage,
  along: readonly string[],
): StoredOrder | undefined {
  const order = storedOrder(source, param);
  const { names, sizes } = withBank(order);
  const first = names.length - along.length;
  const isLast = along.every((axis, index) => axis === names[first + index]);
  if (!isLast || product(sizes.slice(first)) % blockValues(storage) !== 0) return undefined;
  return order.rotary !== undefined && along.includes(order.rotary) ? undefined : order;
}

/** Axes of all tensors of a layer one behind the other. */
function withBank({ bank, experts, stored }: StoredOrder): Shape {
  if (bank === undefined) return stored;
  return { names: [bank, ...stored.names], sizes: [experts, ...stored.sizes] };
}

/** Whether a checkpoint's blocks of a format, if it keeps a parameter in them, run along these axes. */
export function hasBlocksAlong(
  program: Program,
  checkpoint: Checkpoint,
  path: string,
  storage: BlockStorage,
  along: readonly string[],
): boolean {
  const source = program.weightNames[checkpoint.format]?.[path];
  return source !== undefined && blockOrder(source, findParam(program, path), storage, along) !== undefined;
}

/** Whether each expert of a bank has a tensor of its own. */
export function hasTensorsOfExperts(program: Program, checkpoint: Checkpoint, path: string): boolean {
  return program.weightNames[checkpoint.format]?.[path]?.pattern.includes("{e}") ?? false;
}

/** One tensor, or those of all experts one behind the other, as blocks. */
function blocksOf(
  { checkpoint, convert }: { readonly checkpoint: Checkpoint; readonly convert: AsBlocks },
  source: WeightSource,
  param: ParamDecl,
  layer: readonly number[],
  storage: BlockStorage,
  along: readonly string[],
): StoredBlocks | undefined {
  const order = blockOrder(source, param, storage, along);
  if (!order) return undefined;
  const parts: Uint8Array[] = [];
  let format: BlockFormat | undefined;
  for (const name of tensorNames(source, order, layer)) {
    const tensor = findTensor(checkpoint, name, order.stored, param.path);
    const type = tensor.type as BlockFormat;
    // Nothing is converted to the finer formats.
    if (isK(storage) && (!holdsBlocks(storage, type) || (format !== undefined && format !== type))) return undefined;
    const stored = checkpoint.read(tensor.name);
    const bytes = isK(storage) ? stored : convert(tensor.type, stored, storage);
    format = isK(storage) ? type : storage;
    parts.push(unpairBlocks(bytes, order, format));
  }
  return (
    format && { storage: format, axes: withBank(order).names, bytes: parts.length === 1 ? parts[0]! : joined(parts) }
  );
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Rows change places, so their blocks do as wholes. */
function unpairBlocks(bytes: Uint8Array, { stored, rotary }: StoredOrder, storage: BlockFormat): Uint8Array {
  if (rotary === undefined) return bytes;
  const { outer, size, inner } = around(stored, rotary);
  return pairHalves(bytes, outer, size, (inner / blockValues(storage)) * STORAGE[storage].blockBytes);
}

/** Tensors that a parameter is read from, of all layers and experts; those that are missing are left out. */
export function tensorsOf(program: Program, checkpoint: Checkpoint, path: string): readonly TensorInfo[] {
  const source = program.weightNames[checkpoint.format]?.[path];
  if (!source) return [];
  const param = findParam(program, path);
  const order = storedOrder(source, param);
  const names = indexVectors(layerSizes(param)).flatMap((layer) => tensorNames(source, order, layer));
  return names.flatMap((name) => checkpoint.tensors.get(name) ?? []);
}

/** A parameter in one layer, in its own order of axes. */
function readLayer(
  checkpoint: Checkpoint,
  source: WeightSource,
  param: ParamDecl,
  layer: readonly number[],
): Float32Array {
  const order = storedOrder(source, param);
  const names = tensorNames(source, order, layer);
  if (order.bank === undefined) return readTensor(checkpoint, order, names[0]!, param.path);
  const size = product(order.own.sizes);
  const values = new Float32Array(order.experts * size);
  for (const [expert, name] of names.entries())
    values.set(readTensor(checkpoint, order, name, param.path), expert * size);
  return values;
}

/** A tensor with its axes in the parameter's own order. */
function readTensor(
  checkpoint: Checkpoint,
  { own, stored, rotary }: StoredOrder,
  name: string,
  path: string,
): Float32Array {
  findTensor(checkpoint, name, stored, path);
  let values = checkpoint.readF32(name);
  if (rotary !== undefined) {
    const { outer, size, inner } = around(stored, rotary);
    values = pairHalves(values, outer, size, inner);
  }
  return rearrange(values, stored.sizes, orderOf(stored.names, own.names, path));
}

/** The tensor of a name, of this shape as stored. */
function findTensor(checkpoint: Checkpoint, name: string, { names, sizes }: Shape, path: string): TensorInfo {
  const tensor = checkpoint.tensors.get(name);
  if (!tensor) throw withoutTensor(path, `the checkpoint has no tensor \`${name}\``);
  if (isMerged(tensor.shape, sizes)) return tensor;
  const wanted = names.map((axis, index) => `${axis} = ${sizes[index]}`).join(", ");
  throw withoutTensor(path, `tensor \`${name}\` has shape [${tensor.shape.join(", ")}], not [${wanted}]`);
}

/** Whether merging neighbours of `sizes` gives `stored` (sizes of 1 may be absent or added). */
function isMerged(stored: readonly number[], sizes: readonly number[]): boolean {
  let at = 0;
  for (const size of stored) {
    let merged = 1;
    while (merged < size && at < sizes.length) merged *= sizes[at++]!;
    if (merged !== size) return false;
  }
  return sizes.slice(at).every((size) => size === 1);
}

/** Bits of the codes that a parameter of whole numbers is filled with, as in tests of specs. */
function codeBits({ formats = [] }: ParamDecl): number {
  const bits = formats.map((format) => /^uint(\d+)$/.exec(format)?.[1]).find((found) => found !== undefined);
  return Math.min(3, Number(bits ?? 3));
}

/**
 * Parameters filled by their declared initialization, the same for a seed: without one normal numbers of deviation 0.02,
 * or codes below 8 (below 2 ** bits of narrower ones) where they are whole numbers.
 */
export function randomSource(program: Program, seed: number): ParameterSource {
  return {
    read(path, layer, axes) {
      const param = findParam(program, path);
      const shape = shapeOf(param);
      const count = product(shape.sizes);
      const init = param.init ?? { kind: "normal", deviation: 0.02 };
      const values =
        init.kind === "constant"
          ? new Float32Array(count).fill(init.value)
          : param.dtype === "i32"
            ? codeValues(`${seed}/${path}/${layer.join(".")}`, count, codeBits(param))
            : normalValues(`${seed}/${path}/${layer.join(".")}`, count, init.deviation);
      return rearrange(values, shape.sizes, orderOf(shape.names, axes, path));
    },
  };
}
