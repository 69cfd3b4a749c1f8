/** A call of a recipe: the module that it makes, for tests. */
import type { Argument } from "../../../grammar/tree.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { Place, Walk } from "../context.js";
import { moduleArguments } from "../elaborate/calls.js";
import { report } from "../elaborate/tensors.js";
import { unknown, type DeclarationValue, type Value } from "../values.js";
import { applied } from "./make.js";

/** `let sparse = Upcycle(dense)`: a module whose parameters are computed from those of the sources. */
export function callRecipe(
  walk: Walk,
  recipe: DeclarationValue,
  args: readonly Argument[],
  span: SourceSpan,
  place: Place,
): Value {
  // What is bound holds for the whole graph, so it is made outside of all bodies, under a name.
  if (place.instance || place.path === undefined || place.path === "")
    return report(walk, "MOE2271", { name: recipe.info.decl.name.text }, span);
  const made = applied(walk, recipe.info, recipe.axes, moduleArguments(walk, recipe.info, args, place), span, place);
  if (!made) return unknown;
  for (const { path, value } of made.parameters.values()) walk.emitter.bind(path, value);
  return made.target;
}
