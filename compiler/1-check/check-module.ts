/** One declaration, checked for all values of its sizes and parameters. */
import type { MethodMember, ModuleDecl } from "../../grammar/tree.js";
import { Size } from "../axes/size.js";
import type { SourceSpan } from "../errors/diagnostic.js";
import type { ValueType } from "../ops/types.js";
import { checkAppends } from "./cache-appends.js";
import { AssumeDivisible, newWalk, type Place, type Walk } from "./context.js";
import { divisorsOf, extended, foreseen, products, rememberDivisors, type Divisors } from "./assumptions.js";
import { checkContract } from "./contracts.js";
import { checkDeclaredValues } from "./declared-values.js";
import { checkDuplicates } from "./duplicates.js";
import { InfoSink } from "./info.js";
import { Reporter, type Finding } from "./reporter.js";
import { Scope } from "./scope.js";
import { TypeEmitter } from "./type-emitter.js";
import { integer } from "./numbers.js";
import {
  numberValue,
  unknown,
  type AxisArgument,
  type ClosureValue,
  type InstanceValue,
  type ModuleInfo,
  type Value,
} from "./values.js";
import { callClosure, type CallArgument } from "./elaborate/calls.js";
import { openAxes } from "./elaborate/binding.js";
import { bodyOf, functionClosure, isFunctionForm, methodClosure } from "./elaborate/closures.js";
import { derivedAxes } from "./elaborate/derived-axes.js";
import { evaluate, needSize } from "./elaborate/evaluate.js";
import { genericParameter } from "./elaborate/generic.js";
import { makeInstance } from "./elaborate/modules.js";
import { tensor } from "./elaborate/tensors.js";
import { resolveType, type TypeSpec } from "./elaborate/types.js";
import { makeByRecipe } from "./recipes/make.js";
import { checkWeights } from "./weights.js";

export interface CheckOutcome {
  readonly findings: readonly Finding[];
}

/** More restarts than a declaration can have divisions. */
const RESTARTS = 32;

/** A walk that derives types. */
export function typeWalk(
  root: SourceSpan,
  generic: boolean,
  info: InfoSink | undefined,
  assumed: ReadonlyMap<string, Size>,
): Walk {
  const options = { mode: "infer", phase: "prefill", generic, checking: true } as const;
  return newWalk(new TypeEmitter(), new Reporter(root), options, { info, assumed });
}

/** Runs a check, again with one more assumption each time it divides symbols. */
export function withAssumptions(
  root: SourceSpan,
  generic: boolean,
  info: InfoSink | undefined,
  body: (walk: Walk) => void,
  decl?: ModuleDecl,
): Walk {
  let divisors: Divisors = (decl && divisorsOf(decl)) ?? new Map<string, Size>();
  for (let attempt = 0; ; attempt++) {
    const own = info && new InfoSink(info.file, root);
    const walk = typeWalk(root, generic, own, products(divisors));
    try {
      body(walk);
      if (own) info.adopt(own);
      return walk;
    } catch (error) {
      if (!(error instanceof AssumeDivisible) || attempt > RESTARTS) throw error;
      divisors = extended(divisors, walk, error);
      if (decl) rememberDivisors(decl, divisors);
    }
  }
}

export function symbol(walk: Walk, name: string): Size {
  return walk.assumed.get(name) ?? Size.of(name);
}

/** True when every size of a model is given, so that it is checked for these. */
function isConcrete(decl: ModuleDecl): boolean {
  return (
    decl.contract === "model" && decl.axes.every((axis) => axis.default) && decl.params.every((param) => param.default)
  );
}

export function checkModule(info: ModuleInfo, sink: InfoSink | undefined): CheckOutcome {
  const root = { file: info.file, start: info.decl.span.start, end: info.decl.span.end };
  const generic = !isConcrete(info.decl);
  if (generic && !divisorsOf(info.decl)) {
    const divisors = foreseen(info);
    if (divisors.size > 0) rememberDivisors(info.decl, divisors);
  }
  const walk = withAssumptions(root, generic, sink, (current) => walkModule(current, info), info.decl);
  const { findings } = walk.reporter;
  // Sizes that a declaration proposes itself must work as well as all others.
  const proposes = info.decl.contract !== "model" && info.decl.axes.some((axis) => axis.default);
  if (findings.length > 0 || !proposes) return { findings };
  const again = withAssumptions(root, true, undefined, (current) => walkModule(current, info, true), info.decl);
  return { findings: again.reporter.findings };
}

