/**
 * Stacks of layers. Layers whose bodies are equal up to what they own become one run: a single region with stacked
 * parameters. Where the body depends on the layer (`if l < 3 then … else …`), each stretch of equal bodies is a run, and
 * so is a stretch in which bodies take turns (`if l % 2 == 0 then A else B` is one region of an A and a B).
 */
import type { CarryBinding, StackMember } from "../../../grammar/tree.js";
import { Size } from "../../axes/size.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, joinPath, type Place, type Walk } from "../context.js";
import { counted, describe, describeType } from "../describe.js";
import { repeatAppends } from "../cache-appends.js";
import type { Emitted, Repetition } from "../emitter.js";
import { integer, sizeOf } from "../numbers.js";
import { Scope } from "../scope.js";
import {
  numberValue,
  unknown,
  type InstanceValue,
  type LayerModule,
  type StackRun,
  type StackValue,
  type Value,
} from "../values.js";
import { callModule, shaped, type CallArgument } from "./calls.js";
import { bodyOf } from "./closures.js";
import { evaluate, needSize } from "./evaluate.js";
import { valueKey } from "./keys.js";
import { bareInstance } from "./modules.js";
import { periodsOf } from "./periods.js";
import { allNames, asTensor, axesOf, emit, expanded, fresh, report, tensor } from "./tensors.js";
import { sameType } from "./same-type.js";
import { resolveType } from "./types.js";

export function makeStack(walk: Walk, member: StackMember, owner: InstanceValue, place: Place): Value {
  const path = joinPath(place.path, member.name.text);
  const bounds = layerBounds(walk, member, place);
  if (!bounds) return unknown;
  const { from, count, axis } = bounds;
  const free = fresh(
    axis ?? "L",
    place.repetitions.map((repetition) => repetition.axis.name),
  );
  const layer = (index: Size, runPath: string, repetition: Repetition): Value => {
    const scope = new Scope(place.scope);
    if (member.index) scope.defineValue(member.index.text, numberValue(integer(index)), at(place, member.index));
    const inner = { ...place, scope, path: runPath, repetitions: [...place.repetitions, repetition] };
    return bareInstance(walk, evaluate(walk, member.body, inner), at(place, member.body), inner);
  };
  const bodySpan = at(place, member.body);
  const total = count.constant;
  const first = from.constant;
  const isOne = !member.index || total === undefined || first === undefined;
  // One body for all layers; with a symbolic count the index is a symbol too.
  const start = isOne && member.index && total === undefined ? Size.of(member.index.text) : from;
  const periods = isOne
    ? [{ start: 0, length: 1, turns: count }]
    : layerPeriods(total, (index) => {
        const probe: Repetition = { kind: "layer", path, axis: { name: free, size: Size.one } };
        return valueKey(layer(Size.of(first + index), path, probe));
      });
  const runs: StackRun[] = [];
  for (const period of periods) {
    const numbered = (index: number): string => joinPath(path, String((first ?? 0) + index));
    const loopPath = periods.length === 1 ? path : numbered(period.start);
    const isNumbered = periods.length > 1 || period.length > 1;
    const repetition: Repetition = {
      kind: "layer",
      path: loopPath,
      axis: { name: free, size: period.turns },
      layers: { stack: path, first: isNumbered ? undefined : first, step: period.length },
    };
    const modules: LayerModule[] = [];
    for (let index = period.start; index < period.start + period.length; index++) {
      const module = layer(start.plus(Size.of(index)), period.length === 1 ? loopPath : numbered(index), repetition);
      if (module.kind !== "instance" && module.kind !== "opaque") {
        if (module.kind !== "unknown") report(walk, "MOE2132", { found: describe(walk, module) }, bodySpan);
        return unknown;
      }
      modules.push(module);
    }
    runs.push({ from: start.plus(Size.of(period.start)), turns: period.turns, repetition, modules });
  }
  return { kind: "stack", member, owner, path, runs, carry: member.carry };
}

