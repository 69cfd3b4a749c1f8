/** The values of a recipe's lines: of one parameter, of all below a module, or by another recipe. */
import type { Expression } from "../../../grammar/tree.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, type Walk } from "../context.js";
import { describe, describeType } from "../describe.js";
import type { CallArgument } from "../elaborate/calls.js";
import { evaluate } from "../elaborate/evaluate.js";
import { markCalled } from "../elaborate/indexing.js";
import { asTensor, axesOf, cast, expanded, findAxis, renameAll, report } from "../elaborate/tensors.js";
import type { Emitted } from "../emitter.js";
import type { Value } from "../values.js";
import { below, chainText, fill, type Filled, type Model } from "./chains.js";
import { moduleIn } from "./heads.js";
import type { ModuleParameter } from "./parameters.js";
import type { Line, MadeParameter, Recipe } from "./recipe.js";

/** All that a chain can name. */
const modelsOf = ({ sources, target }: Recipe): readonly Model[] => [...sources, target];

/** Notes that a source is read; the target is not there to be read. */
function noteRead({ walk, place, target, used }: Recipe, model: Model, node: Expression): void {
  if (model !== target) used.add(model.name);
  else report(walk, "MOE2272", { name: target.name }, at(place, node));
}

/** An expression that is no line's value for each of many parameters: chains of parameters stand for these alone. */
export function fillWhole(recipe: Recipe, expression: Expression): Filled {
  return fill(expression, modelsOf(recipe), recipe.place, undefined, ({ model }, node) =>
    noteRead(recipe, model, node),
  );
}

/** Sets the parameters of a line: itself, or those below its module that no nearer line sets. */
export function set(recipe: Recipe, line: Line, parameters: readonly ModuleParameter[]): void {
  const { walk, place, target } = recipe;
  const isModule = !target.parameters.has(line.sets);
  if (isModule && byRecipe(recipe, line, parameters)) return;
  const span = at(place, line.value);
  for (const parameter of parameters) {
    const rest = isModule ? below(line.sets, parameter.path) : undefined;
    const filled = fill(line.value, modelsOf(recipe), place, rest, ({ model }, node) => noteRead(recipe, model, node));
    if (filled.lacking.length > 0) {
      for (const { span, path } of filled.lacking) report(walk, "MOE2265", { path, target: parameter.path }, span);
      continue;
    }
    keep(recipe, parameter, evaluate(walk, filled.expression, filled.place), span);
  }
}

/** Keeps the value of a parameter, with missing axes repeated. */
function keep({ walk, made }: Recipe, parameter: ModuleParameter, value: Value, span: SourceSpan): void {
  const { path, type } = parameter;
  if (value.kind === "unknown") {
    made.set(path, notSaid(parameter));
    return;
  }
  const given = asTensor(walk, value, span, type.dtype);
  const fits =
    given?.type.kind === "tensor" &&
    (given.type.dtype === type.dtype || (given.type.dtype === "i32" && type.dtype === "f32")) &&
    given.type.axes.every(({ name, size }) => type.axes.some((axis) => axis.name === name && axis.size.equals(size)));
  if (!fits) {
    const found = given ? describeType(walk, given.type) : describe(walk, value);
    report(walk, "MOE2260", { path, wanted: describeType(walk, type), found }, span);
    return;
  }
  const copied = type.axes.flatMap(({ name }) => (findAxis(given, name) ? [] : [name]));
  const whole = expanded(walk, cast(walk, given, type.dtype, span), type.axes, span);
  made.set(path, { path, value: asStored(walk, whole, parameter, span), line: span, copied });
}

/** A parameter whose line is wrong: it counts as set, so that nobody says it is missing. */
function notSaid({ path, stored }: ModuleParameter): MadeParameter {
  return { path, value: { type: stored }, copied: [] };
}

/** `sparse.layers.moe = Upcycle(dense.layers.ffn)`: another recipe sets a part. False where the value is no such call. */
function byRecipe(recipe: Recipe, line: Line, parameters: readonly ModuleParameter[]): boolean {
  const { walk, place, wanted, made } = recipe;
  const { value } = line;
  if (value.kind !== "call") return false;
  if (value.callee.kind === "index") markCalled(value.callee);
  const callee = evaluate(walk, value.callee, place);
  if (callee.kind !== "declaration" || !callee.info.decl.making) return false;
  const pathSpan = at(place, line.path);
  const module = moduleIn(evaluate(walk, line.path, recipe.targetPlace));
  if (!module) {
    report(walk, "MOE2269", { name: chainText(line.path) ?? "", found: "several modules" }, pathSpan);
    return true;
  }
  const args = value.args.map((argument): CallArgument => {
    const filled = fillWhole(recipe, argument.value);
    return {
      ...(argument.name ? { name: argument.name.text } : {}),
      value: evaluate(walk, filled.expression, filled.place),
      span: at(place, argument.value),
    };
  });
  const part = recipe.apply(callee, args, at(place, value), {
    target: { module, span: pathSpan },
    wanted: new Set(parameters.map(({ path }) => path).filter((path) => wanted?.has(path) !== false)),
  });
  for (const parameter of parameters) {
    const value = part ? part.parameters.get(parameter.path) : notSaid(parameter);
    if (value) made.set(parameter.path, value);
  }
  return true;
}

/** A value with a parameter's outer axes, in their order, under the names of its declaration. */
export function asStored(walk: Walk, value: Emitted, parameter: ModuleParameter, span: SourceSpan): Emitted {
  const names = new Map(axesOf(value).map(({ name }, index) => [name, parameter.stored.axes[index]!.name]));
  return renameAll(walk, value, names, span);
}
