/** The lines of a recipe: what each sets, and all of them in their order. */
import type { AssertStatement, Expression, Statement } from "../../../grammar/tree.js";
import { closest } from "../../errors/closest.js";
import { at } from "../context.js";
import { evaluate, needBoolean } from "../elaborate/evaluate.js";
import { runStatements } from "../elaborate/statements.js";
import { report } from "../elaborate/tensors.js";
import { below, chainText, namedBy, type Model } from "./chains.js";
import type { ModuleParameter } from "./parameters.js";
import type { Line, Recipe } from "./recipe.js";
import { fillWhole, set } from "./values.js";

/** Sets what the lines say. A body has no result. */
export function runLines(recipe: Recipe, statements: readonly Statement[], result: Expression | undefined): void {
  const { walk, place } = recipe;
  const lines = new Map<Statement, Line>();
  for (const statement of statements) {
    const line = lineOf(recipe, statement);
    if (line) lines.set(statement, line);
  }
  const bySets = firstLines(recipe, lines.values());
  for (const statement of statements) {
    const line = lines.get(statement);
    if (line) {
      if (bySets.get(line.sets) === line) set(recipe, line, parametersOfLine(line, recipe.target, bySets));
      continue;
    }
    switch (statement.kind) {
      case "let": {
        const filled = fillWhole(recipe, statement.value);
        const { scope } = filled.place;
        runStatements(walk, [{ ...statement, value: filled.expression }], { ...place, scope });
        for (const name of statement.names) {
          const value = scope.own(name.text);
          if (value) place.scope.define(name.text, value);
        }
        break;
      }
      case "axis":
        runStatements(walk, [statement], place);
        break;
      case "assert":
        assert(recipe, statement);
        break;
      case "set":
      case "assign":
        // A path that names nothing has been complained about.
        break;
      case "expression-statement":
        report(walk, "MOE2267", {}, at(place, statement));
        break;
      default:
        statement satisfies never;
    }
  }
  if (result) report(walk, "MOE2267", {}, at(place, result));
}

function lineOf({ walk, place, target, targetPlace }: Recipe, statement: Statement): Line | undefined {
  if (statement.kind !== "set" && statement.kind !== "assign") return undefined;
  const path: Expression =
    statement.kind === "set" ? statement.path : { kind: "name", name: statement.target, span: statement.target.span };
  const named = namedBy(path, [target]);
  if (!named) {
    const text = chainText(path);
    const chain = text === undefined ? undefined : written("", text.split("."));
    const near = chain === undefined ? [] : closest(chain, chainsOf(target), 1);
    const span = at(place, path);
    report(walk, "MOE2262", { name: target.name, path: chain ?? "this" }, span, {
      ...(near[0] === undefined ? {} : { help: `did you mean \`${near[0]}\`?` }),
      fixes: near.map((one) => ({ title: `write \`${one}\``, edits: [{ span, text: one }] })),
    });
    return undefined;
  }
  // For hovers: the path is read as any chain is.
  if (walk.info) evaluate(walk, path, targetPlace);
  return { path, value: statement.value, sets: named.path };
}

/** Everything that a line can set in a model, as it is written. */
function chainsOf({ name, path, parameters }: Model): ReadonlySet<string> {
  const chains = new Set<string>();
  for (const full of parameters.keys()) {
    const steps = below(path, full).split(".");
    steps.forEach((_, index) => chains.add(written(name, steps.slice(0, index + 1))));
  }
  return chains;
}

/** Path steps as they are written: numbers stand in brackets. */
function written(first: string, steps: readonly string[]): string {
  return steps.reduce((text, step) => {
    if (/^\d+$/.test(step)) return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, first);
}

/** Lines by what they set. A second line for the same is an error. */
function firstLines({ walk, place }: Recipe, lines: Iterable<Line>): ReadonlyMap<string, Line> {
  const bySets = new Map<string, Line>();
  for (const line of lines) {
    const before = bySets.get(line.sets);
    if (before)
      report(walk, "MOE2264", { path: chainText(line.path) ?? line.sets }, at(place, line.path), {
        labels: [{ span: at(place, before.path), text: "the first line for it" }],
      });
    else bySets.set(line.sets, line);
  }
  return bySets;
}

/** The parameters that a line is the nearest one for. */
function parametersOfLine(line: Line, target: Model, lines: ReadonlyMap<string, Line>): readonly ModuleParameter[] {
  const whole = target.parameters.get(line.sets);
  if (whole) return [whole];
  const inside = `${line.sets}.`;
  return [...target.parameters.values()].filter(({ path }) => path.startsWith(inside) && nearest(path, lines) === line);
}

/** The line whose path lies nearest above a parameter. */
function nearest(path: string, lines: ReadonlyMap<string, Line>): Line | undefined {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("."))) {
    const line = lines.get(at);
    if (line) return line;
    if (!at.includes(".")) return undefined;
  }
}

function assert({ walk, place }: Recipe, statement: AssertStatement): void {
  const span = at(place, statement.value);
  const value = evaluate(walk, statement.value, place);
  if (needBoolean(walk, value, span) !== false) return;
  report(walk, "MOE2270", { message: statement.message?.value ?? "what the recipe asserts" }, span);
}