function walkModule(walk: Walk, info: ModuleInfo, proposed = false): void {
  const { decl } = info;
  if (checkDuplicates(walk, info)) return;
  checkDeclaredValues(walk.reporter, info);
  for (const member of decl.members ?? []) {
    if (member.kind === "grad")
      walk.reporter.report("MOE2200", { name: member.name.text }, { file: info.file, ...member.name.span });
  }
  if (decl.making) {
    const place: Place = { scope: info.scope, file: info.file, path: "", repetitions: [], batch: [] };
    makeByRecipe(walk, {
      info,
      axes: genericAxes(walk, info, proposed),
      span: { file: info.file, ...decl.name.span },
      place,
    });
    return;
  }
  if (isFunctionForm(decl)) {
    const scope = new Scope(info.scope);
    const axes = genericAxes(walk, info, proposed);
    for (const [name, axis] of axes) {
      scope.defineValue(name, { kind: "axis", name, size: axis.size }, axis.span);
    }
    const closure = functionClosure(info, scope, axes);
    const result = walkClosure(walk, closure, { file: info.file, ...decl.name.span });
    checkContract(walk, info, result);
    return;
  }
  const instance = genericInstance(walk, info, proposed);
  if (instance?.kind !== "instance") return;
  if (instance.info !== info) return;
  // A derived axis may depend on what a call decides: with a body, that says what is wrong with it.
  const hasBody = decl.members?.some((member) => member.kind === "method");
  const derived = new Set(hasBody ? derivedAxes(decl).map(({ name }) => name.text) : []);
  for (const name of instance.scope.ownNames()) if (!derived.has(name)) instance.scope.own(name)?.value();
  let result: Value | undefined;
  for (const method of decl.members?.filter((member) => member.kind === "method") ?? []) {
    walk.batchDependent = undefined;
    walk.cacheUsed = undefined;
    walk.appends.length = 0;
    const value = walkMethod(walk, instance, method);
    if (decl.contract === "model") {
      checkDecoding(walk);
      checkAppends(walk);
    }
    if (!method.name) result = value;
  }
  const body = bodyOf(instance);
  if (body && decl.value) result = walkClosure(walk, body, { file: info.file, ...decl.value.span });
  checkContract(walk, info, result);
  if (decl.contract === "model") checkWeights(walk, instance);
}

/** A choice among all tokens is another one token by token, so it cannot stand beside a cache. */
export function checkDecoding(walk: Walk): void {
  if (!walk.batchDependent || !walk.cacheUsed) return;
  const { place, source } = walk.batchDependent;
  walk.reporter.report("MOE2145", {}, place, {
    labels: [
      ...(source.start === place.start && source.file === place.file
        ? []
        : [{ span: source, text: "tokens are chosen among each other here" }]),
      { span: walk.cacheUsed, text: "rows of earlier calls are kept here" },
    ],
  });
}

function walkMethod(walk: Walk, instance: InstanceValue, method: MethodMember): Value {
  return walkClosure(walk, methodClosure(instance, method), { file: instance.info.file, ...method.span });
}

/** Symbols for the axes, or the sizes that the declaration proposes. */
function genericAxes(walk: Walk, info: ModuleInfo, proposed: boolean): Map<string, AxisArgument> {
  const scope = new Scope(info.scope);
  const place: Place = { scope, file: info.file, repetitions: [], batch: [] };
  return new Map(
    info.decl.axes.map((axis) => {
      const name = axis.name.text;
      const span = { file: info.file, ...axis.name.span };
      const own = proposed && axis.default ? needSize(walk, evaluate(walk, axis.default, place), span) : undefined;
      const size = own ?? symbol(walk, name);
      scope.defineValue(name, { kind: "axis", name, size }, span);
      return [name, { size, name, span }] as const;
    }),
  );
}

