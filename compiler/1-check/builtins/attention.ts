/** Attention and the cache of its keys and values. */
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { noteAppend } from "../cache-appends.js";
import { describe } from "../describe.js";
import { PAST, type Emitted, type EmittedRegion } from "../emitter.js";
import { conjuncts, emitMask, isDynamic, toMask, type MaskInputs } from "../elaborate/masks.js";
import { allNames, axesOf, emit, emitOne, fresh, ordered, rename, tensor } from "../elaborate/tensors.js";
import type { MaskValue } from "../values.js";
import { builtin, result, Stop, typeOf, type Builtin, type BuiltinCall } from "./call.js";

interface Axes {
  readonly query: string;
  readonly key: string;
  readonly contracted: string;
  readonly value: string;
}

/**
 * The axis of queries among those of q that k has not: with several of them the one as long as the keys of this call. A
 * mask asks for positions along it, so it isn't guessed; without a mask all of them give the same result. Sizes of a test
 * may be equal by chance: then it is the outermost.
 */
function queryOf(call: BuiltinCall, candidates: readonly Axis[], keys: Size): string | undefined {
  const [first, ...others] = candidates;
  if (first === undefined || others.length === 0 || !call.has("mask")) return first?.name;
  const fitting = candidates.filter(({ size }) => size.equals(keys) || Size.of(PAST).plus(size).equals(keys));
  if (fitting.length > 0) return fitting[0]!.name;
  return call.fail("MOE2281", { axes: candidates.map(({ name }) => `\`${name}\``).join(", ") }, "q");
}

/** Which axis plays which part: queries are on an axis of q that k has not, keys on the axis that only k and v have. */
function partsOf(call: BuiltinCall, q: Emitted, k: Emitted, v: Emitted, shared: string | undefined): Axes {
  const names = allNames(q);
  const contracted = names.at(-1) ?? call.fail("MOE2089", { found: describe(call.walk, tensor(q)) }, "q");
  call.axisOf(k, contracted, "k");
  const key = axesOf(k).find(({ name }) => !names.includes(name) && allNames(v).includes(name));
  const own = axesOf(q).filter(({ name }) => !allNames(k).includes(name));
  const query = call.has("query")
    ? call.axis("query")
    : (shared ?? (key ? queryOf(call, own, key.size) : own[0]?.name));
  if (query === undefined)
    return call.fail("MOE2160", { q: describe(call.walk, tensor(q)), k: describe(call.walk, tensor(k)) }, "q");
  call.axisOf(q, query, call.has("query") ? "query" : "q");
  if (key === undefined)
    return call.fail("MOE2161", { k: describe(call.walk, tensor(k)), v: describe(call.walk, tensor(v)) }, "k");
  const values = allNames(v).filter((name) => name !== key.name && (!names.includes(name) || name === contracted));
  const value = values.at(-1) ?? call.fail("MOE2162", { v: describe(call.walk, tensor(v)) }, "v");
  return { query, key: key.name, contracted, value };
}

/** Keys that stand on the axis of the queries get an axis of their own; that of the queries is the third of the list. */
function apart(call: BuiltinCall, q: Emitted, k: Emitted, v: Emitted): readonly [Emitted, Emitted, string?] {
  const shared = allNames(q)[0];
  const own = allNames(k).some((name) => !allNames(q).includes(name));
  if (own || shared === undefined || !allNames(k).includes(shared) || !allNames(v).includes(shared)) return [k, v];
  const name = fresh("S", [...allNames(q), ...allNames(k), ...allNames(v)]);
  const moved = (value: Emitted, from: string): Emitted => rename(call.walk, value, shared, name, call.spanOf(from));
  return [moved(k, "k"), moved(v, "v"), shared];
}

function attendCall(call: BuiltinCall) {
  const q = call.tensor("q", "f32");
  const [k, v, shared] = apart(call, q, call.tensor("k", "f32"), call.tensor("v", "f32"));
  const axes = partsOf(call, q, k, v, shared);
  const keySize = axesOf(k).find(({ name }) => name === axes.key)!.size;
  const querySize = axesOf(q).find(({ name }) => name === axes.query)!.size;
  const offset = keySize.equals(Size.of(PAST).plus(querySize)) ? Size.of(PAST) : Size.zero;
  const mask = call.has("mask") ? maskOf(call) : undefined;
  const parts = mask ? conjuncts(mask) : [];
  const statics = parts.filter((part) => !isDynamic(part));
  const dynamics = parts.filter((part) => isDynamic(part));
  const position = (axis: string, size: Size, from: Size): Emitted =>
    call.emit("index", [], { axis, size, offset: from });
  const inputs = (): MaskInputs => ({
    query: position(axes.query, querySize, offset),
    key: position(axes.key, keySize, Size.zero),
    contents: { query: tensor(q), key: tensor(k) },
  });
  const kept = dynamics.map((part) => emitMask(call.walk, part, inputs(), call.spanOf("mask"), call.place));
  if (kept.some((value) => !value)) throw new Stop();
  let regions: EmittedRegion[] = statics.length > 0 ? [region(call, statics)] : [];
  if (regions[0]?.captures) {
    // A predicate that reads values from outside is no static mask any more: it is worked out for all pairs.
    for (const part of statics) kept.push(emitMask(call.walk, part, inputs(), call.spanOf("mask"), call.place));
    regions = [];
  }
  const keep = kept.reduce((a, b) => (a && b ? emitOne(call.walk, "and", [a, b], {}, call.span) : (a ?? b)), undefined);
  const sinks = call.has("sinks") ? call.tensor("sinks", "f32") : undefined;
  const attrs = {
    queryAxis: axes.query,
    keyAxis: axes.key,
    contracted: axes.contracted,
    valueAxis: axes.value,
    scale: scaleOf(call, q, axes.contracted),
    queryOffset: offset,
    hasMask: regions.length > 0,
    hasSinks: sinks !== undefined,
    hasKeep: keep !== undefined,
  };
  const operands = [q, k, v, ...(sinks ? [sinks] : []), ...(keep ? [keep] : [])];
  const spans = ["q", "k", "v", ...(sinks ? ["sinks"] : []), ...(keep ? ["mask"] : [])].map((name) =>
    call.spanOf(name),
  );
  const made = emit(call.walk, "attend", operands, attrs, call.span, spans, regions);
  if (!made?.[0]) throw new Stop();
  return result(made[0]);
}

