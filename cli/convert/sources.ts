/** The files that a recipe reads: checkpoints of its sources, and tensors that come with them. */
import type { BuiltRecipe } from "../../compiler/2-graph/index.js";
import type { ParamDecl, Program } from "../../compiler/2-graph/ir.js";
import { checkpointSource, type ParameterSource } from "../../compiler/6-bundle/parameters.js";
import { layerSizes } from "../../compiler/6-bundle/stored-order.js";
import { indexVectors } from "../../compiler/axes/index-vectors.js";
import type { Checkpoint } from "../../compiler/checkpoints/index.js";
import { moecError } from "../../compiler/errors/raise.js";
import { countElements, makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { openCheckpointFiles, type OpenCheckpoint } from "../checkpoint-files.js";
import type { ReadSource } from "./values.js";

export interface SourceModel {
  readonly program: Program;
  readonly checkpoint: Checkpoint;
  readonly parameters: ParameterSource;
}

export interface OpenSources {
  readonly models: ReadonlyMap<string, SourceModel>;
  readonly read: ReadSource;
  close(): void;
}

/**
 * @param paths By name; relative ones are resolved already.
 * @throws MoecError MOE5442 when a source has no file, MOE5449 when a name is no source; `read` throws MOE5450 when a tensor
 * is missing or of another shape.
 */
export function openSources(recipe: BuiltRecipe, paths: ReadonlyMap<string, string>): OpenSources {
  const names = [...recipe.sources.keys(), ...recipe.tensors];
  const quoted = (list: readonly string[]): string => list.map((name) => `\`${name}\``).join(", ");
  const strange = [...paths.keys()].filter((name) => !names.includes(name));
  if (strange.length > 0)
    throw moecError("MOE5449", { names: quoted(strange), recipe: recipe.name, sources: quoted(names) });
  const missing = names.filter((name) => !paths.has(name));
  if (missing.length > 0) throw moecError("MOE5442", { names: quoted(missing) });
  const opened: OpenCheckpoint[] = [];
  const close = (): void => opened.forEach((one) => one.close());
  const open = (name: string): Checkpoint => {
    const one = openCheckpointFiles([paths.get(name)!]);
    opened.push(one);
    return one.checkpoint;
  };
  try {
    const models = new Map(
      [...recipe.sources].map(([name, program]): [string, SourceModel] => {
        const checkpoint = open(name);
        return [name, { program, checkpoint, parameters: checkpointSource(program, checkpoint) }];
      }),
    );
    const tensors = new Map(recipe.tensors.map((name) => [name, open(name)]));
    // Each program has the declarations of the whole recipe.
    const given = new Map(recipe.parameters[0]?.program.params.map((decl) => [decl.path, decl]));
    return { models, close, read: (path, layer) => read(path, layer, models, tensors, given) };
  } catch (error) {
    close();
    throw error;
  }
}

export interface SourceParameter {
  readonly model: SourceModel;
  readonly param: ParamDecl;
}

/** The parameter of a source that a path of the recipe stands for: `dense.layers.norm.weight`. */
export function sourceOf(path: string, models: OpenSources["models"]): SourceParameter | undefined {
  const dot = path.indexOf(".");
  const model = dot < 0 ? undefined : models.get(path.slice(0, dot));
  const param = model?.program.params.find((one) => one.path === path.slice(dot + 1));
  return model && param && { model, param };
}

function read(
  path: string,
  layer: number | undefined,
  models: OpenSources["models"],
  tensors: ReadonlyMap<string, Checkpoint>,
  given: ReadonlyMap<string, ParamDecl>,
): ReferenceTensor {
  const source = sourceOf(path, models);
  if (!source) return givenTensor(path, tensors.get(path)!, given.get(path)!);
  const { model, param: decl } = source;
  const axes = decl.axes.map(({ name, size }) => ({ name, size: size.evaluate({}) }));
  const inner = axes.slice(decl.layerAxes);
  const names = inner.map(({ name }) => name);
  if (layer !== undefined) {
    const values = model.parameters.read(decl.path, [layer], names);
    return makeTensor(decl.dtype, [{ name: axes[0]!.name, size: 1 }, ...inner], Float64Array.from(values));
  }
  const all = new Float64Array(countElements(axes));
  let at = 0;
  for (const index of indexVectors(layerSizes(decl))) {
    const values = model.parameters.read(decl.path, index, names);
    all.set(values, at);
    at += values.length;
  }
  return makeTensor(decl.dtype, axes, all);
}

function givenTensor(name: string, file: Checkpoint, decl: ParamDecl): ReferenceTensor {
  const tensor = file.tensors.get(name);
  if (!tensor) throw moecError("MOE5450", { name, fault: "holds no tensor of that name" });
  const axes = decl.axes.map((axis) => ({ name: axis.name, size: axis.size.evaluate({}) }));
  // A mixture outside of stacks is one layer in a file of `moec usage`.
  const several = (sizes: readonly number[]): string => sizes.filter((size) => size !== 1).join();
  if (several(tensor.shape) !== several(axes.map(({ size }) => size)))
    throw moecError("MOE5450", {
      name,
      fault: `has it as [${tensor.shape.join(", ")}], not [${axes.map((one) => `${one.name} = ${one.size}`).join(", ")}]`,
    });
  return makeTensor(decl.dtype, axes, Float64Array.from(file.readF32(name)));
}