/** The loops that the layers make, by what tells their bodies apart. */
function layerPeriods(total: number, keyAt: (index: number) => string) {
  const periods = periodsOf(Array.from({ length: total }, (_, index) => keyAt(index)));
  return periods.map((period) => ({ ...period, turns: Size.of(period.turns) }));
}

function layerBounds(
  walk: Walk,
  member: StackMember,
  place: Place,
): { readonly from: Size; readonly count: Size; readonly axis?: string } | undefined {
  const span = at(place, member.count);
  const value = evaluate(walk, member.count, place);
  if (value.kind === "range") {
    const from = sizeOf(value.from);
    const to = sizeOf(value.to);
    if (!from || !to) return undefined;
    const last = member.count.kind === "range" ? member.count.to : undefined;
    const axis = from.constant === 0 && last?.kind === "name" ? last.name.text : undefined;
    return checkCount(walk, { from, count: to.minus(from), ...(axis === undefined ? {} : { axis }) }, span);
  }
  const count = needSize(walk, value, span);
  if (!count) return undefined;
  return checkCount(walk, { from: Size.zero, count, ...(value.kind === "axis" ? { axis: value.name } : {}) }, span);
}

function checkCount<B extends { readonly count: Size }>(walk: Walk, bounds: B, span: SourceSpan): B | undefined {
  const { constant } = bounds.count;
  if (constant === undefined || constant >= 1) return bounds;
  report(walk, "MOE2133", { count: constant }, span);
  return undefined;
}

/** Runs all layers. The result is the stream, with the carried values behind it. */
export function callStack(
  walk: Walk,
  stack: StackValue,
  args: readonly CallArgument[],
  span: SourceSpan,
  place: Place,
): Value {
  const [first, ...rest] = args;
  if (!first) return report(walk, "MOE2115", { callee: `\`${stack.member.name.text}\``, name: "stream" }, span);
  const stream = asTensor(walk, first.value, first.span, "f32");
  if (!stream) {
    if (first.value.kind !== "unknown") report(walk, "MOE2080", { found: describe(walk, first.value) }, first.span);
    return unknown;
  }
  const scope = new Scope(stack.owner.scope);
  scope.defineValue("stream", tensor(stream), first.span);
  for (const axis of axesOf(stream)) {
    if (!scope.lookup(axis.name)) scope.defineValue(axis.name, { kind: "axis", name: axis.name, size: axis.size });
  }
  const inner: Place = {
    scope,
    file: stack.owner.info.file,
    instance: stack.owner,
    repetitions: stack.owner.repetitions,
    batch: place.batch,
  };
  let carried: Emitted[] = [stream];
  for (const carry of stack.carry) {
    const given = rest.find((argument) => argument.name === carry.name.text);
    const value = carryStart(walk, carry, given, inner);
    if (!value) return unknown;
    carried.push(value);
  }
  for (const argument of rest) {
    const known = stack.carry.some((carry) => carry.name.text === argument.name);
    if (!known)
      report(walk, "MOE2113", { callee: `\`${stack.member.name.text}\``, name: argument.name ?? "" }, argument.span);
  }
  for (const run of stack.runs) {
    const next = runLayers(walk, stack, run, carried, span, place);
    if (!next) return unknown;
    carried = [...next];
  }
  return carried.length === 1
    ? tensor(carried[0]!)
    : { kind: "tuple", items: carried.map((value) => tensor(value)), stream: true };
}

