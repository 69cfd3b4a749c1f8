/**
 * Arguments of a call meet the declared types. The axes of an argument take the names that the body uses: an axis that
 * the caller gave for a parameter first, then equal names, then position from the right. What is left over are batch
 * axes; they pass through, under another name where the body uses theirs for something else.
 */
import type { SourceSpan } from "../../errors/diagnostic.js";
import type { Axis } from "../../ops/types.js";
import type { AxisUse, TypeExpression } from "../../../grammar/tree.js";
import { at, showSize, type Place, type Walk } from "../context.js";
import { describe, describeType } from "../describe.js";
import type { Emitted } from "../emitter.js";
import type { ClosureValue, Value } from "../values.js";
import { identifiersIn } from "./closures.js";
import { axesOf, cast, expanded, fresh, ordered, renameAll, report, tensor, asTensor } from "./tensors.js";
import type { AxisSpec, TensorSpec } from "./types.js";

/** The names of one call: inside to outside for results, outside to inside for batch axes. */
export class CallNames {
  /** Axis of the body -> axis of the caller. */
  readonly back = new Map<string, string>();
  /** Batch axis of the caller -> its name inside. */
  readonly apart = new Map<string, string>();
  /** Batch axes by their names inside. */
  readonly batch = new Map<string, Axis>();

  constructor(readonly closure: ClosureValue) {
    for (const [name, axis] of closure.axes) if (axis.name !== undefined) this.back.set(name, axis.name);
  }

  /** The caller's name of an axis of the body that an argument has already decided. */
  readonly decided = new Map<string, string>();
}

/**
 * `[N, M = N]`: an axis that the argument decides is known to the sizes of the same type. Its names are claimed before
 * the type is resolved.
 */
export function decideOwnAxes(type: TypeExpression, value: Value, names: CallNames, place: Place): void {
  const uses = type.kind === "named-type" ? (type.axes ?? []) : [];
  const open = openAxes(uses, place);
  if (open.length === 0 || value.kind !== "tensor" || value.value.type.kind === "routes") return;
  const specs = uses.map((use) => ({ name: use.name?.text ?? "", span: at(place, use) }));
  const claims = claim(specs, axesOf(value.value), names);
  for (const [index, use] of uses.entries()) {
    const axis = claims[index];
    if (!axis || !open.includes(use)) continue;
    const name = use.name!.text;
    place.scope.defineValue(name, { kind: "axis", name, size: axis.size }, at(place, use));
  }
}

/** Axes without a size, when a size of the same type is written with one of them. */
export function openAxes(uses: readonly AxisUse[], place: Place): readonly AxisUse[] {
  if (!uses.some(({ size }) => size)) return [];
  const open = uses.filter((use) => use.name && !use.size && !place.scope.lookup(use.name.text));
  const isUsed = uses.some(({ size }) => {
    const written = size && identifiersIn(size);
    return written && open.some(({ name }) => written.has(name!.text));
  });
  return isUsed ? open : [];
}

function claim(specs: readonly AxisSpec[], axes: readonly Axis[], names: CallNames): (Axis | undefined)[] {
  const claims: (Axis | undefined)[] = specs.map(() => undefined);
  const take = (name: (spec: AxisSpec) => string | undefined): void => {
    for (const [index, spec] of specs.entries()) {
      if (claims[index]) continue;
      const wanted = name(spec);
      if (wanted === undefined) continue;
      const found = axes.find((axis) => axis.name === wanted);
      if (found && !claims.includes(found)) claims[index] = found;
    }
  };
  take((spec) => names.decided.get(spec.name));
  take((spec) => names.closure.axes.get(spec.name)?.name);
  take((spec) => spec.name);
  const rest = axes.filter((axis) => !claims.includes(axis));
  for (let index = specs.length - 1; index >= 0; index--) {
    if (!claims[index]) claims[index] = rest.pop();
  }
  return claims;
}

export interface BoundArgument {
  readonly value: Value;
  readonly span: SourceSpan;
}

