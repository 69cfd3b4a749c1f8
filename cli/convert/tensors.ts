/** What a recipe makes as the tensors of a file, named as the target's spec names them. Each is computed when it is written. */
import type { BuiltParameter, BuiltRecipe } from "../../compiler/2-graph/index.js";
import type { ParamDecl, WeightSource } from "../../compiler/2-graph/ir.js";
import { dropUnusedNodes } from "../../compiler/3-optimize/index.js";
import { tensorsOf } from "../../compiler/6-bundle/parameters.js";
import { indexVectors } from "../../compiler/axes/index-vectors.js";
import { pairNeighbours, rearrange } from "../../compiler/6-bundle/rearrange.js";
import {
  around,
  layerSizes,
  orderOf,
  product,
  storedOrder,
  tensorNames,
  type Shape,
  type StoredOrder,
} from "../../compiler/6-bundle/stored-order.js";
import type { StorageType, TensorInfo, TensorSource } from "../../compiler/checkpoints/index.js";
import { moecError } from "../../compiler/errors/raise.js";
import { sourceOf, type OpenSources, type SourceParameter } from "./sources.js";
import { storedBytes, writtenType, type Asked } from "./stored-types.js";
import { valuesOf, type ReadValue } from "./values.js";

/** @throws MoecError MOE5326, MOE5327 where the target's spec does not name a parameter in this format. */
export function tensorsOfRecipe(recipe: BuiltRecipe, sources: OpenSources, asked: Asked): readonly TensorSource[] {
  const names = recipe.target.weightNames[asked.format];
  if (!names) throw moecError("MOE5326", { model: recipe.target.name, format: asked.format });
  return recipe.parameters.flatMap((built) => {
    const target = recipe.target.params.find(({ path }) => path === built.path)!;
    const place = names[built.path];
    if (!place)
      throw moecError("MOE5327", {
        path: built.path,
        reason: `the \`weights ${asked.format}\` block does not name it`,
      });
    return tensorsOfParameter(built, target, place, sources, asked);
  });
}

function tensorsOfParameter(
  built: BuiltParameter,
  target: ParamDecl,
  place: WeightSource,
  sources: OpenSources,
  asked: Asked,
): readonly TensorSource[] {
  const order = storedOrder(place, target);
  const like = sourceTensor(built, place, sources, asked.format);
  const shape = like ? merged(order.stored, like) : order.stored.sizes;
  const isMatrix = order.stored.names.length > 1;
  const type = writtenType(asked, target.dtype, isMatrix, shape, typeBefore(built, target, sources));
  const copy = copies(built, place, target, sources, asked, isMatrix);
  const places = indexVectors(layerSizes(target)).flatMap((layer) =>
    tensorNames(place, order, layer).map((name, expert) => ({
      name,
      layer,
      expert,
      whole: copy(layer, expert, shape),
    })),
  );
  const count = product(order.own.sizes);
  let left = places.filter(({ whole }) => !whole).length;
  let known: { readonly at: string; readonly values: Float32Array } | undefined;
  let read: ReadValue | undefined;
  const valuesAt = (layer: readonly number[]): Float32Array => {
    const at = layer.join(".");
    if (known?.at !== at) {
      read ??= valuesOf(built, target, sources.read);
      known = { at, values: read(layer) };
    }
    return known.values;
  };
  return places.map(({ name, layer, expert, whole }): TensorSource => {
    if (whole) return { name, shape, ...whole };
    const data = (): Uint8Array => {
      const values = valuesAt(layer).subarray(expert * count, (expert + 1) * count);
      const bytes = storedBytes(name, type, inOrder(values, order, built.path));
      // The last tensor of a parameter lets its values go.
      if (--left === 0) read = known = undefined;
      return bytes;
    };
    return { name, shape, type, data };
  });
}

