/** Instances for symbolic sizes: each declaration is checked once for all values of its parameters. */
import type { AxisParam, AxisUse, NamedType, Parameter } from "../../../grammar/tree.js";
import { Size } from "../../axes/size.js";
import { at, joinPath, type Place, type Walk } from "../context.js";
import { integer } from "../numbers.js";
import { numberValue, unknown, type AxisArgument, type ModuleInfo, type Value } from "../values.js";
import { moduleArguments, type CallArgument } from "./calls.js";
import { report } from "./tensors.js";
import { makeInstance } from "./modules.js";
import { axisSpec, resolveType } from "./types.js";

/** The axes of a type with the axes of the declaration that they are for: by name in `[D = 4]`, else by place. */
export function pairedAxes(
  info: ModuleInfo,
  type: NamedType,
): readonly { readonly use: AxisUse; readonly param: AxisParam | undefined }[] {
  let position = 0;
  return (type.axes ?? []).map((use) => {
    const named = use.name && use.size ? info.decl.axes.find((axis) => axis.name.text === use.name!.text) : undefined;
    return { use, param: named ?? info.decl.axes[position++] };
  });
}

/** `GRUCell[R, R]` as a type: the axes and arguments that it gives. The path of the place is that of the module. */
export function axisArgumentsOfType(
  walk: Walk,
  info: ModuleInfo,
  type: NamedType,
  place: Place,
): {
  readonly axes: ReadonlyMap<string, AxisArgument>;
  readonly args: readonly CallArgument[];
  readonly failed: boolean;
} {
  const axes = new Map<string, AxisArgument>();
  let failed = false;
  for (const { use, param } of pairedAxes(info, type)) {
    const spec = axisSpec(walk, use, place);
    if (!param) continue;
    if (!spec.size) {
      if (!spec.failed) report(walk, "MOE2011", { name: spec.name }, spec.span);
      failed = true;
      continue;
    }
    const { size } = spec;
    axes.set(param.name.text, { size, ...(use.name && !use.size ? { name: spec.name } : {}), span: at(place, use) });
  }
  return { axes, args: moduleArguments(walk, info, type.args ?? [], place), failed };
}

/**
 * A parameter of which only the declared type is known.
 *
 * @param within modules whose parameters these are, outermost first: one that asks for itself can never be made.
 */
export function genericParameter(
  walk: Walk,
  param: Parameter,
  place: Place,
  within: readonly ModuleInfo[] = [],
): Value {
  if (!param.type) return unknown;
  const spec = resolveType(walk, param.type, place);
  switch (spec.kind) {
    case "number": {
      const symbol = walk.assumed.get(param.name.text) ?? Size.of(param.name.text);
      return numberValue({ ...integer(symbol), integer: spec.integer });
    }
    case "boolean":
      return { kind: "boolean", value: undefined };
    case "string":
      return { kind: "string", value: "" };
    case "contract":
      return {
        kind: "opaque",
        contract: spec.contract,
        axes: spec.axes.map((axis) => ({ name: axis.name, size: axis.size ?? Size.of(axis.name) })),
      };
    case "module": {
      const { info } = spec;
      if (within.includes(info)) return report(walk, "MOE2010", { name: info.decl.name.text }, at(place, param.type));
      const own = { ...place, path: joinPath(place.path, param.name.text) };
      const { axes, args, failed } = axisArgumentsOfType(walk, spec.info, spec.type, own);
      if (failed) return unknown;
      const given = new Set(args.flatMap((argument) => (argument.name === undefined ? [] : [argument.name])));
      const inner = { ...own, scope: spec.info.scope, file: spec.info.file };
      const rest = spec.info.decl.params
        .slice(args.length - given.size)
        .filter((other) => !given.has(other.name.text) && !other.default)
        .map((other): CallArgument => ({
          name: other.name.text,
          value: genericParameter(walk, other, inner, [...within, info]),
          span: at(place, param),
        }));
      return makeInstance(walk, spec.info, axes, [...args, ...rest], at(place, param), own);
    }
    case "tensor":
    case "routes":
    case "tuple":
    case "unknown":
      return unknown;
    default:
      return spec satisfies never;
  }
}