/** A tensor argument under the names of the body. */
export function bindTensor(
  walk: Walk,
  spec: TensorSpec,
  argument: BoundArgument,
  parameter: { readonly name: string; readonly span: SourceSpan },
  names: CallNames,
  place: Place,
): Value {
  const { span } = argument;
  let value = asTensor(walk, argument.value, span, spec.dtype);
  if (!value || value.type.kind === "routes") {
    if (argument.value.kind === "unknown") return argument.value;
    return report(
      walk,
      "MOE2103",
      { name: parameter.name, callee: names.closure.label, found: describe(walk, argument.value) },
      span,
      {
        labels: [{ span: parameter.span, text: "the parameter is declared here" }],
      },
    );
  }
  if (value.type.dtype !== spec.dtype) {
    if (value.type.dtype === "i32" && spec.dtype === "f32") value = cast(walk, value, "f32", span);
    else {
      return report(
        walk,
        "MOE2104",
        { name: parameter.name, callee: names.closure.label, wanted: spec.dtype, found: value.type.dtype },
        span,
        { labels: [{ span: parameter.span, text: `declared as ${spec.dtype} here` }] },
      );
    }
  }
  const axes = axesOf(value);
  if (axes.length === 0 && argument.value.kind !== "tensor" && spec.axes.every((axis) => axis.size !== undefined)) {
    const wanted = spec.axes.map((axis) => ({ name: axis.name, size: axis.size! }));
    return tensor(expanded(walk, value, wanted, span));
  }
  const claims = claim(spec.axes, axes, names);
  const missing = spec.axes.find((_, index) => !claims[index]);
  if (missing) {
    return report(
      walk,
      "MOE2105",
      { name: parameter.name, callee: names.closure.label, axis: missing.name, found: describeType(walk, value.type) },
      span,
      { labels: [{ span: missing.span, text: "this axis is missing" }] },
    );
  }
  const renames = new Map<string, string>();
  for (const [index, axis] of spec.axes.entries()) {
    const taken = claims[index]!;
    if (axis.size && !axis.size.equals(taken.size)) {
      const origin = names.closure.axes.get(axis.name)?.span;
      return report(
        walk,
        "MOE2106",
        {
          name: parameter.name,
          callee: names.closure.label,
          axis: axis.name,
          wanted: showSize(walk, axis.size),
          found: showSize(walk, taken.size),
        },
        span,
        {
          note: describeType(walk, value.type),
          labels: [
            ...(origin ? [{ span: origin, text: `${axis.name} is ${showSize(walk, axis.size)} here` }] : []),
            { span: axis.span, text: `declared with ${axis.name} here` },
            ...(value.source && value.source.start !== span.start
              ? [{ span: value.source, text: describeType(walk, value.type) }]
              : []),
          ],
        },
      );
    }
    renames.set(taken.name, axis.name);
    if (!names.decided.has(axis.name)) {
      names.decided.set(axis.name, taken.name);
      names.back.set(axis.name, taken.name);
    }
    if (!axis.size) place.scope.defineValue(axis.name, { kind: "axis", name: axis.name, size: taken.size }, axis.span);
  }
  keepApart(value, claims, names, renames);
  let bound = renameAll(walk, value, renames, span);
  const order = wantedOrder(bound, spec.axes);
  if (order) bound = ordered(walk, bound, order, span);
  for (const axis of axesOf(bound)) {
    if (!spec.axes.some(({ name }) => name === axis.name)) names.batch.set(axis.name, axis);
  }
  return tensor(bound);
}

/** Batch axes whose names the body uses itself get another one. */
function keepApart(
  value: Emitted,
  claims: readonly (Axis | undefined)[],
  names: CallNames,
  renames: Map<string, string>,
): void {
  const own = names.closure.instance !== undefined || names.closure.openAxes !== undefined;
  for (const axis of axesOf(value)) {
    if (claims.includes(axis) || !own || names.closure.lambda) continue;
    const known = names.apart.get(axis.name);
    if (known === undefined && !names.closure.names().has(axis.name)) continue;
    const inside =
      known ?? fresh(`${axis.name}'`, [...names.closure.names(), ...axesOf(value).map(({ name }) => name)]);
    names.apart.set(axis.name, inside);
    names.back.set(inside, axis.name);
    renames.set(axis.name, inside);
  }
}

/** The order that the body relies on, when the argument has another: declared axes in order, the last one last. */
function wantedOrder(value: Emitted, specs: readonly AxisSpec[]): readonly string[] | undefined {
  const now = axesOf(value).map((axis) => axis.name);
  const declared = specs.map((axis) => axis.name);
  const places = declared.map((name) => now.indexOf(name));
  const inOrder = places.every((position, index) => index === 0 || position > places[index - 1]!);
  if (declared.length === 0 || (inOrder && places.at(-1) === now.length - 1)) return undefined;
  return [...now.filter((name) => !declared.includes(name)), ...declared];
}

/** Routes under the names of the body: only the expert axis has to agree. */
export function bindRoutes(
  walk: Walk,
  experts: AxisSpec | undefined,
  argument: BoundArgument,
  parameter: { readonly name: string; readonly span: SourceSpan },
  names: CallNames,
  place: Place,
): Value {
  const { value, span } = argument;
  if (value.kind === "unknown") return value;
  if (value.kind !== "tensor" || value.value.type.kind !== "routes") {
    return report(
      walk,
      "MOE2103",
      { name: parameter.name, callee: names.closure.label, found: describe(walk, value) },
      span,
      {
        labels: [{ span: parameter.span, text: "the parameter is declared here" }],
      },
    );
  }
  const { type } = value.value;
  if (!experts) return value;
  if (experts.size && !experts.size.equals(type.experts.size)) {
    return report(
      walk,
      "MOE2107",
      {
        name: parameter.name,
        callee: names.closure.label,
        axis: type.experts.name,
        wanted: showSize(walk, experts.size),
        found: showSize(walk, type.experts.size),
      },
      span,
      {
        labels: [
          { span: experts.span, text: `declared for ${showSize(walk, experts.size)} experts here` },
          ...(value.value.source && value.value.source.start !== span.start
            ? [{ span: value.value.source, text: `axis \`${type.experts.name}\` was taken as the experts here` }]
            : []),
        ],
      },
    );
  }
  if (!names.decided.has(experts.name)) {
    names.decided.set(experts.name, type.experts.name);
    names.back.set(experts.name, type.experts.name);
  }
  if (!experts.size) {
    place.scope.defineValue(experts.name, { kind: "axis", name: experts.name, size: type.experts.size }, experts.span);
  }
  for (const axis of type.tokens) names.batch.set(axis.name, axis);
  return tensor(renameAll(walk, value.value, new Map([[type.experts.name, experts.name]]), span));
}
