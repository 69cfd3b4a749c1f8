/** Calls: of functions, of instances, of declarations (which make an instance), of stacks, of builtins. */
import type { Argument, CallExpression, Parameter } from "../../../grammar/tree.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { callBuiltin } from "../builtins/index.js";
import { appendsWithin } from "../cache-appends.js";
import { callKey, handedIn, recalled, remember } from "../call-memory.js";
import { learn } from "../assumptions.js";
import { AssumeDivisible, at, joinPath, noteBatch, type Place, type Walk } from "../context.js";
import { counted, describe, describeType } from "../describe.js";
import type { Emitted } from "../emitter.js";
import { Scope } from "../scope.js";
import {
  unknown,
  type ClosureValue,
  type InstanceValue,
  type MaskValue,
  type ModuleInfo,
  type OpaqueValue,
  type Value,
} from "../values.js";
import { bindRoutes, bindTensor, CallNames, decideOwnAxes } from "./binding.js";
import { bodyOf, functionClosure, isFunctionForm } from "./closures.js";
import { checkDerivedAxes, defineDerivedAxes } from "./derived-axes.js";
import { evaluate, evaluateWhole, needBoolean, needNumber, single } from "./evaluate.js";
import { markCalled } from "./indexing.js";
import { toMask } from "./masks.js";
import { instantiate } from "./modules.js";
import { acceptsContract, acceptsModule } from "./module-types.js";
import { callStack } from "./stacks.js";
import { axesOf, cast, expanded, ordered, renameAll, report, tensor } from "./tensors.js";
import { resolveType, type TypeSpec } from "./types.js";
import { callRecipe } from "../recipes/call.js";

/** Deeper than any sensible program, shallower than the stack of the host. */
const DEPTH_LIMIT = 200;

export interface CallArgument {
  readonly name?: string;
  /** The name it is written as, for `choose(p, top: k, renormalize)`: behind a named argument it names its parameter. */
  readonly pun?: string;
  readonly nameSpan?: SourceSpan;
  readonly value: Value;
  readonly span: SourceSpan;
}

export function evaluateArguments(walk: Walk, args: readonly Argument[], place: Place): CallArgument[] {
  return args.map((argument) => evaluatedArgument(walk, argument, place));
}

/** The same for what makes a module or a recipe: modules made in an argument live under the parameter's name. */
export function moduleArguments(
  walk: Walk,
  info: ModuleInfo,
  args: readonly Argument[],
  place: Place,
): readonly CallArgument[] {
  return args.map((argument, index) => {
    const param = argument.name?.text ?? info.decl.params[index]?.name.text ?? "";
    const inner = place.path === undefined ? place : { ...place, path: joinPath(place.path, param) };
    return evaluatedArgument(walk, argument, inner);
  });
}

function evaluatedArgument(walk: Walk, argument: Argument, place: Place): CallArgument {
  return {
    ...(argument.name ? { name: argument.name.text, nameSpan: at(place, argument.name) } : {}),
    ...(argument.value.kind === "name" ? { pun: argument.value.name.text } : {}),
    value: evaluate(walk, argument.value, place),
    span: at(place, argument.value),
  };
}

export function evaluateCall(walk: Walk, call: CallExpression, place: Place): Value {
  const value = evaluateCallee(walk, call, place);
  if (value.kind === "unknown") place.scope.taint();
  return value;
}

function evaluateCallee(walk: Walk, call: CallExpression, place: Place): Value {
  if (call.callee.kind === "index") markCalled(call.callee);
  const callee = evaluate(walk, call.callee, place);
  const span = at(place, call);
  switch (callee.kind) {
    case "unknown":
      for (const argument of call.args) evaluate(walk, argument.value, place);
      return unknown;
    case "builtin":
      return callBuiltin(walk, callee.name, call, place);
    case "declaration": {
      if (callee.info.decl.making) return callRecipe(walk, callee, call.args, span, place);
      if (isFunctionForm(callee.info.decl)) {
        const closure = functionClosure(callee.info, new Scope(callee.info.scope), callee.axes ?? new Map());
        return callClosure(walk, closure, evaluateArguments(walk, call.args, place), span, place);
      }
      return instantiate(walk, callee.info, callee.axes, call.args, span, place, at(place, call.callee));
    }
    case "closure":
      return callClosure(walk, callee, evaluateArguments(walk, call.args, place), span, place);
    case "instance":
    case "opaque":
      return callModule(walk, callee, evaluateArguments(walk, call.args, place), span, place);
    case "stack":
      return callStack(walk, callee, evaluateArguments(walk, call.args, place), span, place);
    default:
      for (const argument of call.args) evaluate(walk, argument.value, place);
      return report(walk, "MOE2110", { found: describe(walk, callee) }, at(place, call.callee), {
        ...(callee.kind === "bank"
          ? { help: "`mixture(x, route, experts)` applies those that a route chooses; layers are a `stack`" }
          : {}),
      });
  }
}

