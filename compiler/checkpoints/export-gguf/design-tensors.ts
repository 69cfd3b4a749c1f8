/** The tensors of a design as a GGUF file has them, out of those of its Hugging Face checkpoint, one after the other. */
import { type Encode, joinedParts } from "../families/export.js";
import { reorderRows } from "../families/permute.js";
import { type Design, type ExpectedTensor, expectedTensors, type StoredTensor } from "../import/designs/index.js";
import { STORAGE, type EncodableType, storageBytes, toF32 } from "../storage.js";
import type { Checkpoint, TensorSource } from "../types.js";
import { type Part, rearranged } from "./rearrange.js";

export interface DesignTensors {
  readonly checkpoint: Checkpoint;
  /** As the checkpoint has it. */
  readonly from: Design;
  /** As the file has it. */
  readonly to: Design;
  readonly typeOf: (shape: readonly number[]) => EncodableType;
  readonly encode: Encode;
  /** Numbers that the file has and the checkpoint leaves to its config, by path. */
  readonly made?: ReadonlyMap<string, Float32Array>;
}

/** Names of a tensor's own axes: `F=I` is called F. */
const own = ({ axes }: StoredTensor): readonly string[] => axes.map((axis) => axis.split("=")[0]!);

/** @throws MoecError what reading and `encode` throw, when the data is asked for. */
export function designTensors(options: DesignTensors): TensorSource[] {
  const { from, to, typeOf, encode } = options;
  const stored = new Map<string, ExpectedTensor[]>();
  for (const tensor of expectedTensors(from)) {
    const key = keyOf(tensor.tensor.path, tensor.layer);
    stored.set(key, [...(stored.get(key) ?? []), tensor]);
  }
  return expectedTensors(to).map(({ name, shape: sizes, tensor, layer }) => {
    const shape = merged(tensor, sizes);
    const type = isMatrix(tensor, shape) ? typeOf(shape) : "f32";
    const data = (): Uint8Array => {
      const parts = partsOf(options, stored, tensor, layer);
      const bytes = joinedParts(parts, storageBytes(type, shape, name), (part) => encode(name, type, part));
      // [H, C, …]: the rows of each of H heads.
      return tensor.interleaved ? reorderRows(bytes, sizes[0]! * sizes[1]!, sizes[0]!, "to-interleaved") : bytes;
    };
    return { name, shape, type, data };
  });
}

const keyOf = (path: string, layer: number | undefined): string => `${path} ${String(layer)}`;

/** Where the numbers of a tensor are, and what of them. */
interface Origin {
  readonly tensors: readonly ExpectedTensor[];
  readonly part: Part;
}

function originOf(
  { from }: DesignTensors,
  stored: ReadonlyMap<string, readonly ExpectedTensor[]>,
  path: string,
  layer: number | undefined,
): Origin {
  // prettier-ignore
  const find = (other: string): readonly ExpectedTensor[] | undefined => stored.get(keyOf(other, layer));
  const direct = find(path);
  if (direct) return { tensors: direct, part: {} };
  // Readers without an output projection of the model's own get a copy of the embedding.
  const table = path === "output" ? find("tok") : undefined;
  if (table) return { tensors: table, part: {} };
  // Gates are in front of what they gate.
  const [, side, bias = ""] = /\.(gate|up)(_bias)?$/.exec(path) ?? [];
  const joined = side === undefined ? undefined : find(path.replace(/(gate|up)(_bias)?$/, `gate_up${bias}`));
  if (joined) return { tensors: joined, part: { at: { Z: side === "gate" ? 0 : 1 } } };
  // Of latents come the key of a head and then its value.
  const half = /\.(k|v)_up$/.exec(path)?.[1];
  const latents = half === undefined ? undefined : find(path.replace(/[kv]_up$/, "kv_up"));
  if (latents) {
    const { C = 0, W = 0 } = from.axes;
    const [as, start, end] = half === "k" ? (["C", 0, C] as const) : (["W", C, C + W] as const);
    return { tensors: latents, part: { cut: { axis: "U", as, from: start, to: end } } };
  }
  throw new Error(`the checkpoint has no numbers for ${path}`);
}

/** Numbers over the tensor's axes; of a bank of experts one expert after the other. */
function* partsOf(
  options: DesignTensors,
  stored: ReadonlyMap<string, readonly ExpectedTensor[]>,
  tensor: StoredTensor,
  layer: number | undefined,
): Generator<Float32Array, void, undefined> {
  const { checkpoint, made } = options;
  const computed = made?.get(tensor.path);
  if (computed) {
    yield computed;
    return;
  }
  const { tensors, part } = originOf(options, stored, tensor.path, layer);
  const axes = own(tensor);
  const inner = axes[0] === "E" ? axes.slice(1) : axes;
  for (const { name, shape, tensor: found } of tensors) {
    const foundAxes = own(found);
    if (axes[0] !== "E" || foundAxes[0] !== "E") {
      yield rearranged({ axes: foundAxes, sizes: shape, values: checkpoint.readF32(name) }, inner, part);
      continue;
    }
    const [experts = 1, ...sizes] = shape;
    const { type, byteLength } = checkpoint.tensors.get(name)!;
    for (let expert = 0; expert < experts; expert++) {
      const bytes = checkpoint.readPart(name, (byteLength / experts) * expert, byteLength / experts);
      yield rearranged({ axes: foundAxes.slice(1), sizes, values: toF32(type, bytes) }, inner, part);
    }
  }
}

/** Readers take norms, biases, routers and the kernels of short convolutions in f32. */
const isMatrix = ({ path, name }: StoredTensor, shape: readonly number[]): boolean =>
  shape.length > 1 && name.endsWith(".weight") && !/\b(route\.\w+|kernel)$/.test(path);

/** Rows of heads lie merged in files: [H, C, D] is [H C, D], [D, H, C] is [D, H C]. Experts and latents apart keep all axes. */
function merged(tensor: StoredTensor, sizes: readonly number[]): readonly number[] {
  const axes = own(tensor);
  const product = (some: readonly number[]): number => some.reduce((all, size) => all * size, 1);
  if (axes.length < 2 || axes[0] === "E" || /\.[kv]_up$/.test(tensor.path)) return sizes;
  if (axes.length === 2) return axes[1] === "C" ? [product(sizes)] : sizes;
  if (axes[0] === "D" && axes.at(-1) !== "D") return [sizes[0]!, product(sizes.slice(1))];
  return [product(sizes.slice(0, -1)), sizes.at(-1)!];
}

/** The type of a matrix, or f16 where its rows are no whole blocks of it. */
export const typeOfRows =
  (type: EncodableType) =>
  (shape: readonly number[]): EncodableType =>
    shape.at(-1)! % STORAGE[type].blockValues === 0 ? type : "f16";
