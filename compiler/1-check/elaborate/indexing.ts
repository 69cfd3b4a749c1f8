/** `TopK[D, E]`, `tok[V: ids]`, `x[T: 0..W]`, `x[T -> S]`, `pools[l / 2]`: what stands in brackets decides. */
import type { IndexEntry, IndexExpression } from "../../../grammar/tree.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, showSize, type Place, type Walk } from "../context.js";
import { counted, describe } from "../describe.js";
import type { Emitted } from "../emitter.js";
import { round, sizeOf, valueOf, type StaticNumber } from "../numbers.js";
import { Scope } from "../scope.js";
import { unknown, type DeclarationValue, type OpaqueValue, type Value } from "../values.js";
import { functionClosure, isFunctionForm } from "./closures.js";
import { evaluate, needNumber, needSize } from "./evaluate.js";
import { axisArguments, makeInstance } from "./modules.js";
import { asTensor, emitOne, findAxis, report, tensor } from "./tensors.js";

export function evaluateIndex(walk: Walk, expression: IndexExpression, place: Place): Value {
  const object = evaluate(walk, expression.object, place);
  switch (object.kind) {
    case "unknown":
      for (const entry of expression.entries) if (entry.kind === "rename") forgive(place, entry.to.text);
      return unknown;
    case "declaration":
      return indexDeclaration(walk, object, expression, place);
    case "opaque":
      return indexOpaque(walk, object, expression, place);
    case "pool":
    case "list":
    case "tuple":
      return pick(walk, object, expression, place);
    case "tensor":
    case "state":
    case "number":
      return indexTensor(walk, object, expression, place);
    default:
      return report(walk, "MOE2016", { found: describe(walk, object) }, at(place, expression.object));
  }
}

/** With the last axis given, a declaration without required parameters is an instance; else it waits for its call. */
function indexDeclaration(walk: Walk, object: DeclarationValue, expression: IndexExpression, place: Place): Value {
  const { info } = object;
  const axes = axisArguments(walk, info, expression, place);
  if (!axes) return unknown;
  if (isFunctionForm(info.decl)) {
    const scope = new Scope(info.scope);
    for (const [name, axis] of axes) scope.defineValue(name, { kind: "axis", name, size: axis.size });
    return functionClosure(info, scope, axes);
  }
  if (calledNext.has(expression)) return { kind: "declaration", info, axes };
  return makeInstance(walk, info, axes, [], at(place, expression), place);
}

/** Index expressions that are the callee of a call: their arguments follow. */
const calledNext = new WeakSet<IndexExpression>();

/** Says that `expression` is about to be called. */
export function markCalled(expression: IndexExpression): void {
  calledNext.add(expression);
}

function indexOpaque(walk: Walk, object: OpaqueValue, expression: IndexExpression, place: Place): Value {
  const axes = expression.entries.flatMap((entry) => {
    if (entry.kind !== "plain" && entry.kind !== "named") return [];
    const value = evaluate(walk, entry.value, place);
    if (value.kind === "axis") return [{ name: value.name, size: value.size }];
    const size = needSize(walk, value, at(place, entry.value));
    return size ? [{ size }] : [];
  });
  return { ...object, axes };
}

function pick(
  walk: Walk,
  object: Extract<Value, { kind: "pool" | "list" | "tuple" }>,
  expression: IndexExpression,
  place: Place,
): Value {
  const entry = expression.entries[0];
  if (entry?.kind !== "plain" || expression.entries.length !== 1) {
    return report(walk, "MOE2017", { found: describe(walk, object) }, at(place, expression));
  }
  const span = at(place, entry.value);
  const number = needNumber(walk, evaluate(walk, entry.value, place), span);
  if (!number) return unknown;
  const index = valueOf(round(number, "floor"));
  if (object.kind === "pool") {
    const count = object.count.constant;
    if (index !== undefined && count !== undefined && (index < 0 || index >= count)) {
      return report(walk, "MOE2018", { index, count: counted(count, "element") }, span);
    }
    return object.at(index);
  }
  const items = object.kind === "list" ? object.items.map((item) => item.value) : object.items;
  if (index === undefined) return items[0] ?? unknown;
  return items[index] ?? report(walk, "MOE2018", { index, count: counted(items.length, "element") }, span);
}

function indexTensor(walk: Walk, object: Value, expression: IndexExpression, place: Place): Value {
  let value = asTensor(walk, object, at(place, expression.object));
  if (!value || value.type.kind === "routes") {
    return report(walk, "MOE2016", { found: describe(walk, object) }, at(place, expression.object));
  }
  const source = at(place, expression.object);
  for (const entry of expression.entries) {
    const next = applyEntry(walk, value, entry, source, place);
    if (!next) {
      for (const other of expression.entries) if (other.kind === "rename") forgive(place, other.to.text);
      return unknown;
    }
    value = next;
  }
  return tensor(value);
}

