/** `axis C = ceil(T * factor / E)` among members: known once the arguments of a call have decided T. */
import type { AxisMember, ModuleDecl } from "../../../grammar/tree.js";
import { at, type Place, type Walk } from "../context.js";
import { unknown, type ClosureValue, type Value } from "../values.js";
import { identifiersIn } from "./closures.js";
import { evaluate, needSize } from "./evaluate.js";
import { once } from "./once.js";

/** Derived axes of a declaration. */
export function derivedAxes({ members = [] }: ModuleDecl): readonly AxisMember[] {
  return members.filter((member) => member.kind === "axis");
}

/** A name with its size, of a member or in the type of one. */
export type NamedAxis = Pick<AxisMember, "name" | "size">;

/** The axis that is named so, with what is known at `place`. */
export function derivedAxis(walk: Walk, { name, size: written }: NamedAxis, place: Place): Value {
  const size = needSize(walk, evaluate(walk, written, place), at(place, written));
  return size ? { kind: "axis", name: name.text, size } : unknown;
}

/** In the scope of a body, whose arguments may decide more than the members of its module know. */
export function defineDerivedAxes(walk: Walk, closure: ClosureValue, place: Place): void {
  for (const member of closure.instance ? derivedAxes(closure.instance.info.decl) : []) {
    place.scope.define(member.name.text, {
      value: once(walk, member.name, place, () => derivedAxis(walk, member, place)),
      span: at(place, member.name),
    });
  }
}

/** Those that the body under check does not use are wrong as well where they are, unless another body decides their size. */
export function checkDerivedAxes(walk: Walk, closure: ClosureValue, place: Place): void {
  const decl = closure.instance?.info.decl;
  if (!decl || closure.lambda || !walk.options.checking) return;
  if (!walk.reporter.isRoot({ file: closure.file, ...closure.body.span })) return;
  const axes = derivedAxes(decl);
  if (axes.length === 0) return;
  const decided = decidedByCalls(decl);
  for (const member of axes) {
    const isOpen = needs(member, axes).some((name) => decided.has(name) && !place.scope.lookup(name));
    if (!isOpen) derivedAxis(walk, member, place);
  }
}

/** Names of arguments, and those in their types. */
function decidedByCalls({ members = [] }: ModuleDecl): ReadonlySet<string> {
  const methods = members.filter((member) => member.kind === "method");
  return new Set(methods.flatMap(({ params }) => [...identifiersIn(params)]));
}

/** The names that the size of an axis is made of, also by way of other axes. */
function needs(member: AxisMember, axes: readonly AxisMember[]): readonly string[] {
  const names = new Set(identifiersIn(member.size));
  // A set gives what is added while it is gone through.
  for (const name of names) {
    const other = axes.find((axis) => axis.name.text === name);
    for (const more of other ? identifiersIn(other.size) : []) names.add(more);
  }
  return [...names];
}
