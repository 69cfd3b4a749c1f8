/** `let`, `assert`, assignments to state and derived axes inside bodies. */
import type { AssignStatement, Expression, LetStatement, Statement } from "../../../grammar/tree.js";
import { Size } from "../../axes/size.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, type Place, type Walk } from "../context.js";
import { describe, describeType } from "../describe.js";
import type { Emitted } from "../emitter.js";
import { sizeOf, valueOf } from "../numbers.js";
import type { Scope } from "../scope.js";
import { unknown, type InstanceValue, type ListValue, type Value } from "../values.js";
import { evaluate, evaluateWhole, needNumber, single } from "./evaluate.js";
import { once } from "./once.js";
import { asTensor, cast, expanded, findAxis, needTensor, report, tensor } from "./tensors.js";
import { resolveType, type TensorSpec } from "./types.js";
import { bareInstance } from "./modules.js";
import { reportUnsettable, type Node } from "./unsettable.js";

/** @param result What the block gives, which may use its names. */
export function runStatements(walk: Walk, statements: readonly Statement[], place: Place, result?: Expression): void {
  hoistAxes(walk, statements, place);
  for (const statement of statements) {
    walk.onStatement?.(statement);
    switch (statement.kind) {
      case "let":
        runLet(walk, statement, place);
        break;
      case "expression-statement":
        evaluate(walk, statement.value, place);
        break;
      case "axis": {
        const name = statement.name.text;
        const number = needNumber(walk, evaluate(walk, statement.size, place), at(place, statement.size));
        const size = number && sizeOf(number);
        if (number && !size)
          report(walk, "MOE2087", { found: describe(walk, { kind: "number", number }) }, at(place, statement.size));
        place.scope.defineValue(name, size ? { kind: "axis", name, size } : unknown, at(place, statement.name));
        break;
      }
      case "assign":
        runAssign(walk, statement, place, () => [
          ...statements.slice(statements.indexOf(statement) + 1),
          ...(result ? [result] : []),
        ]);
        break;
      case "set":
        report(walk, "MOE2268", {}, at(place, statement.path));
        break;
      case "assert":
        if (walk.onAssert) walk.onAssert(statement, place);
        else evaluate(walk, statement.value, place);
        break;
      default:
        statement satisfies never;
    }
  }
}

/** The sizes of axes that the modules of a test have named so far; undefined for a name that they give two sizes. */
const shared = new WeakMap<Scope, Map<string, Size | undefined>>();

/** `E` after `let r = TopK[8, 6](2)` in a test: the axes of its modules, unless two of them disagree. */
function shareAxes(value: InstanceValue, place: Place): void {
  const known = shared.get(place.scope) ?? new Map<string, Size | undefined>();
  shared.set(place.scope, known);
  for (const [name, { size }] of value.axes) {
    if (!known.has(name)) {
      if (place.scope.lookup(name)) continue;
      known.set(name, size);
      place.scope.defineValue(name, { kind: "axis", name, size });
    } else if (!known.get(name)?.equals(size)) {
      if (known.get(name)) place.scope.forget(name);
      known.set(name, undefined);
    }
  }
}

/** `axis X = 4` counts in the whole block, so that a line above may use X; a name that is known already keeps its meaning. */
function hoistAxes(walk: Walk, statements: readonly Statement[], place: Place): void {
  for (const statement of statements) {
    if (statement.kind !== "axis" || place.scope.lookup(statement.name.text)) continue;
    const name = statement.name.text;
    place.scope.define(name, {
      value: once(walk, statement.name, place, () => {
        const number = needNumber(walk, evaluate(walk, statement.size, place), at(place, statement.size));
        const size = number && sizeOf(number);
        return size ? { kind: "axis", name, size } : unknown;
      }),
      span: at(place, statement.name),
    });
  }
}

function runLet(walk: Walk, statement: LetStatement, place: Place): void {
  const [name] = statement.names;
  const path = name && statement.names.length === 1 && place.path !== undefined ? { ...place, path: name.text } : place;
  const whole = evaluateWhole(walk, statement.value, path);
  if (!statement.tuple) {
    let value = bareInstance(walk, single(whole), at(place, statement.value), path);
    if (statement.type) value = ascribed(walk, statement, value, place);
    // A name that was not typed yet is an error of syntax.
    if (!name) return;
    if (value.kind === "tensor") walk.emitter.name(value.value, name.text);
    if (value.kind === "instance" && !place.instance && place.path !== undefined) shareAxes(value, place);
    place.scope.defineValue(name.text, value, at(place, name));
    return;
  }
  const items = whole.kind === "tuple" ? whole.items : undefined;
  if (whole.kind !== "unknown" && items?.length !== statement.names.length) {
    report(
      walk,
      "MOE2091",
      { wanted: statement.names.length, found: describe(walk, whole) },
      at(place, statement.value),
    );
  }
  statement.names.forEach((item, index) => {
    place.scope.defineValue(item.text, items?.[index] ?? unknown, at(place, item));
  });
}