export function callModule(
  walk: Walk,
  module: InstanceValue | OpaqueValue,
  args: readonly CallArgument[],
  span: SourceSpan,
  place: Place,
): Value {
  if (module.kind === "opaque") return callOpaque(module, args);
  const body = bodyOf(module);
  if (!body) return report(walk, "MOE2111", { name: module.info.decl.name.text }, span);
  const result = callClosure(walk, body, args, span, place);
  // Behind the call: where its body has a choice among all tokens, that one is said.
  if (module.info.decl.batchDependent) {
    noteBatch(walk, { file: module.info.file, ...module.info.decl.name.span }, span);
  }
  return result;
}

/** A module of which only the contract is known gives what the contract promises. */
function callOpaque(module: OpaqueValue, args: readonly CallArgument[]): Value {
  const first = args[0]?.value;
  if (first?.kind !== "tensor" || first.value.type.kind !== "tensor") return unknown;
  if (module.contract === "matrix") {
    const [, to] = module.axes ?? [];
    if (!to?.name) return unknown;
    const axes = [...first.value.type.axes.slice(0, -1), { name: to.name, size: to.size }];
    return tensor({ type: { ...first.value.type, axes } });
  }
  return module.contract === "router" || module.contract === "fn" || module.contract === "mask" ? unknown : first;
}

/** What a call may name. */
function namesText(params: readonly string[]): string {
  return params.length === 0
    ? "it has no parameters"
    : `its parameters are ${params.map((name) => `\`${name}\``).join(", ")}`;
}

/** Pairs arguments with parameters; says what is missing, what is too much and what has no such name. */
export function pairArguments(
  walk: Walk,
  params: readonly Parameter[],
  args: readonly CallArgument[],
  callee: { readonly label: string; readonly file: string },
  span: SourceSpan,
): ReadonlyMap<string, CallArgument> {
  const paired = new Map<string, CallArgument>();
  let position = 0;
  let named = false;
  for (const argument of args) {
    named ||= argument.name !== undefined;
    if (argument.name === undefined) {
      const pun = named ? params.find(({ name }) => name.text === argument.pun && !paired.has(name.text)) : undefined;
      const param = pun ?? params[position++];
      if (param) paired.set(param.name.text, argument);
      else {
        const slots = { callee: callee.label, count: counted(params.length, "argument") };
        report(walk, "MOE2112", slots, argument.span, { help: namesText(params.map(({ name }) => name.text)) });
      }
      continue;
    }
    const param = params.find(({ name }) => name.text === argument.name);
    if (!param) {
      const known = params.map(({ name }) => name.text);
      report(walk, "MOE2113", { callee: callee.label, name: argument.name }, argument.nameSpan ?? argument.span, {
        help: namesText(known),
        fixes: known
          .filter((name) => !args.some((other) => other.name === name))
          .map((name) => ({
            title: `write \`${name}\``,
            edits: [{ span: argument.nameSpan ?? argument.span, text: name }],
          })),
      });
    } else if (paired.has(argument.name)) {
      report(walk, "MOE2114", { callee: callee.label, name: argument.name }, argument.nameSpan ?? argument.span);
    } else paired.set(argument.name, argument);
  }
  for (const param of params) {
    if (paired.has(param.name.text) || param.default) continue;
    report(walk, "MOE2115", { callee: callee.label, name: param.name.text }, span, {
      labels: [{ span: { file: callee.file, ...param.name.span }, text: "it has no default" }],
    });
  }
  return paired;
}

