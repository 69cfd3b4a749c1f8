/**
 * Results of calls that were walked before with the same sizes, by type. A layer that uses `Attention[D, H, G, C]` in the
 * same way as forty others does not have it walked forty times. Only for checking, where a value is its type.
 */
import type { Axis, ValueType } from "../ops/types.js";
import type { Walk } from "./context.js";
import type { ClosureValue, InstanceValue, Value } from "./values.js";
import { valueKey } from "./elaborate/keys.js";

interface Remembered {
  readonly results: readonly ValueType[];
  readonly tuple: boolean;
  readonly batchDependent: boolean;
  readonly cacheUsed: boolean;
}

/** By the body, so that results are forgotten with the tree that they came from. */
const memory = new WeakMap<object, Map<string, Remembered>>();

function axesKey(axes: readonly Axis[]): string {
  let key = "";
  for (const axis of axes) key += `${axis.name}=${axis.size.key},`;
  return key;
}

function typeKey(type: ValueType): string {
  if (type.kind === "tensor") return `${type.dtype}[${axesKey(type.axes)}]`;
  return `routes[${axesKey(type.tokens)};${axesKey([type.experts])};${type.slots.key}]`;
}

const PLAIN: ReadonlySet<Value["kind"]> = new Set(["number", "boolean", "string", "axis"]);

/** What decides the result of a body; undefined when that cannot be said in a few words. */
export function callKey(walk: Walk, closure: ClosureValue, values: readonly Value[]): string | undefined {
  const { instance } = closure;
  if (!walk.options.checking || !instance || closure.lambda) return undefined;
  if (!hasPlainArguments(instance)) return undefined;
  let key = `${instance.key} ${walk.emitter.repetitionKey(instance.repetitions)}`;
  for (const value of values) {
    if (value.kind === "tensor" && !value.bound) key += ` ${typeKey(value.value.type)}`;
    else if (PLAIN.has(value.kind)) key += ` ${valueKey(value)}`;
    else return undefined;
  }
  return key;
}

function hasPlainArguments(instance: InstanceValue): boolean {
  for (const value of instance.args.values()) {
    if (!PLAIN.has(value.kind) && value.kind !== "mask" && value.kind !== "opaque") return false;
  }
  return true;
}

/** The result of an equal call, with what it said about the batch. */
export function recalled(walk: Walk, closure: ClosureValue, key: string): Value | undefined {
  const known = memory.get(closure.body)?.get(key);
  if (!known) return undefined;
  const place = { file: closure.file, ...closure.body.span };
  if (known.batchDependent) walk.batchDependent ??= place;
  if (known.cacheUsed) walk.cacheUsed ??= place;
  const items = known.results.map((type): Value => ({ kind: "tensor", value: { type, source: place } }));
  return known.tuple ? { kind: "tuple", items } : items[0];
}

/** Keeps a result that is made of tensors and routes only. */
export function remember(
  closure: ClosureValue,
  key: string,
  result: Value,
  said: { readonly batchDependent: boolean; readonly cacheUsed: boolean },
): void {
  const items = result.kind === "tuple" && !result.stream ? result.items : [result];
  const results: ValueType[] = [];
  for (const item of items) {
    if (item.kind !== "tensor" || item.bound) return;
    results.push(item.value.type);
  }
  const own = memory.get(closure.body) ?? new Map<string, Remembered>();
  memory.set(closure.body, own);
  own.set(key, { results, tuple: result.kind === "tuple", ...said });
}
