/** Instances of declarations: axes and arguments are bound, members stand ready to be evaluated at their first use. */
import type { Argument, AxisParam, IndexExpression, Parameter } from "../../../grammar/tree.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { inherit } from "../assumptions.js";
import { counted } from "../describe.js";
import { at, joinPath, type Place, type Walk } from "../context.js";
import type { StoredValue } from "../emitter.js";
import { sizeOf } from "../numbers.js";
import { Scope } from "../scope.js";
import { unknown, type AxisArgument, type InstanceValue, type ModuleInfo, type Value } from "../values.js";
import { CallNames } from "./binding.js";
import { bindToSpec, moduleArguments, pairArguments, type CallArgument } from "./calls.js";
import { headClosure, isFunctionForm } from "./closures.js";
import { evaluate, needNumber, needSize } from "./evaluate.js";
import { defineMembers } from "./members.js";
import { suggestName } from "./names.js";
import { report, tensor } from "./tensors.js";
import { resolveType } from "./types.js";
import { keyOf } from "./keys.js";

/** `TopK[D, E]`: the axes given in brackets, by position or by name; undefined when one of them is wrong. */
export function axisArguments(
  walk: Walk,
  info: ModuleInfo,
  expression: IndexExpression,
  place: Place,
): ReadonlyMap<string, AxisArgument> | undefined {
  const given = new Map<string, AxisArgument>();
  const { axes, name } = info.decl;
  const errors = walk.reporter.errors;
  let position = 0;
  let failed = false;
  for (const entry of expression.entries) {
    if (entry.kind === "rename" || entry.kind === "pick") {
      report(walk, "MOE2120", { name: name.text }, at(place, entry));
      continue;
    }
    const param: AxisParam | undefined =
      entry.kind === "named" ? axes.find((axis) => axis.name.text === entry.name.text) : axes[position++];
    if (!param) {
      if (entry.kind === "named") {
        const candidates = axes.map((axis) => axis.name.text);
        report(walk, "MOE2121", { name: name.text, axis: entry.name.text }, at(place, entry.name), {
          ...suggestName(walk, place, entry.name, candidates),
          help: `its axes are ${candidates.map((axis) => `\`${axis}\``).join(", ")}`,
        });
      } else {
        const slots = { name: name.text, count: counted(axes.length, "axis", "axes") };
        const names = axes.map((axis) => `\`${axis.name.text}\``).join(", ");
        report(walk, "MOE2122", slots, at(place, entry), names === "" ? {} : { help: `its axes are ${names}` });
      }
      continue;
    }
    const span = at(place, entry.value);
    const value = evaluate(walk, entry.value, place);
    if (value.kind === "axis") given.set(param.name.text, { size: value.size, name: value.name, span });
    else {
      const size = needSize(walk, value, span);
      if (size) given.set(param.name.text, { size, span });
      else failed = true;
    }
  }
  return walk.reporter.errors > errors || failed ? undefined : given;
}

export function instantiate(
  walk: Walk,
  info: ModuleInfo,
  axes: ReadonlyMap<string, AxisArgument> | undefined,
  args: readonly Argument[],
  span: SourceSpan,
  place: Place,
  calleeSpan: SourceSpan = span,
): Value {
  const evaluated = moduleArguments(walk, info, args, place);
  return makeInstance(walk, info, axes ?? new Map(), evaluated, span, place, calleeSpan);
}