export function callClosure(
  walk: Walk,
  closure: ClosureValue,
  args: readonly CallArgument[],
  span: SourceSpan,
  place: Place,
): Value {
  if (walk.depth >= DEPTH_LIMIT) return report(walk, "MOE2116", { callee: closure.label }, span);
  const errors = walk.reporter.errors;
  const paired = pairArguments(walk, closure.params, args, closure, span);
  if (walk.reporter.errors > errors) return unknown;
  // What is made of something wrong is not looked at.
  if (args.some((argument) => argument.value.kind === "unknown")) return unknown;
  const names = new CallNames(closure);
  const scope = new Scope(closure.scope);
  const inner: Place = {
    scope,
    file: closure.file,
    ...(closure.instance ? { instance: closure.instance } : {}),
    repetitions: closure.instance?.repetitions ?? place.repetitions,
    batch: closure.lambda ? place.batch : [],
    ...(closure.openAxes ? { open: { callee: closure.label, axes: closure.openAxes } } : {}),
  };
  const bound: Value[] = [];
  for (const param of closure.params) {
    const argument = paired.get(param.name.text);
    const value = handedIn(walk, bindParameter(walk, param, argument, names, inner, span));
    scope.defineValue(param.name.text, value, { file: closure.file, ...param.name.span });
    if (value.kind === "unknown" && argument?.value.kind !== "unknown" && walk.reporter.errors > errors) return unknown;
    bound.push(value);
  }
  const lifted: Place = { ...inner, batch: [...inner.batch, ...names.batch.values()] };
  defineDerivedAxes(walk, closure, lifted);
  const result = bodyResult(walk, closure, bound, lifted, span);
  checkDerivedAxes(walk, closure, lifted);
  const typed = closure.result ? checkResult(walk, closure, result, lifted, names, span) : result;
  const back = renamedBack(walk, typed, names.back, span);
  knownAxes(back, place);
  return back;
}

/** Walks the body, or recalls what it gave to equal inputs. */
function bodyResult(walk: Walk, closure: ClosureValue, bound: readonly Value[], place: Place, span: SourceSpan): Value {
  const own = walk.reporter.isRoot({ file: closure.file, ...closure.body.span });
  const key = own ? undefined : callKey(walk, closure, bound);
  const known = key === undefined ? undefined : recalled(walk, closure, key, bound, span);
  if (known) return known;
  const { errors } = walk.reporter;
  const { batchDependent, cacheUsed } = walk;
  const appended = walk.appends.length;
  if (key !== undefined) {
    walk.batchDependent = undefined;
    walk.cacheUsed = undefined;
  }
  walk.depth++;
  const result = walk.reporter.within(span, () => learning(closure, () => evaluateWhole(walk, closure.body, place)));
  walk.depth--;
  if (key !== undefined && walk.reporter.errors === errors) {
    remember(closure, key, bound, result, {
      batchDependent: walk.batchDependent?.source,
      cacheUsed: walk.cacheUsed,
      appends: appendsWithin(walk, appended, closure.instance),
    });
  }
  // The first one counts.
  walk.batchDependent = batchDependent ?? walk.batchDependent;
  walk.cacheUsed = cacheUsed ?? walk.cacheUsed;
  return result;
}

/** A division of symbols on the way is remembered for the module that it happened in. */
function learning(closure: ClosureValue, body: () => Value): Value {
  try {
    return body();
  } catch (error) {
    const module = closure.instance;
    if (error instanceof AssumeDivisible && module) learn(module.info.decl, module.axes, error);
    throw error;
  }
}

/** Axes that a call makes are known to the caller from there on. */
function knownAxes(value: Value, place: Place): void {
  if (value.kind === "tuple") for (const item of value.items) knownAxes(item, place);
  if (value.kind !== "tensor") return;
  for (const axis of axesOf(value.value)) {
    if (!place.scope.lookup(axis.name))
      place.scope.defineValue(axis.name, { kind: "axis", name: axis.name, size: axis.size });
  }
}

function bindParameter(
  walk: Walk,
  param: Parameter,
  given: CallArgument | undefined,
  names: CallNames,
  inner: Place,
  span: SourceSpan,
): Value {
  const parameterSpan = { file: names.closure.file, ...param.name.span };
  const value = given?.value ?? (param.default ? evaluate(walk, param.default, inner) : unknown);
  const argument = { value, span: given?.span ?? span };
  const { type } = param;
  if (!type) return value;
  decideOwnAxes(type, value, names, inner);
  const spec = walk.reporter.within(span, () => resolveType(walk, type, inner));
  return bindToSpec(walk, spec, argument, { name: param.name.text, span: parameterSpan }, names, inner);
}

