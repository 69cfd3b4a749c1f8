/**
 * Where the numbers of a parameter come from: a checkpoint, by the names that the spec gives, or a seed. One layer at a
 * time, in the axis order that is asked for.
 */
import { moecError } from "../errors/raise.js";
import { asBlocks } from "../checkpoints/reblock.js";
import { STORAGE } from "../checkpoints/storage.js";
import type { Checkpoint, TensorInfo } from "../checkpoints/types.js";
import type { ParamDecl, Program, WeightSource } from "../2-graph/ir.js";
import { blockValues, holdsBlocks, type BlockFormat, type BlockStorage } from "../4-schedule/layout/layouts.js";
import { isK } from "../4-schedule/micro/k-layouts.js";
import type { StoredBlocks } from "../4-schedule/layout/pack-blocks.js";
import { pairHalves, rearrange } from "./rearrange.js";
import { normalValues } from "./random-values.js";

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

interface Shape {
  readonly names: readonly string[];
  readonly sizes: readonly number[];
}

function shapeOf(param: ParamDecl): Shape {
  const own = param.axes.slice(param.layerAxes);
  return { names: own.map(({ name }) => name), sizes: own.map((axis) => axis.size.evaluate({})) };
}

function findParam(program: Program, path: string): ParamDecl {
  const found = program.params.find((param) => param.path === path);
  if (found) return found;
  throw withoutTensor(path, "the program has no such parameter");
}

function withoutTensor(path: string, reason: string): Error {
  return moecError("MOE5327", { path, reason });
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
      const shape = shapeOf(param);
      const values = source.pattern.includes("{e}")
        ? readExperts(checkpoint, source, shape, layer, path)
        : readTensor(checkpoint, source, shape, nameAt(source.pattern, layer), path);
      return rearrange(values, shape.sizes, orderOf(shape.names, axes, path));
    },
    readBlocks(path, layer, storage, along) {
      const source = names[path];
      return source && blocksOf({ checkpoint, convert }, source, findParam(program, path), layer, storage, along);
    },
  };
}

/** How the tensors of a parameter lie in a checkpoint. */
interface StoredOrder {
  /** Axes of the parameter in the order of the file, the bank of experts first where each has a tensor of its own. */
  readonly axes: readonly string[];
  readonly bank: string | undefined;
  /** Axes and sizes of one tensor. */
  readonly inner: Shape;
  /** The axis whose rows the file has in pairs. */
  readonly rotary: string | undefined;
}

