/** `dense.layers.ffn.gate` in the lines of a recipe: what such a chain names, and expressions with its values put in. */
import type { Expression } from "../../../grammar/tree.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, joinPath, type Place } from "../context.js";
import { tensor } from "../elaborate/tensors.js";
import { Scope } from "../scope.js";
import { unknown } from "../values.js";
import type { ModuleParameter } from "./parameters.js";

/** A model that a recipe reads or makes. */
export interface Model {
  /** Its name in the recipe. */
  readonly name: string;
  /** Where its parameters live: its name, or inside of a model that another recipe makes or reads. */
  readonly path: string;
  readonly parameters: ReadonlyMap<string, ModuleParameter>;
}

/** Where a parameter lies below a module (`layers.ffn.gate`), both given by their paths. */
export function below(module: string, parameter: string): string {
  return module === "" ? parameter : parameter.slice(module.length + 1);
}

/** A parameter, or a module with parameters below it. */
export interface Named {
  readonly model: Model;
  readonly path: string;
  readonly parameter?: ModuleParameter;
}

/** `layers[3]` as a part of a path; undefined for anything but names, members and numbers in brackets. */
export function chainText(node: Expression): string | undefined {
  if (node.kind === "name") return node.name.text;
  if (node.kind === "member") {
    const before = chainText(node.object);
    return before === undefined ? undefined : `${before}.${node.member.text}`;
  }
  if (node.kind !== "index" || node.entries.length !== 1) return undefined;
  const [entry] = node.entries;
  if (entry?.kind !== "plain" || entry.value.kind !== "number" || !entry.value.integer) return undefined;
  const before = chainText(node.object);
  return before === undefined ? undefined : `${before}.${entry.value.value}`;
}

/** What a chain names in one of the models. */
export function namedBy(node: Expression, models: readonly Model[]): Named | undefined {
  if (node.kind !== "name" && node.kind !== "member" && node.kind !== "index") return undefined;
  const text = chainText(node);
  if (text === undefined) return undefined;
  const [first = "", ...rest] = text.split(".");
  const model = models.find(({ name }) => name === first);
  if (!model) return undefined;
  const path = [model.path, ...rest].join(".");
  const parameter = model.parameters.get(path);
  if (parameter) return { model, path, parameter };
  const isModule = [...model.parameters.keys()].some((other) => other.startsWith(`${path}.`));
  return isModule || rest.length === 0 ? { model, path } : undefined;
}

/** A module of a source that lacks the parameter that a line for many parameters asks of it. */
export interface Lacking {
  readonly span: SourceSpan;
  readonly path: string;
}

/** An expression whose chains stand for values, and the scope in which they do. */
export interface Filled {
  readonly expression: Expression;
  readonly place: Place;
  readonly lacking: readonly Lacking[];
}

/**
 * Puts the values of parameters in the places of their chains.
 *
 * @param rest Where the line's parameter lies below the module that the line sets (`layers.ffn.gate`): a chain that names
 * a module stands for its parameter there. Undefined for a line of one parameter.
 * @param note Is told every chain that names a parameter or module.
 */
export function fill(
  expression: Expression,
  models: readonly Model[],
  place: Place,
  rest: string | undefined,
  note: (named: Named, node: Expression) => void,
): Filled {
  const scope = new Scope(place.scope);
  const lacking: Lacking[] = [];
  let count = 0;
  const value = (node: Expression): Expression | undefined => {
    const named = namedBy(node, models);
    if (!named) return undefined;
    note(named, node);
    const path = named.parameter || rest === undefined ? named.path : joinPath(named.path, rest);
    const parameter = named.model.parameters.get(path);
    if (!parameter && rest !== undefined) lacking.push({ span: at(place, node), path });
    if (!parameter && rest === undefined) return node;
    const text = `${named.path}#${count++}`;
    const read = parameter?.read(at(place, node));
    scope.defineValue(text, read ? tensor(read) : unknown);
    return { kind: "name", name: { kind: "identifier", text, span: node.span }, span: node.span };
  };
  const filled = replaced(expression, value) as Expression;
  return { expression: filled, place: { ...place, scope }, lacking };
}

/** The tree with every largest expression replaced that `value` has something for; the same node where nothing is. */
function replaced(node: unknown, value: (node: Expression) => Expression | undefined): unknown {
  if (Array.isArray(node)) {
    const items = node.map((item: unknown) => replaced(item, value));
    return items.every((item, index) => item === node[index]) ? node : items;
  }
  if (typeof node !== "object" || node === null) return node;
  const own = "kind" in node ? value(node as Expression) : undefined;
  if (own) return own;
  let changed = false;
  const entries = Object.entries(node).map(([key, item]: [string, unknown]) => {
    const next = key === "span" ? item : replaced(item, value);
    changed ||= next !== item;
    return [key, next];
  });
  return changed ? Object.fromEntries(entries) : node;
}