/** Checks an argument against a declared type and gives it the names of the body. */
export function bindToSpec(
  walk: Walk,
  spec: TypeSpec,
  argument: { readonly value: Value; readonly span: SourceSpan },
  parameter: { readonly name: string; readonly span: SourceSpan },
  names: CallNames,
  place: Place,
): Value {
  const { value, span } = argument;
  if (value.kind === "unknown") return value;
  const refuse = (): Value =>
    report(walk, "MOE2103", { name: parameter.name, callee: names.closure.label, found: describe(walk, value) }, span, {
      labels: [{ span: parameter.span, text: "the parameter is declared here" }],
    });
  switch (spec.kind) {
    case "tensor":
      return bindTensor(walk, spec, argument, parameter, names, place);
    case "routes":
      return bindRoutes(walk, spec.experts, argument, parameter, names, place);
    case "number": {
      if (value.kind === "tensor" && value.value.type.kind === "tensor") {
        const { dtype, axes } = value.value.type;
        // A number for each token: the body is lifted over them.
        for (const axis of axes) names.batch.set(axis.name, axis);
        if (dtype === (spec.integer ? "i32" : "f32")) return value;
        return spec.integer ? refuse() : tensor(cast(walk, value.value, "f32", span));
      }
      const number = needNumber(walk, value, span);
      if (!number) return unknown;
      if (spec.integer && number.kind === "real" && number.value !== undefined) return refuse();
      if (spec.integer && number.kind === "exact" && number.bottom.constant !== 1 && !walk.options.generic)
        return refuse();
      return {
        kind: "number",
        number: spec.integer || number.kind === "real" ? number : { ...number, integer: false },
      };
    }
    case "boolean":
      if (value.kind === "tensor" || value.kind === "boolean") return value;
      needBoolean(walk, value, span);
      return unknown;
    case "string":
      return value.kind === "string" ? value : refuse();
    case "contract":
      if (spec.contract === "mask") {
        const errors = walk.reporter.errors;
        const mask = toMask(walk, value, span);
        return mask ?? (walk.reporter.errors > errors ? unknown : refuse());
      }
      return acceptsContract(spec.contract, value) ? value : refuse();
    case "module":
      return acceptsModule(walk, spec, value, argument.span, place) ? value : refuse();
    case "tuple":
      if (value.kind !== "tuple" || value.items.length !== spec.items.length) return refuse();
      return {
        kind: "tuple",
        items: value.items.map((item, index) =>
          bindToSpec(walk, spec.items[index]!, { value: item, span }, parameter, names, place),
        ),
      };
    case "unknown":
      return value;
    default:
      return spec satisfies never;
  }
}

/** A declared result: the type must be the one promised; the order of its axes is made so. */
function checkResult(
  walk: Walk,
  closure: ClosureValue,
  whole: Value,
  place: Place,
  names: CallNames,
  call: SourceSpan,
): Value {
  const result = single(whole);
  const spec = walk.reporter.within(call, () => resolveType(walk, closure.result!, place));
  if (spec.kind !== "tensor" || result.kind !== "tensor" || result.value.type.kind !== "tensor") return whole;
  const span = { file: closure.file, ...closure.body.span };
  const resultSpan = { file: closure.file, ...closure.result!.span };
  const { axes, dtype } = result.value.type;
  const declared = spec.axes.map((axis) => axis.name);
  // Outside of a mixture the parts of an expert are asked for all experts at once: their axis passes through.
  const repeated = closure.instance?.repetitions.map((repetition) => repetition.axis.name) ?? [];
  const extra = axes.filter(
    ({ name }) => !declared.includes(name) && !names.batch.has(name) && !repeated.includes(name),
  );
  const wrong = spec.axes.some((axis) => {
    const found = axes.find(({ name }) => name === axis.name);
    return !found || (axis.size !== undefined && !axis.size.equals(found.size));
  });
  if (extra.length > 0 || wrong || dtype !== spec.dtype) {
    return report(walk, "MOE2117", { callee: closure.label, found: describeType(walk, result.value.type) }, span, {
      labels: [{ span: resultSpan, text: "the result is declared here" }],
    });
  }
  const order = [...axes.map((axis) => axis.name).filter((name) => !declared.includes(name)), ...declared];
  return tensor(ordered(walk, result.value, order, span));
}

function renamedBack(walk: Walk, value: Value, back: ReadonlyMap<string, string>, span: SourceSpan): Value {
  if (value.kind === "tensor") return { ...value, value: renameAll(walk, value.value, back, span) };
  if (value.kind === "mask") return maskBack(walk, value, back, span);
  if (value.kind !== "tuple") return value;
  return { ...value, items: value.items.map((item) => renamedBack(walk, item, back, span)) };
}

/** The tensors inside a mask get the caller's names too. */
function maskBack(walk: Walk, mask: MaskValue, back: ReadonlyMap<string, string>, span: SourceSpan): MaskValue {
  switch (mask.form) {
    case "leaf":
      return mask;
    case "keep":
      return { ...mask, keep: renameAll(walk, mask.keep, back, span) };
    case "not":
      return { ...mask, operand: maskBack(walk, mask.operand, back, span) };
    case "and":
    case "or":
      return { ...mask, left: maskBack(walk, mask.left, back, span), right: maskBack(walk, mask.right, back, span) };
    default:
      return mask satisfies never;
  }
}

/** Gives a value exactly these axes, for places where a region's type is fixed. */
export function shaped(walk: Walk, value: Emitted, like: Emitted, span: SourceSpan): Emitted {
  return like.type.kind === "tensor" ? expanded(walk, value, axesOf(like), span) : value;
}