/** The parameter's own order to the file's, with rotary dimensions in the file's pairs. */
function inOrder(values: Float32Array, { own, stored, rotary }: StoredOrder, path: string): Float32Array {
  const moved = rearrange(values, own.sizes, orderOf(own.names, stored.names, path));
  if (rotary === undefined) return moved === values ? values.slice() : moved;
  const { outer, size, inner } = around(stored, rotary);
  return pairNeighbours(moved, outer, size, inner);
}

/** A tensor of a source that has the same place in its file: it says which axes are one there. */
function sourceTensor(
  built: BuiltParameter,
  place: WeightSource,
  sources: OpenSources,
  format: Asked["format"],
): { readonly info: TensorInfo; readonly stored: Shape } | undefined {
  for (const { program, checkpoint } of sources.models.values()) {
    const own = checkpoint.format === format ? program.weightNames[format]?.[built.path] : undefined;
    const param = program.params.find(({ path }) => path === built.path);
    if (!own || !param || own.pattern !== place.pattern) continue;
    const [info] = tensorsOf(program, checkpoint, built.path);
    if (info) return { info, stored: storedOrder(own, param).stored };
  }
  return undefined;
}

/** Sizes with those axes made one that are one in the source's tensor. */
function merged(
  own: Shape,
  { info, stored }: { readonly info: TensorInfo; readonly stored: Shape },
): readonly number[] {
  const shape: number[] = [];
  let at = 0;
  for (const size of info.shape) {
    let there = 1;
    let here = 1;
    do {
      there *= stored.sizes[at] ?? 1;
      here *= own.sizes[at] ?? 1;
      at++;
    } while (there < size && at < stored.sizes.length);
    shape.push(here);
  }
  return product(shape) === product(own.sizes) ? shape : own.sizes;
}

/** How the first parameter of the same kind is stored that the value is made of. */
function typeBefore(built: BuiltParameter, target: ParamDecl, sources: OpenSources): StorageType | undefined {
  const used = sourcesOf(built, sources).find(({ param }) => param.dtype === target.dtype);
  return used && tensorsOf(used.model.program, used.model.checkpoint, used.param.path)[0]?.type;
}

/** Parameters of sources that a value reads, the first one first. */
function sourcesOf(built: BuiltParameter, sources: OpenSources): readonly SourceParameter[] {
  if (built.taken !== undefined) return [sourceOf(built.taken, sources.models)!];
  // The program's declarations are those of the whole recipe: its nodes say what this value is made of.
  const { nodes } = dropUnusedNodes.run(built.program).entries[0]!.body;
  const paths = nodes.flatMap(({ op, attrs }) => (op === "param" ? [attrs["path"] as string] : []));
  return paths.flatMap((path) => sourceOf(path, sources.models) ?? []);
}

type Copy = Pick<TensorSource, "type" | "data">;

/** Tensors of a source as they are, where the target's lie in the same way and no other type is asked for. */
function copies(
  built: BuiltParameter,
  place: WeightSource,
  target: ParamDecl,
  sources: OpenSources,
  { format, type }: Asked,
  isMatrix: boolean,
): (layer: readonly number[], expert: number, shape: readonly number[]) => Copy | undefined {
  const from = built.taken === undefined ? undefined : sourceOf(built.taken, sources.models);
  const own = from?.model.program.weightNames[format]?.[from.param.path];
  if (!from || !own || from.model.checkpoint.format !== format) return () => undefined;
  const [there, here] = [storedOrder(own, from.param), storedOrder(place, target)];
  const isSame =
    there.bank === here.bank && there.rotary === here.rotary && there.stored.names.join() === here.stored.names.join();
  if (!isSame) return () => undefined;
  const { checkpoint } = from.model;
  return (layer, expert, shape) => {
    const info = checkpoint.tensors.get(tensorNames(own, there, layer)[expert]!);
    if (info?.shape.join() !== shape.join()) return undefined;
    const isAsked = !isMatrix || target.dtype !== "f32" || type === undefined || type === info.type;
    return isAsked ? { type: info.type, data: () => checkpoint.read(info.name) } : undefined;
  };
}
