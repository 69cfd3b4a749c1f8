/** Members of an instance as names in its scope. */
import type { Member, ModuleDecl, NamedType, ParamMember, StateMember } from "../../../grammar/tree.js";
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { at, joinPath, type Place, type Walk } from "../context.js";
import { declaredNames } from "../declared-names.js";
import type { StoredState, StoredValue } from "../emitter.js";
import { valueOf } from "../numbers.js";
import type { Binding } from "../scope.js";
import { unknown, type InstanceValue, type Value } from "../values.js";
import { methodClosure } from "./closures.js";
import { derivedAxis, type NamedAxis } from "./derived-axes.js";
import { evaluate, needNumber } from "./evaluate.js";
import { bareInstance, knobValue, makeInstance } from "./modules.js";
import { madeOnce, once } from "./once.js";
import { scheduleValue } from "./schedules.js";
import { makeStack } from "./stacks.js";
import { report, tensor } from "./tensors.js";
import { resolveType, type AxisSpec, type TensorSpec } from "./types.js";
import { axisArgumentsOfType } from "./generic.js";

/** Where expressions in the members of an instance are evaluated. */
export function memberPlace(instance: InstanceValue): Place {
  return {
    scope: instance.scope,
    file: instance.info.file,
    instance,
    path: instance.path,
    repetitions: instance.repetitions,
    batch: [],
  };
}

export function defineMembers(walk: Walk, instance: InstanceValue): void {
  const place = memberPlace(instance);
  defineNamedAxes(walk, instance, place);
  for (const member of instance.info.decl.members ?? []) {
    const name = "name" in member ? member.name : undefined;
    if (!name || member.kind === "settings" || member.kind === "grad") continue;
    const make = memberValue(walk, member, instance, place);
    if (!make) continue;
    const binding: Binding = {
      value: make,
      span: at(place, name),
      ...(member.doc === undefined ? {} : { doc: member.doc }),
    };
    instance.scope.define(name.text, binding);
  }
}

function memberValue(walk: Walk, member: Member, instance: InstanceValue, place: Place): (() => Value) | undefined {
  switch (member.kind) {
    case "param": {
      if (!walk.info && isPlain(member, instance.info.decl)) {
        const made = once2(() => paramValue(walk, member, place));
        return () => made()();
      }
      // Axes with sizes of their own (`X = 2 ** bits`) are names for the whole module, so they are read right away.
      return paramValue(walk, member, place);
    }
    case "state":
      return once(walk, member.name, place, () => stateValue(walk, member, place));
    case "knob": {
      const knob = madeOnce(walk, member.name, place, () => {
        const spec = member.type ? resolveType(walk, member.type, place) : undefined;
        const axes = spec?.kind === "tensor" ? known(walk, spec, place) : [];
        const number = needNumber(walk, evaluate(walk, member.init, place), at(place, member.init));
        const whole = spec?.kind === "number" ? spec.integer : spec?.kind === "tensor" && spec.dtype === "i32";
        const init = number ? (valueOf(number) ?? 0) : 0;
        return knobValue(walk, member.name.text, init, whole, member.range, place, at(place, member.name), axes);
      });
      return () => knob()?.value() ?? unknown;
    }
    case "use":
      return once(walk, member.name, place, () => {
        const own = { ...place, path: joinPath(place.path, member.name.text) };
        return bareInstance(walk, evaluate(walk, member.value, own), at(place, member.value), own);
      });
    case "let-member":
      return once(walk, member.name, place, () =>
        evaluate(walk, member.value, { ...place, path: joinPath(place.path, member.name.text) }),
      );
    case "stack":
      return once(walk, member.name, place, () => makeStack(walk, member, instance, place));
    case "schedule":
      return once(walk, member.name, place, () => scheduleValue(walk, member.value, place));
    case "method": {
      const closure = methodClosure(instance, member);
      return () => closure;
    }
    case "axis":
      // For other members; a body has it anew, with what its arguments decide.
      return once(walk, member.name, place, () => derivedAxis(walk, member, place));
    case "grad":
    case "weights":
    case "settings":
      return undefined;
    default:
      return member satisfies never;
  }
}