/** 1 / sqrt(C) unless given. */
function scaleOf(call: BuiltinCall, q: Emitted, contracted: string): number {
  if (call.has("scale")) return call.double("scale", 1);
  const width = axesOf(q).find(({ name }) => name === contracted)!.size.constant;
  return width === undefined ? 1 : 1 / Math.sqrt(width);
}

function maskOf(call: BuiltinCall): MaskValue {
  const value = call.value("mask");
  const errors = call.walk.reporter.errors;
  const mask = toMask(call.walk, value, call.spanOf("mask"));
  if (!mask && call.walk.reporter.errors > errors) throw new Stop();
  return mask ?? call.fail("MOE2163", { found: describe(call.walk, value) }, "mask");
}

function region(call: BuiltinCall, parts: readonly MaskValue[]): EmittedRegion {
  const scalar = { kind: "tensor", dtype: "i32", axes: [] } as const;
  let failed = false;
  const made = call.walk.emitter.region(
    [
      { type: scalar, name: "q" },
      { type: scalar, name: "k" },
    ],
    ([query, key]) => {
      let all: Emitted | undefined;
      for (const part of parts) {
        const one = emitMask(call.walk, part, { query: query!, key: key! }, call.spanOf("mask"), call.place);
        if (!one) {
          failed = true;
          break;
        }
        all = all ? emitOne(call.walk, "and", [all, one], {}, call.span) : one;
      }
      return all ? [all] : [query!];
    },
  );
  if (failed) throw new Stop();
  const [type] = made.type.results;
  if (type?.kind !== "tensor" || type.dtype !== "bool" || type.axes.length > 0) {
    return call.fail("MOE2164", { found: type ? describe(call.walk, tensor({ type })) : "nothing" }, "mask");
  }
  return made;
}

export const attention: readonly Builtin[] = [
  builtin(
    "attend",
    "q k v mask? scale? sinks? query?",
    "attend(q: [.., T, .., C], k: [.., S, .., C], v: [.., S, .., V], mask: Causal, scale: 1 / sqrt(C), sinks: [..], query: T) -> [.., T, .., V]",
    "Softmax attention. The last axis of q is contracted; axes that q shares with k and v are batch axes; the mask is asked with positions (behind those in the cache) and its empty blocks cost nothing. `sinks` are logits that join the denominator only. A row without an allowed key is zero.",
    attendCall,
  ),
  builtin(
    "append",
    "state value as",
    "append(state, value: [T, ..], as: S) -> [S, ..]",
    "Writes new rows behind a cache and gives all its rows, those of earlier calls first, on an axis of size past + T.",
    (call) => {
      const state = call.value("state");
      if (state.kind !== "state" || state.state.kind !== "cache") {
        return call.fail(
          "MOE2143",
          { found: describe(call.walk, state) },
          "state",
          "declare it as `state keys: cache[T, G, C]`",
        );
      }
      const value = call.tensor("value", state.state.dtype);
      const [, ...rest] = state.state.axes;
      const own = rest.map((axis) => axis.name);
      const tokens = allNames(value).filter((name) => !own.includes(name));
      if (tokens.length !== 1 || own.some((name) => !allNames(value).includes(name))) {
        const expected = `[one axis of tokens, ${own.join(", ")}]`;
        return call.fail(
          "MOE2059",
          { state: state.state.path, expected, op: "append", found: describe(call.walk, tensor(value)) },
          "value",
        );
      }
      call.walk.emitter.state(state.state);
      call.walk.cacheUsed ??= call.span;
      noteAppend(call.walk, state.state, call.span);
      const rows = ordered(call.walk, value, [tokens[0]!, ...own], call.spanOf("value"));
      const as = call.axis("as");
      const all = call.emit("append", [rows], { state: state.state.path, axis: tokens[0]!, as }, ["value"]);
      call.introduce(as, typeOf(all).axes[0]!.size);
      return result(all);
    },
  ),
];
