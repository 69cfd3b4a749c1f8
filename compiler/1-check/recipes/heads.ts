/** The head of a recipe: what it is given, what it makes, and the axes that both decide. */
import type { NamedType, Parameter } from "../../../grammar/tree.js";
import type { Size } from "../../axes/size.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, joinPath, type Place, type Walk } from "../context.js";
import { describe } from "../describe.js";
import type { CallArgument } from "../elaborate/calls.js";
import { evaluate, needSize } from "../elaborate/evaluate.js";
import { axisArgumentsOfType, genericParameter, pairedAxes } from "../elaborate/generic.js";
import { acceptsModule } from "../elaborate/module-types.js";
import { makeInstance } from "../elaborate/modules.js";
import { axesOf, report, tensor } from "../elaborate/tensors.js";
import { resolveType, type TypeSpec } from "../elaborate/types.js";
import type { StoredValue } from "../emitter.js";
import { unknown, type InstanceValue, type ModuleInfo, type Value } from "../values.js";

/** The declared type of a parameter that is a module. */
export type ModuleSpec = Extract<TypeSpec, { kind: "module" }>;

/** The module that a value stands for: itself, the one of a bank, the one of a stack of equal layers. */
export function moduleIn(value: Value): InstanceValue | undefined {
  switch (value.kind) {
    case "instance":
      return value;
    case "bank": {
      const [group, ...others] = value.groups;
      return others.length === 0 && group?.module.kind === "instance" ? group.module : undefined;
    }
    case "stack": {
      const [run, ...others] = value.runs;
      const [module, ...more] = run?.modules ?? [];
      return others.length === 0 && more.length === 0 && module?.kind === "instance" ? module : undefined;
    }
    default:
      return undefined;
  }
}

/** Which of the recipe's axes a module decides, by the places of their names in its type. */
export function decideAxes(
  type: NamedType,
  module: InstanceValue,
  open: ReadonlySet<string>,
  decided: Map<string, { readonly size: Size; readonly span: SourceSpan }>,
  span: SourceSpan,
): void {
  for (const { use, param } of pairedAxes(module.info, type)) {
    const name = use.size ? (use.size.kind === "name" ? use.size.name.text : undefined) : use.name?.text;
    const size = param && module.axes.get(param.name.text)?.size;
    if (name !== undefined && size && open.has(name) && !decided.has(name)) decided.set(name, { size, span });
  }
}

/** The same for a tensor: axes of one name, else by place. */
export function decideTensorAxes(
  type: NamedType,
  value: Value,
  open: ReadonlySet<string>,
  decided: Map<string, { readonly size: Size; readonly span: SourceSpan }>,
  span: SourceSpan,
): void {
  if (value.kind !== "tensor") return;
  const axes = axesOf(value.value);
  for (const [place, { name, size }] of (type.axes ?? []).entries()) {
    const axis = axes.find((one) => one.name === name?.text) ?? axes[place];
    if (name && !size && axis && open.has(name.text) && !decided.has(name.text))
      decided.set(name.text, { size: axis.size, span });
  }
}

/** A module of a recipe's head: made anew, or the given one under the recipe's names of its axes. */
export function headModule(
  walk: Walk,
  param: Parameter,
  spec: ModuleSpec,
  given: { readonly module: InstanceValue; readonly span: SourceSpan } | undefined,
  place: Place,
  recipe: ModuleInfo,
): InstanceValue | undefined {
  const span = at(place, param.type!);
  if (!given) {
    const made = walk.options.generic
      ? genericParameter(walk, param, place)
      : madeByType(walk, spec, span, { ...place, path: joinPath(place.path, param.name.text) });
    if (made.kind === "instance") return made;
    if (made.kind !== "unknown") report(walk, "MOE2269", { name: param.name.text, found: describe(walk, made) }, span);
    return undefined;
  }
  const { module } = given;
  if (!acceptsModule(walk, spec, module, given.span, place)) {
    report(
      walk,
      "MOE2103",
      { name: param.name.text, callee: `\`${recipe.decl.name.text}\``, found: describe(walk, module) },
      given.span,
      { labels: [{ span: { file: place.file, ...param.name.span }, text: "declared here" }] },
    );
    return undefined;
  }
  const { axes, failed } = axisArgumentsOfType(walk, module.info, spec.type, place);
  if (failed) return undefined;
  const args = [...module.args]
    .filter(([name]) => !module.defaults.has(name))
    .map(([name, value]): CallArgument => ({ name, value, span: given.span }));
  const own: Place = { ...place, path: module.path, repetitions: module.repetitions };
  const again = makeInstance(walk, module.info, new Map([...module.axes, ...axes]), args, given.span, own);
  return again.kind === "instance" ? again : undefined;
}

/** A module with the sizes and arguments that its type gives, under the path of the place. */
export function madeByType(walk: Walk, spec: ModuleSpec, span: SourceSpan, place: Place): Value {
  const { axes, args, failed } = axisArgumentsOfType(walk, spec.info, spec.type, place);
  if (failed) return unknown;
  return makeInstance(walk, spec.info, axes, args, span, place);
}

/** A tensor that a recipe is given beside its sources, such as how often each expert was used: read from a file by its name. */
export function givenTensor(
  walk: Walk,
  param: Parameter,
  spec: Extract<TypeSpec, { kind: "tensor" }>,
  place: Place,
): Value {
  const axes = spec.axes.map((axis) => {
    if (!axis.size && !axis.failed) report(walk, "MOE2011", { name: axis.name }, axis.span);
    return axis.size && { name: axis.name, size: axis.size };
  });
  const known = axes.filter((axis) => axis !== undefined);
  if (known.length < axes.length) return unknown;
  const stored: StoredValue = {
    kind: "param",
    path: joinPath(place.path, param.name.text),
    dtype: spec.dtype,
    axes: known,
    repetitions: [],
    span: at(place, param),
  };
  return tensor(walk.emitter.stored(stored));
}

/** The axes that nothing has decided: by default, as a symbol where all sizes are meant, else an error. */
export function remainingAxis(
  walk: Walk,
  info: ModuleInfo,
  name: string,
  place: Place,
  span: SourceSpan,
  symbol: (name: string) => Size,
): Size | undefined {
  const axis = info.decl.axes.find((one) => one.name.text === name)!;
  if (walk.options.generic) return symbol(name);
  if (axis.default) return needSize(walk, evaluate(walk, axis.default, place), at(place, axis.default));
  report(walk, "MOE2123", { name: info.decl.name.text, axis: name }, span, {
    labels: [{ span: { file: info.file, ...axis.span }, text: "the axis is declared here" }],
  });
  return undefined;
}

export function resolvedHead(walk: Walk, param: Parameter, place: Place): TypeSpec {
  return param.type ? resolveType(walk, param.type, place) : { kind: "unknown" };
}