const plain = new WeakMap<ParamMember, boolean>();

/** `param gate: [D, F]` with the module's own axes: nothing can be wrong with it, so it is read when it is used. */
function isPlain(member: ParamMember, decl: ModuleDecl): boolean {
  let known = plain.get(member);
  if (known === undefined) plain.set(member, (known = hasOwnAxesOnly(member, decl)));
  return known;
}

function hasOwnAxesOnly({ type, init }: ParamMember, decl: ModuleDecl): boolean {
  if (type.kind !== "named-type" || type.name || type.args || type.formats.length > 0) return false;
  if (init && (init.kind !== "number" || init.unit)) return false;
  const names = (type.axes ?? []).map((use) => (use.size ? undefined : use.name?.text));
  const others = declaredNames(decl);
  return names.every((name, index) => {
    const isOwn = name !== undefined && decl.axes.some((axis) => axis.name.text === name) && !others.has(name);
    return isOwn && names.indexOf(name) === index;
  });
}

/** `X = 2 ** bits` in the type of a parameter or state names an axis for the whole module, whatever their order. */
function defineNamedAxes(walk: Walk, { scope, info }: InstanceValue, place: Place): void {
  for (const axis of namedAxes(info.decl)) {
    const { name } = axis;
    if (scope.lookup(name.text)) continue;
    scope.define(name.text, {
      value: once(walk, name, place, () => derivedAxis(walk, axis, place)),
      span: at(place, name),
    });
  }
}

const named = new WeakMap<ModuleDecl, readonly NamedAxis[]>();

/** Axes that types of members give a name, unless a member has it. */
function namedAxes(decl: ModuleDecl): readonly NamedAxis[] {
  let known = named.get(decl);
  if (!known) {
    const members = declaredNames(decl);
    known = (decl.members ?? []).flatMap((member) =>
      (member.kind === "param" || member.kind === "state") && member.type.kind === "named-type"
        ? (member.type.axes ?? []).flatMap(({ name, size }) =>
            name && size && !members.has(name.text) ? [{ name, size }] : [],
          )
        : [],
    );
    named.set(decl, known);
  }
  return known;
}

