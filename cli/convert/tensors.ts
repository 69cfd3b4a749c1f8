/** What a recipe makes as the tensors of a file, named as the target's spec names them. Each is computed when it is written. */
import type { BuiltParameter, BuiltRecipe } from "../../compiler/2-graph/index.js";
import type { ParamDecl, WeightSource } from "../../compiler/2-graph/ir.js";
import { nameAt, tensorsOf } from "../../compiler/6-bundle/parameters.js";
import { pairNeighbours, rearrange } from "../../compiler/6-bundle/rearrange.js";
import { fromF32, keptAs, STORAGE, type EncodableType } from "../../compiler/checkpoints/index.js";
import type { TensorInfo, TensorSource } from "../../compiler/checkpoints/index.js";
import { moecError } from "../../compiler/errors/raise.js";
import { indices, type OpenSources, type SourceModel } from "./sources.js";
import { valuesOf, type ReadValue } from "./values.js";

export type OutputFormat = "safetensors" | "gguf";

interface Asked {
  readonly format: OutputFormat;
  /** How matrices are stored; as in the source when absent. */
  readonly type?: EncodableType;
}

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
  const own = target.axes.slice(target.layerAxes).map(({ name, size }) => ({ name, size: size.evaluate({}) }));
  const isBank = place.pattern.includes("{e}");
  const [bank, ...inside] = own;
  const inner = isBank ? inside : own;
  const order = (place.axes ?? own.map(({ name }) => name)).filter((name) => !isBank || name !== bank!.name);
  const stored = order.map((name) => inner.find((axis) => axis.name === name)!);
  const count = inner.reduce((product, { size }) => product * size, 1);
  const like = sourceTensor(built, place, sources, asked.format);
  const shape = like ? merged(stored, like) : stored.map(({ size }) => size);
  const type = typeOf(asked, stored, built, sources);
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
  const layers = indices(target.axes.slice(0, target.layerAxes).map(({ size }) => size.evaluate({})));
  const experts = isBank ? bank!.size : 1;
  return layers.flatMap((layer, turn) =>
    Array.from({ length: experts }, (_, expert): TensorSource => {
      const name = nameAt(place.pattern, layer).replaceAll("{e}", String(expert));
      return {
        name,
        shape,
        type,
        data: () => {
          const whole = copied(built, place, name, shape, type, sources, asked.format);
          if (whole) return whole;
          const values = valuesAt(layer).subarray(expert * count, (expert + 1) * count);
          const bytes = fromF32(type, inOrder(values, inner, stored, place));
          // The last tensor of a parameter lets its values go.
          if (turn === layers.length - 1 && expert === experts - 1) read = known = undefined;
          return bytes;
        },
      };
    }),
  );
}

interface SizedAxis {
  readonly name: string;
  readonly size: number;
}

/** The parameter's own order to the file's, with rotary dimensions in the file's pairs. */
function inOrder(
  values: Float32Array,
  inner: readonly SizedAxis[],
  stored: readonly SizedAxis[],
  place: WeightSource,
): Float32Array {
  const sizes = inner.map(({ size }) => size);
  const moved = rearrange(
    values,
    sizes,
    stored.map((axis) => inner.indexOf(axis)),
  );
  if (place.interleaved !== true) return moved === values ? values.slice() : moved;
  const at = stored.indexOf(inner.at(-1)!);
  const product = (axes: readonly SizedAxis[]): number => axes.reduce((all, { size }) => all * size, 1);
  return pairNeighbours(moved, product(stored.slice(0, at)), stored[at]!.size, product(stored.slice(at + 1)));
}

/** The source that a parameter's path begins with. */
function sourceOf(
  path: string,
  sources: OpenSources,
): { readonly model: SourceModel; readonly own: string } | undefined {
  const dot = path.indexOf(".");
  const model = dot < 0 ? undefined : sources.models.get(path.slice(0, dot));
  return model && { model, own: path.slice(dot + 1) };
}

/** A tensor of a source that has the same place in its file: it says which axes are one there. */
function sourceTensor(
  built: BuiltParameter,
  place: WeightSource,
  sources: OpenSources,
  format: OutputFormat,
): { readonly info: TensorInfo; readonly axes: readonly SizedAxis[] } | undefined {
  for (const { program, checkpoint } of sources.models.values()) {
    const own = checkpoint.format === format ? program.weightNames[format]?.[built.path] : undefined;
    const decl = program.params.find(({ path }) => path === built.path);
    if (!own || !decl || own.pattern !== place.pattern) continue;
    const [info] = tensorsOf(program, checkpoint, built.path);
    if (!info) continue;
    const inner = decl.axes.slice(decl.layerAxes + (own.pattern.includes("{e}") ? 1 : 0));
    const order = own.axes?.filter((name) => inner.some((axis) => axis.name === name)) ?? inner.map(({ name }) => name);
    const axes = order.map((name) => ({ name, size: inner.find((axis) => axis.name === name)!.size.evaluate({}) }));
    return { info, axes };
  }
  return undefined;
}

/** Sizes with those axes made one that are one in the source's tensor. */
function merged(
  stored: readonly SizedAxis[],
  { info, axes }: { readonly info: TensorInfo; readonly axes: readonly SizedAxis[] },
): readonly number[] {
  const shape: number[] = [];
  let at = 0;
  for (const size of info.shape) {
    let there = 1;
    let here = 1;
    do {
      there *= axes[at]?.size ?? 1;
      here *= stored[at]?.size ?? 1;
      at++;
    } while (there < size && at < axes.length);
    shape.push(here);
  }
  const count = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);
  const own = stored.map(({ size }) => size);
  return count(shape) === count(own) ? shape : own;
}

/** Vectors stay floats; blocks need rows of whole blocks. */
function typeOf(
  { format, type }: Asked,
  stored: readonly SizedAxis[],
  built: BuiltParameter,
  sources: OpenSources,
): EncodableType {
  const inputs = built.program.params.flatMap(({ path }) => sourceOf(path, sources) ?? []);
  const used = built.taken === undefined ? inputs[0] : sourceOf(built.taken, sources);
  const info = used && tensorsOf(used.model.program, used.model.checkpoint, used.own)[0];
  const before = info ? keptAs(info.type) : "f32";
  const isMatrix = stored.length > 1;
  const wanted = isMatrix && type !== undefined ? type : before;
  const { blockValues, safetensors } = STORAGE[wanted];
  const fits = (stored.at(-1)?.size ?? 1) % blockValues === 0;
  if (format === "safetensors" && safetensors === undefined) return "f16";
  return fits ? wanted : "f32";
}

/** The bytes of a source's tensor, where the target's is the same. */
function copied(
  built: BuiltParameter,
  place: WeightSource,
  name: string,
  shape: readonly number[],
  type: EncodableType,
  sources: OpenSources,
  format: OutputFormat,
): Uint8Array | undefined {
  const from = built.taken === undefined ? undefined : sourceOf(built.taken, sources);
  if (from?.own !== built.path || from.model.checkpoint.format !== format) return undefined;
  const own = from.model.program.weightNames[format]?.[from.own];
  const isSame =
    own?.pattern === place.pattern &&
    own.interleaved === place.interleaved &&
    (own.axes ?? []).join() === (place.axes ?? []).join();
  const info = isSame ? from.model.checkpoint.tensors.get(name) : undefined;
  return info?.type === type && info.shape.join() === shape.join() ? from.model.checkpoint.read(name) : undefined;
}