/** Makes the instance. A declaration that is another name for a module (`block Big = Small[4096]`) gives that one. */
export function makeInstance(
  walk: Walk,
  info: ModuleInfo,
  given: ReadonlyMap<string, AxisArgument>,
  args: readonly CallArgument[],
  span: SourceSpan,
  place: Place,
  calleeSpan: SourceSpan = span,
): Value {
  const { decl } = info;
  const scope = new Scope(info.scope);
  const path = place.path ?? "";
  const inner: Place = { scope, file: info.file, path, repetitions: place.repetitions, batch: [] };
  const axes = new Map<string, AxisArgument>();
  for (const param of decl.axes) {
    const name = param.name.text;
    let axis = given.get(name);
    if (!axis && param.default) {
      const size = needSize(walk, evaluate(walk, param.default, inner), at(inner, param.default));
      if (size) axis = { size, span: at(inner, param.default) };
    }
    if (!axis) {
      if (given.size > 0 || decl.axes.length > 0) {
        report(walk, "MOE2123", { name: decl.name.text, axis: name }, calleeSpan, {
          labels: [{ span: { file: info.file, ...param.span }, text: "the axis is declared here" }],
          ...(given.size === 0
            ? {
                help: `axes stand in brackets: \`${decl.name.text}[${decl.axes.map((each) => each.name.text).join(", ")}]\``,
              }
            : {}),
        });
      }
      return unknown;
    }
    axes.set(name, axis);
    scope.defineValue(name, { kind: "axis", name, size: axis.size }, { file: info.file, ...param.name.span });
  }
  if (walk.options.generic) {
    walk.made.push({ decl, axes });
    inherit(walk, decl, axes);
  }
  const label = `\`${decl.name.text}\``;
  const errors = walk.reporter.errors;
  const params = decl.value && decl.value.kind === "lambda" && decl.value.params === decl.params ? [] : decl.params;
  const paired = pairArguments(walk, params, args, { label, file: info.file }, span);
  if (walk.reporter.errors > errors) return unknown;
  const values = new Map<string, Value>();
  const names = new CallNames(headClosure(info, params, scope, axes));
  for (const param of params) {
    const value = parameterValue(walk, param, paired.get(param.name.text), names, inner, span);
    values.set(param.name.text, value);
    const parameterSpan = { file: info.file, ...param.name.span };
    if (param.knob) defineKnob(walk, param, value, inner, scope, parameterSpan);
    else scope.defineValue(param.name.text, value, parameterSpan);
  }
  let key: string | undefined;
  const instance: InstanceValue = {
    kind: "instance",
    info,
    axes,
    args: values,
    defaults: new Set([...values.keys()].filter((name) => !paired.has(name))),
    path,
    repetitions: place.repetitions,
    scope,
    // Most instances are never asked for theirs.
    get key() {
      return (key ??= keyOf(info, axes, values));
    },
  };
  defineMembers(walk, instance);
  if (decl.value && decl.value.kind !== "lambda") return evaluate(walk, decl.value, { ...inner, instance });
  return instance;
}

/** A declaration named without brackets and arguments is an instance where it needs neither. */
export function bareInstance(walk: Walk, value: Value, span: SourceSpan, place: Place): Value {
  if (value.kind !== "declaration" || isFunctionForm(value.info.decl)) return value;
  return makeInstance(walk, value.info, value.axes ?? new Map(), [], span, place);
}

function parameterValue(
  walk: Walk,
  param: Parameter,
  given: CallArgument | undefined,
  names: CallNames,
  inner: Place,
  span: SourceSpan,
): Value {
  const parameterSpan = { file: inner.file, ...param.name.span };
  const own = { ...inner, path: joinPath(inner.path, param.name.text) };
  const value = given?.value ?? (param.default ? evaluate(walk, param.default, own) : unknown);
  if (!param.type) return value;
  const spec = resolveType(walk, param.type, inner);
  return bindToSpec(
    walk,
    spec,
    { value, span: given?.span ?? span },
    { name: param.name.text, span: parameterSpan },
    names,
    inner,
  );
}

/** A knob parameter: its argument is the default, its range bounds what depends on it. */
function defineKnob(walk: Walk, param: Parameter, value: Value, inner: Place, scope: Scope, span: SourceSpan): void {
  if (value.kind === "unknown") {
    scope.defineValue(param.name.text, unknown, span);
    return;
  }
  const number = needNumber(walk, value, span);
  const whole = param.type?.kind === "named-type" && param.type.name?.text === "int";
  const stored = knobValue(
    walk,
    param.name.text,
    number ? numberOf(number) : 0,
    whole,
    param.range ?? undefined,
    inner,
    span,
  );
  scope.define(param.name.text, { value: () => stored.value(), span });
}

function numberOf(number: NonNullable<ReturnType<typeof needNumber>>): number {
  if (number.kind === "real") return number.value ?? 0;
  return (number.top.constant ?? 1) / (number.bottom.constant ?? 1);
}

/** The record of a knob and how to read it. */
export function knobValue(
  walk: Walk,
  name: string,
  init: number,
  whole: boolean,
  range: { readonly from: Parameter["default"] & object; readonly to: Parameter["default"] & object } | undefined,
  inner: Place,
  span: SourceSpan,
  axes: StoredValue["axes"] = [],
): { readonly value: () => Value } {
  const from = range && needNumber(walk, evaluate(walk, range.from, inner), at(inner, range.from));
  const to = range && needNumber(walk, evaluate(walk, range.to, inner), at(inner, range.to));
  if (range && !(from && to)) return { value: () => unknown };
  const top = to && sizeOf(to);
  const stored: StoredValue = {
    kind: "knob",
    path: joinPath(inner.path, name),
    dtype: whole ? "i32" : "f32",
    axes,
    repetitions: inner.repetitions,
    init: { kind: "constant", value: init },
    ...(from && to ? { range: [numberOf(from), numberOf(to)] as const } : {}),
    span,
  };
  return {
    value: () => {
      const read = tensor(walk.emitter.stored(stored));
      return whole && top ? { ...read, bound: top } : read;
    },
  };
}