/** `let p: [N] = [0.5, 0.25]`: numbers that are written down, with lists in lists for more axes. */
function written(walk: Walk, list: ListValue, spec: TensorSpec, span: SourceSpan, place: Place): Emitted | undefined {
  const values: number[] = [];
  const sizes: number[] = [];
  const visit = (value: Value, depth: number): boolean => {
    if (value.kind === "list" && depth < spec.axes.length) {
      sizes[depth] ??= value.items.length;
      return sizes[depth] === value.items.length && value.items.every((item) => visit(item.value, depth + 1));
    }
    if (depth !== spec.axes.length) return false;
    if (value.kind === "boolean" && spec.dtype === "bool") return values.push(value.value === true ? 1 : 0) > 0;
    const number =
      value.kind === "number" ? (valueOf(value.number) ?? (walk.options.generic ? 1 : undefined)) : undefined;
    if (number === undefined || (spec.dtype === "i32" && !Number.isInteger(number))) return false;
    return values.push(number) > 0;
  };
  if (!visit(list, 0) || sizes.length !== spec.axes.length || values.length === 0) return undefined;
  const axes = spec.axes.map(({ name }, index) => ({ name, size: Size.of(sizes[index]!) }));
  for (const { name, size } of axes)
    if (!place.scope.lookup(name)) place.scope.defineValue(name, { kind: "axis", name, size }, span);
  return walk.emitter.op("constant", [], { values, axes, dtype: spec.dtype }, span)[0];
}

/** `let h: [T, D] = …`: the value has that type, with missing axes repeated. */
function ascribed(walk: Walk, statement: LetStatement, value: Value, place: Place): Value {
  const spec = resolveType(walk, statement.type!, place);
  if (spec.kind !== "tensor") return value;
  const span = at(place, statement.value);
  const given =
    value.kind === "list" ? written(walk, value, spec, span, place) : asTensor(walk, value, span, spec.dtype);
  if (value.kind === "list" && !given) {
    const found = describe(walk, value);
    return report(walk, "MOE2092", { name: statement.names[0]?.text ?? "", found }, span, {
      labels: [{ span: at(place, statement.type!), text: "declared here" }],
      help: "a list in brackets is a tensor when it has numbers only, as many as the axis is long",
    });
  }
  if (given?.type.kind !== "tensor") return value;
  const axes = spec.axes.map((axis) => ({ name: axis.name, size: axis.size ?? findAxis(given, axis.name)?.size }));
  const fits =
    axes.every(({ name, size }) => size !== undefined && (findAxis(given, name)?.size.equals(size) ?? true)) &&
    given.type.axes.every((axis) => axes.some(({ name }) => name === axis.name)) &&
    (given.type.dtype === spec.dtype || (given.type.dtype === "i32" && spec.dtype === "f32"));
  if (!fits) {
    return report(walk, "MOE2092", { name: statement.names[0]!.text, found: describeType(walk, given.type) }, span, {
      labels: [{ span: at(place, statement.type!), text: "declared here" }],
    });
  }
  return tensor(
    expanded(
      walk,
      cast(walk, given, spec.dtype, span),
      axes.map(({ name, size }) => ({ name, size: size! })),
      span,
    ),
  );
}

/** @param behind What stands behind the assignment in its block. */
function runAssign(walk: Walk, statement: AssignStatement, place: Place, behind: () => readonly Node[]): void {
  const binding = place.scope.lookup(statement.target.text);
  const target = binding?.value();
  const value = evaluate(walk, statement.value, place);
  if (!binding || target?.kind !== "state" || target.state.kind === "cache") {
    if (target?.kind !== "unknown") reportUnsettable(walk, statement, target, place, behind());
    return;
  }
  if (value.kind === "unknown") return;
  const span = at(place, statement.value);
  const next = needTensor(walk, value, span, target.state.dtype);
  if (next?.type.kind !== "tensor") return;
  const strange = next.type.axes.find(
    (axis) => !target.state.axes.some(({ name, size }) => name === axis.name && size.equals(axis.size)),
  );
  if (strange) {
    const keeps = describeType(walk, { kind: "tensor", dtype: target.state.dtype, axes: target.state.axes });
    report(walk, "MOE2142", { name: statement.target.text, keeps, found: describeType(walk, next.type) }, span, {
      labels: [{ span: target.state.span, text: "the state is declared here" }],
    });
    return;
  }
  walk.emitter.state(target.state);
  const filled = expanded(walk, cast(walk, next, target.state.dtype, span), target.state.axes, span);
  walk.emitter.op("state_write", [filled], { state: target.state.path }, at(place, statement));
}