/** The first value of something carried: as declared, or as given at the call. */
export function carryStart(
  walk: Walk,
  carry: CarryBinding,
  given: CallArgument | undefined,
  place: Place,
): Emitted | undefined {
  const span = given?.span ?? at(place, carry.init);
  const value = given?.value ?? evaluate(walk, carry.init, place);
  if (value.kind === "unknown") return undefined;
  const spec = carry.type ? resolveType(walk, carry.type, place) : undefined;
  const result = asTensor(walk, value, span, spec?.kind === "tensor" ? spec.dtype : "f32");
  if (!result) {
    report(walk, "MOE2080", { found: describe(walk, value) }, span);
    return undefined;
  }
  if (spec?.kind !== "tensor" || result.type.kind !== "tensor") return result;
  const missing = spec.axes.find((axis) => !axis.size && !allNames(result).includes(axis.name));
  if (missing) {
    if (!missing.failed && !place.scope.tainted) report(walk, "MOE2011", { name: missing.name }, missing.span);
    return undefined;
  }
  const axes = spec.axes.map((axis) => ({
    name: axis.name,
    size: axis.size ?? axesOf(result).find(({ name }) => name === axis.name)!.size,
  }));
  const strange = axesOf(result).find(
    (axis) => !axes.some(({ name, size }) => name === axis.name && size.equals(axis.size)),
  );
  if (strange) {
    report(walk, "MOE2134", { name: carry.name.text, found: describeType(walk, result.type) }, span, {
      labels: [{ span: at(place, carry.type!), text: "declared with these axes" }],
    });
    return undefined;
  }
  return expanded(walk, result, axes, span);
}

function runLayers(
  walk: Walk,
  stack: StackValue,
  run: StackRun,
  carried: readonly Emitted[],
  span: SourceSpan,
  place: Place,
): readonly Emitted[] | undefined {
  let failed = false;
  const appended = walk.appends.length;
  const names = ["stream", ...stack.carry.map((carry) => carry.name.text)];
  const region = walk.emitter.region(
    carried.map((value, index) => ({ type: value.type, name: index === 0 ? "x" : names[index]! })),
    (params) => {
      let results: readonly Emitted[] | undefined = params;
      for (const module of run.modules) results &&= layerResults(walk, stack, module, results, names, span, place);
      failed = !results;
      return results ?? params;
    },
    run.repetition,
  );
  if (failed) return undefined;
  repeatAppends(walk, appended, run.turns, run.repetition.path);
  const attrs = { name: run.repetition.path, layers: run.turns, carried: carried.length, stacked: 0 };
  return emit(walk, "stack", carried, attrs, span, [span], [region]);
}

function layerResults(
  walk: Walk,
  stack: StackValue,
  module: LayerModule,
  params: readonly Emitted[],
  names: readonly string[],
  span: SourceSpan,
  place: Place,
): readonly Emitted[] | undefined {
  if (module.kind === "opaque") return params;
  const accepted = new Set(
    bodyOf(module)
      ?.params.slice(1)
      .map((param) => param.name.text) ?? [],
  );
  const args = params.map((value, index): CallArgument => ({
    value: tensor(value),
    span,
    ...(index > 0 && accepted.has(names[index]!) ? { name: names[index]! } : {}),
  }));
  const result = callModule(walk, module, args, span, place);
  if (result.kind === "unknown") return undefined;
  const items = result.kind === "tuple" ? result.items : [result];
  const layer = module.info.decl.name.text;
  const bodySpan = { file: stack.owner.info.file, ...stack.member.body.span };
  if (items.length !== params.length) {
    report(walk, "MOE2135", { layer, wanted: params.length, found: counted(items.length, "value") }, bodySpan);
    return undefined;
  }
  const outputs: Emitted[] = [];
  for (const [index, item] of items.entries()) {
    const value = asTensor(walk, item, span, "f32");
    const like = params[index]!;
    if (!value || !sameType(value.type, like.type)) {
      if (item.kind !== "unknown") {
        report(
          walk,
          "MOE2055",
          {
            op: layer,
            what: index === 0 ? "the stream" : `\`${names[index]}\``,
            expected: describeType(walk, like.type),
            found: describe(walk, item),
          },
          bodySpan,
        );
      }
      return undefined;
    }
    outputs.push(shaped(walk, value, like, span));
  }
  return outputs;
}
