/**
 * Walks a recipe: every parameter of what it makes becomes a value of its sources' parameters. The same walk checks a
 * recipe for all sizes, makes the modules of tests, and emits the graph of a conversion.
 */
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, type Place, type Walk } from "../context.js";
import { pairArguments, type CallArgument } from "../elaborate/calls.js";
import { report } from "../elaborate/tensors.js";
import { Scope } from "../scope.js";
import type { ModuleInfo } from "../values.js";
import { modelOf, readHead } from "./head.js";
import { runLines } from "./lines.js";
import { readBy } from "./parameters.js";
import type { Made, MadeParameter, Recipe, RecipeCall } from "./recipe.js";
import { takeOver, warnUnused } from "./take-over.js";

/** Undefined after an error. */
export function makeByRecipe(walk: Walk, call: RecipeCall): Made | undefined {
  const { info } = call;
  const { target: param, body } = info.decl.making!;
  const { errors } = walk.reporter;
  const head = readHead(walk, call);
  if (!head) return undefined;
  const { place, sources, target } = head;
  const span = at(place, param.name);
  const targetPlace = { ...place, scope: new Scope(place.scope) };
  targetPlace.scope.defineValue(param.name.text, target, span);
  const made = new Map<string, MadeParameter>();
  const recipe: Recipe = {
    ...{ walk, info, place, targetPlace, sources, made },
    target: modelOf(walk, param.name.text, target, span),
    wanted: call.wanted ?? readBy(walk, target),
    used: new Set(),
    apply: (other, args, at, part) =>
      applied(walk, other.info, other.axes, args, at, place, { ...part, within: [...(call.within ?? []), info] }),
  };
  runLines(recipe, body.statements, body.result);
  if (walk.reporter.errors > errors) return undefined;
  takeOver(recipe);
  if (walk.reporter.errors > errors) return undefined;
  warnUnused(recipe);
  return { target, place, sources: head.instances, parameters: made };
}

/** Applies a recipe to the arguments of a call. */
export function applied(
  walk: Walk,
  info: ModuleInfo,
  axes: RecipeCall["axes"],
  args: readonly CallArgument[],
  span: SourceSpan,
  place: Place,
  more: Pick<RecipeCall, "target" | "wanted" | "within"> = {},
): Made | undefined {
  const { text: name } = info.decl.name;
  if (more.within?.includes(info)) {
    report(walk, "MOE2273", { name }, span);
    return undefined;
  }
  if (args.some(({ value }) => value.kind === "unknown")) return undefined;
  const label = `\`${name}\``;
  const { errors } = walk.reporter;
  const paired = pairArguments(walk, info.decl.params, args, { label, file: info.file }, span);
  if (walk.reporter.errors > errors) return undefined;
  const call = { info, args: paired, ...(axes ? { axes } : {}), span, place, ...more };
  return walk.reporter.within(span, () => makeByRecipe(walk, call));
}