/** That order, when whole blocks of a format run along these axes. */
function blockOrder(
  source: WeightSource,
  shape: Shape,
  storage: BlockStorage,
  along: readonly string[],
): StoredOrder | undefined {
  const bank = source.pattern.includes("{e}") ? shape.names[0] : undefined;
  const stored = (source.axes ?? shape.names).filter((axis) => axis !== bank);
  const axes = bank === undefined ? stored : [bank, ...stored];
  const last = axes.slice(axes.length - along.length);
  const sizeOf = (axis: string): number => shape.sizes[shape.names.indexOf(axis)]!;
  const depth = last.reduce((product, axis) => product * sizeOf(axis), 1);
  if (last.some((axis, index) => axis !== along[index]) || depth % blockValues(storage) !== 0) return undefined;
  const rotary = source.interleaved === true ? shape.names.at(-1)! : undefined;
  if (rotary !== undefined && along.includes(rotary)) return undefined;
  return { axes, bank, inner: { names: stored, sizes: stored.map(sizeOf) }, rotary };
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
  return source !== undefined && blockOrder(source, shapeOf(findParam(program, path)), storage, along) !== undefined;
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
  const shape = shapeOf(param);
  const order = blockOrder(source, shape, storage, along);
  if (!order) return undefined;
  const { axes, bank, inner, rotary } = order;
  const pattern = nameAt(source.pattern, layer);
  const parts: Uint8Array[] = [];
  let format: BlockFormat | undefined;
  for (let expert = 0; expert < (bank === undefined ? 1 : shape.sizes[0]!); expert++) {
    const tensor = findTensor(checkpoint, pattern.replaceAll("{e}", String(expert)), inner, param.path);
    const type = tensor.type as BlockFormat;
    // Nothing is converted to the finer formats.
    if (isK(storage) && (!holdsBlocks(storage, type) || (format !== undefined && format !== type))) return undefined;
    const stored = checkpoint.read(tensor.name);
    const bytes = isK(storage) ? stored : convert(tensor.type, stored, storage);
    format = isK(storage) ? type : storage;
    parts.push(rotary === undefined ? bytes : unpairBlocks(bytes, inner, inner.names.indexOf(rotary), format));
  }
  return format && { storage: format, axes, bytes: parts.length === 1 ? parts[0]! : joined(parts) };
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
function unpairBlocks(bytes: Uint8Array, { sizes }: Shape, at: number, storage: BlockFormat): Uint8Array {
  const product = (list: readonly number[]): number => list.reduce((all, size) => all * size, 1);
  const behind = (product(sizes.slice(at + 1)) / blockValues(storage)) * STORAGE[storage].blockBytes;
  return pairHalves(bytes, product(sizes.slice(0, at)), sizes[at]!, behind);
}

/** Tensors that a parameter is read from, of all layers and experts; those that are missing are left out. */
export function tensorsOf(program: Program, checkpoint: Checkpoint, path: string): readonly TensorInfo[] {
  const source = program.weightNames[checkpoint.format]?.[path];
  if (!source) return [];
  const param = findParam(program, path);
  const sizes = param.axes.map((axis) => axis.size.evaluate({}));
  const experts = source.pattern.includes("{e}") ? sizes[param.layerAxes]! : 1;
  const layers = sizes
    .slice(0, param.layerAxes)
    .reduce<readonly (readonly number[])[]>(
      (before, size) => before.flatMap((outer) => Array.from({ length: size }, (_, index) => [...outer, index])),
      [[]],
    );
  const names = layers.flatMap((layer) =>
    Array.from({ length: experts }, (_, expert) => nameAt(source.pattern, layer).replaceAll("{e}", String(expert))),
  );
  return names.flatMap((name) => checkpoint.tensors.get(name) ?? []);
}

const LAYER_LETTERS = ["i", "j", "k", "l"];

/** The tensor's name in one layer; `{i*2+3}` is for every second layer from 3 on in the checkpoint. */
export function nameAt(pattern: string, layer: readonly number[]): string {
  return pattern.replace(
    /\{([ijkl])(?:\*(\d+))?(?:\+(\d+))?\}/g,
    (whole, letter: string, step: string | undefined, first: string | undefined) => {
      const number = layer[LAYER_LETTERS.indexOf(letter)];
      return number === undefined ? whole : String(number * Number(step ?? 1) + Number(first ?? 0));
    },
  );
}

/** One tensor per expert: the expert axis is the first of the parameter's own. */
function readExperts(
  checkpoint: Checkpoint,
  source: WeightSource,
  shape: Shape,
  layer: readonly number[],
  path: string,
): Float32Array {
  const [experts = 0, ...sizes] = shape.sizes;
  const [bank, ...names] = shape.names;
  const inner = { names, sizes };
  const axes = source.axes?.filter((axis) => axis !== bank);
  const one: WeightSource = { ...source, ...(axes ? { axes } : {}) };
  const size = sizes.reduce((product, count) => product * count, 1);
  const values = new Float32Array(experts * size);
  for (let expert = 0; expert < experts; expert++) {
    const name = nameAt(source.pattern, layer).replaceAll("{e}", String(expert));
    values.set(readTensor(checkpoint, one, inner, name, path), expert * size);
  }
  return values;
}

/** A tensor with its axes in the parameter's own order. */
function readTensor(
  checkpoint: Checkpoint,
  source: WeightSource,
  shape: Shape,
  name: string,
  path: string,
): Float32Array {
  const stored = source.axes ?? shape.names;
  const order = orderOf(shape.names, stored, path);
  const sizes = order.map((axis) => shape.sizes[axis]!);
  findTensor(checkpoint, name, { names: stored, sizes }, path);
  let values = checkpoint.readF32(name);
  if (source.interleaved === true) values = unpair(values, shape, order);
  return rearrange(
    values,
    sizes,
    shape.names.map((axis) => stored.indexOf(axis)),
  );
}

/** The tensor of a name, of this shape as stored. */
function findTensor(checkpoint: Checkpoint, name: string, { names, sizes }: Shape, path: string): TensorInfo {
  const tensor = checkpoint.tensors.get(name);
  if (!tensor) throw withoutTensor(path, `the checkpoint has no tensor \`${name}\``);
  if (isMerged(tensor.shape, sizes)) return tensor;
  const wanted = names.map((axis, index) => `${axis} = ${sizes[index]}`).join(", ");
  throw withoutTensor(path, `tensor \`${name}\` has shape [${tensor.shape.join(", ")}], not [${wanted}]`);
}

/** The rotary axis is the last of the parameter's own axes. */
function unpair(values: Float32Array, shape: Shape, order: readonly number[]): Float32Array {
  const at = order.indexOf(shape.names.length - 1);
  const size = shape.sizes[shape.names.length - 1]!;
  const product = (axes: readonly number[]): number => axes.reduce((all, axis) => all * shape.sizes[axis]!, 1);
  return pairHalves(values, product(order.slice(0, at)), size, product(order.slice(at + 1)));
}

/** Whether merging neighbours of `sizes` gives `stored` (sizes of 1 may be absent or added). */
function isMerged(stored: readonly number[], sizes: readonly number[]): boolean {
  let at = 0;
  for (const size of stored) {
    let product = 1;
    while (product < size && at < sizes.length) product *= sizes[at++]!;
    if (product !== size) return false;
  }
  return sizes.slice(at).every((size) => size === 1);
}

/** For each axis of `to`, where it is in `from`. */
function orderOf(from: readonly string[], to: readonly string[], path: string): readonly number[] {
  const order = to.map((axis) => from.indexOf(axis));
  if (order.length === from.length && !order.includes(-1) && new Set(order).size === order.length) return order;
  throw withoutTensor(path, `its axes are [${from.join(", ")}], not [${to.join(", ")}]`);
}

/** Parameters filled by their declared initialization (normal of deviation 0.02 without one), the same for a seed. */
export function randomSource(program: Program, seed: number): ParameterSource {
  return {
    read(path, layer, axes) {
      const param = findParam(program, path);
      const shape = shapeOf(param);
      const count = shape.sizes.reduce((product, size) => product * size, 1);
      const init = param.init ?? { kind: "normal", deviation: 0.02 };
      const values =
        init.kind === "constant"
          ? new Float32Array(count).fill(init.value)
          : normalValues(`${seed}/${path}/${layer.join(".")}`, count, init.deviation);
      return rearrange(values, shape.sizes, orderOf(shape.names, axes, path));
    },
  };
}