function once2<R>(make: () => R): () => R {
  let made: { readonly value: R } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The axes of a member's type, all of which must be known in the module. */
function known(walk: Walk, spec: TensorSpec, place: Place) {
  return spec.axes
    .map((axis: AxisSpec) => {
      if (axis.size) return { name: axis.name, size: axis.size };
      if (axis.failed) return undefined;
      report(walk, "MOE2011", { name: axis.name }, axis.span, {
        help: `declare it: \`${place.instance?.info.decl.name.text ?? "…"}[…, ${axis.name}]\``,
      });
      return undefined;
    })
    .filter((axis) => axis !== undefined);
}

function paramValue(walk: Walk, member: ParamMember, place: Place): () => Value {
  const span = at(place, member.type);
  const spec = resolveType(walk, member.type, place);
  if (spec.kind === "module") {
    return once2(() => {
      const own = { ...place, path: joinPath(place.path, member.name.text) };
      const { axes, args, failed } = axisArgumentsOfType(walk, spec.info, spec.type, place);
      if (failed) return unknown;
      return makeInstance(walk, spec.info, axes, args, span, own);
    });
  }
  if (spec.kind !== "tensor") {
    if (spec.kind !== "unknown") report(walk, "MOE2012", { name: member.name.text }, span);
    return () => unknown;
  }
  const axes = known(walk, spec, place);
  if (axes.length < spec.axes.length) return () => unknown;
  const repeated = axes.find((axis, index) => axes.findIndex(({ name }) => name === axis.name) < index);
  if (repeated) {
    report(walk, "MOE2013", { name: member.name.text, axis: repeated.name }, span);
    return () => unknown;
  }
  if (member.type.kind === "named-type") checkBlocks(walk, member.type, axes, place);
  const init = paramInit(member, walk, place);
  const stored: StoredValue = {
    kind: "param",
    path: joinPath(place.path, member.name.text),
    dtype: spec.dtype,
    axes,
    repetitions: place.repetitions,
    ...(spec.storage === undefined ? {} : { storage: spec.storage }),
    ...(spec.formats.length === 0 ? {} : { formats: spec.formats }),
    ...(init ? { init } : {}),
    span,
  };
  return () => tensor(walk.emitter.stored(stored));
}

/** `sparse(block: [16, 16])`: the blocks fill the last two axes, where their sizes are numbers. */
function checkBlocks(walk: Walk, type: NamedType, axes: readonly Axis[], place: Place): void {
  for (const { name, args } of type.formats) {
    const block = args.find((argument) => argument.name?.text === "block")?.value;
    if (name.text !== "sparse" || block?.kind !== "list" || block.items.length !== 2) continue;
    block.items.forEach(({ value }, index) => {
      const axis = axes.at(index - 2);
      const size = axis?.size.constant;
      if (value.kind !== "number" || size === undefined || size % value.value === 0) return;
      const fault = `has blocks of ${value.text}, which do not divide ${axis!.name} = ${size}`;
      report(walk, "MOE2021", { format: "sparse", fault }, at(place, value));
    });
  }
}

function paramInit(member: ParamMember, walk: Walk, place: Place): StoredValue["init"] {
  if (!member.init) return undefined;
  const { init } = member;
  if (init.kind === "call" && init.callee.kind === "name" && init.callee.name.text === "normal" && init.args[0]) {
    const number = needNumber(walk, evaluate(walk, init.args[0].value, place), at(place, init.args[0].value));
    return { kind: "normal", deviation: number ? (valueOf(number) ?? 1) : 1 };
  }
  if (init.kind === "name" && (init.name.text === "ones" || init.name.text === "zeros")) {
    return { kind: "constant", value: init.name.text === "ones" ? 1 : 0 };
  }
  const number = needNumber(walk, evaluate(walk, init, place), at(place, init));
  return { kind: "constant", value: number ? (valueOf(number) ?? 0) : 0 };
}

function stateValue(walk: Walk, member: StateMember, place: Place): Value {
  const spec = resolveType(walk, member.type, place);
  if (spec.kind !== "tensor") {
    if (spec.kind !== "unknown") report(walk, "MOE2012", { name: member.name.text }, at(place, member.type));
    return unknown;
  }
  // The first axis of a cache grows with the calls; its name is the token axis of whoever appends.
  const fixed = spec.cache ? { ...spec, axes: spec.axes.slice(1) } : spec;
  const axes = known(walk, fixed, place);
  if (axes.length < fixed.axes.length) return unknown;
  const first = spec.cache ? spec.axes[0] : undefined;
  const number = member.init ? needNumber(walk, evaluate(walk, member.init, place), at(place, member.init)) : undefined;
  const state: StoredState = {
    path: joinPath(place.path, member.name.text),
    kind: spec.cache ? "cache" : "fixed",
    dtype: spec.dtype,
    axes: first ? [cacheAxis(first), ...axes] : axes,
    repetitions: place.repetitions,
    init: number ? (valueOf(number) ?? 0) : 0,
    span: at(place, member),
  };
  if (place.repetitions.some(({ kind }) => kind === "expert")) {
    return report(walk, "MOE2140", { name: member.name.text }, at(place, member.name));
  }
  return { kind: "state", state };
}

/** How many rows a cache has is known at run time only: positions before this call and the new ones. */
function cacheAxis(axis: AxisSpec) {
  return { name: axis.name, size: axis.size ?? Size.of("past") };
}