/** An instance with symbols for its sizes and parameters; the defaults of a model that has them all. */
export function genericInstance(walk: Walk, info: ModuleInfo, proposed: boolean): Value {
  const span = { file: info.file, ...info.decl.name.span };
  const place: Place = { scope: info.scope, file: info.file, path: "", repetitions: [], batch: [] };
  if (!walk.options.generic) return makeInstance(walk, info, new Map(), [], span, place);
  const axes = genericAxes(walk, info, proposed);
  const scope = new Scope(info.scope);
  for (const [name, axis] of axes) scope.defineValue(name, { kind: "axis", name, size: axis.size }, axis.span);
  const inner: Place = { ...place, scope };
  const args = info.decl.params.map((param): CallArgument => {
    // What a parameter is when nothing is given is checked as well.
    if (param.default) evaluate(walk, param.default, inner);
    return { name: param.name.text, value: genericParameter(walk, param, inner, [info]), span };
  });
  return makeInstance(walk, info, axes, args, span, place);
}

/** Calls a body with inputs of its declared types. */
export function walkClosure(walk: Walk, closure: ClosureValue, span: SourceSpan): Value {
  const scope = new Scope(closure.scope);
  const place: Place = {
    scope,
    file: closure.file,
    ...(closure.instance ? { instance: closure.instance } : {}),
    repetitions: [],
    batch: [],
  };
  const specs = closure.params.map((param) => {
    const decide = (name: string, at: SourceSpan): void => {
      walk.free.add(name);
      scope.defineValue(name, { kind: "axis", name, size: Size.of(name) }, at);
    };
    for (const use of param.type?.kind === "named-type" ? openAxes(param.type.axes ?? [], place) : [])
      decide(use.name!.text, { file: closure.file, ...use.span });
    const spec = param.type ? resolveType(walk, param.type, place) : undefined;
    // An axis that one parameter decides is known to the types of those behind it.
    for (const axis of spec?.kind === "tensor" ? spec.axes : []) {
      if (!axis.size && !axis.failed) decide(axis.name, axis.span);
    }
    return spec;
  });
  const tokens = specs.flatMap((spec) =>
    spec?.kind === "tensor"
      ? spec.axes.filter(({ name }) => scope.own(name) !== undefined).map(({ name }) => name)
      : [],
  );
  const input = closure.instance?.info.decl.contract === "model";
  const args = closure.params.map((param, index): CallArgument => {
    const spec = specs[index];
    const paramSpan = { file: closure.file, ...param.span };
    return { value: inputValue(walk, spec, param.name.text, [...new Set(tokens)], paramSpan, input), span: paramSpan };
  });
  return callClosure(walk, closure, args, span, { ...place, scope: closure.scope });
}

/** A value of a declared type with symbols for the sizes that a call decides. */
function inputValue(
  walk: Walk,
  spec: TypeSpec | undefined,
  name: string,
  tokens: readonly string[],
  span: SourceSpan,
  input: boolean,
): Value {
  const make = (type: ValueType): Value => tensor({ type, source: span });
  const free = (axis: string): Size => {
    walk.free.add(axis);
    return Size.of(axis);
  };
  switch (spec?.kind) {
    case undefined:
      return make({ kind: "tensor", dtype: "i32", axes: [] });
    case "tensor":
      if (spec.axes.some((axis) => axis.failed)) return unknown;
      return make({
        kind: "tensor",
        dtype: spec.dtype,
        axes: spec.axes.map((axis) => ({ name: axis.name, size: axis.size ?? free(axis.name) })),
      });
    case "routes":
      return make({
        kind: "routes",
        tokens: tokens.map((token) => ({ name: token, size: free(token) })),
        experts: { name: spec.experts?.name ?? "E", size: spec.experts?.size ?? free(spec.experts?.name ?? "E") },
        slots: Size.of("slots"),
      });
    case "number":
      // A model is called with numbers at run time, anything else with numbers known before.
      if (input) return make({ kind: "tensor", dtype: spec.integer ? "i32" : "f32", axes: [] });
      return numberValue({ ...integer(Size.of(name)), integer: spec.integer });
    case "boolean":
      return { kind: "boolean", value: undefined };
    case "string":
      return { kind: "string", value: "" };
    case "contract":
      return { kind: "opaque", contract: spec.contract };
    case "tuple":
      return { kind: "tuple", items: spec.items.map((item) => inputValue(walk, item, name, tokens, span, input)) };
    case "module":
    case "unknown":
      return unknown;
    default:
      return spec satisfies never;
  }
}