function applyEntry(
  walk: Walk,
  value: Emitted,
  entry: IndexEntry,
  source: ReturnType<typeof at>,
  place: Place,
): Emitted | undefined {
  const span = at(place, entry);
  switch (entry.kind) {
    case "rename": {
      const from = entry.from.text;
      const to = entry.to.text;
      introduce(walk, place, to, value, from);
      const places = { MOE2042: at(place, entry.from), MOE2045: at(place, entry.to) };
      return from === to ? value : emitOne(walk, "rename", [value], { from, to }, span, [source], places);
    }
    case "pick": {
      const index = evaluate(walk, entry.value, place);
      if (index.kind === "unknown") return undefined;
      const axis = entry.axis.text;
      if (index.kind === "range") {
        const [first, last] =
          entry.value.kind === "range" ? [entry.value.from, entry.value.to] : [entry.value, entry.value];
        const from = needSize(walk, { kind: "number", number: index.from }, at(place, first));
        const to = needSize(walk, { kind: "number", number: index.to }, at(place, last));
        const places = {
          MOE2042: at(place, entry.axis),
          MOE2049: at(place, entry.value),
          MOE2051: at(place, entry.value),
        };
        return from && to ? emitOne(walk, "slice", [value], { axis, from, to }, span, [source], places) : undefined;
      }
      const number = index.kind === "number" ? valueOf(index.number) : undefined;
      if (number !== undefined && number < 0) {
        report(walk, "MOE2018", { index: number, count: `axis \`${axis}\`` }, at(place, entry.value), {
          help: `entries count from 0: the last one is \`${axis}: size(${axis}) - 1\``,
        });
        return undefined;
      }
      if (index.kind === "number" && isPastTheEnd(walk, value, axis, index.number, at(place, entry.value)))
        return undefined;
      const ids = asTensor(walk, index, at(place, entry.value), "i32");
      if (!ids) {
        report(walk, "MOE2080", { found: describe(walk, index) }, at(place, entry.value));
        return undefined;
      }
      if (ids.type.kind === "tensor" && ids.type.dtype === "f32") {
        report(walk, "MOE2043", { op: "gather", expected: "i32", found: "f32" }, at(place, entry.value), {
          note: describe(walk, tensor(ids)),
          help: "numbers of rows are whole: an input is `tokens: int[T]`, a value `int(x)`",
        });
        return undefined;
      }
      const spans = [source, at(place, entry.value)];
      return emitOne(walk, "gather", [value, ids], { axis }, span, spans, { MOE2042: at(place, entry.axis) });
    }
    case "plain":
    case "named":
      report(walk, "MOE2019", { found: describe(walk, tensor(value)) }, span, {
        help: "`x[T: i]` takes entries of an axis, `x[T: 0..n]` a part of it, `x[T -> S]` renames it; `split(x, D -> [H, K])` makes two of one",
      });
      return undefined;
    default:
      return entry satisfies never;
  }
}

/** Says that an entry is behind the last one of an axis; a size that is not known yet may be any. */
function isPastTheEnd(walk: Walk, value: Emitted, name: string, index: StaticNumber, span: SourceSpan): boolean {
  const size = findAxis(value, name)?.size;
  const entry = valueOf(index) ?? sizeOf(index);
  if (!size || entry === undefined) return false;
  const over = typeof entry === "number" ? entry - (size.constant ?? Infinity) : entry.minus(size).constant;
  if (over === undefined || over < 0) return false;
  const entries =
    size.constant === undefined ? `${showSize(walk, size)} entries` : counted(size.constant, "entry", "entries");
  const slots = {
    index: typeof entry === "number" ? entry : showSize(walk, entry),
    count: `axis \`${name}\` has ${entries}`,
  };
  report(walk, "MOE2018", slots, span, { help: `the last entry is \`${name}: size(${name}) - 1\`` });
  return true;
}

/** An axis that would have been made but for an error: what uses it is silent. */
export function forgive(place: Place, name: string): void {
  if (!place.scope.lookup(name)) place.scope.defineValue(name, unknown);
}

/** An axis name that a body makes up is known behind that place, with its size. */
export function introduce(walk: Walk, place: Place, name: string, value: Emitted, like: string): void {
  const axis = value.type.kind === "tensor" ? value.type.axes.find((candidate) => candidate.name === like) : undefined;
  void walk;
  if (axis && !place.scope.lookup(name)) place.scope.defineValue(name, { kind: "axis", name, size: axis.size });
}
