/**
 * Results of calls that were walked before with the same sizes, by type. A layer that uses `Attention[D, H, G, C]` in the
 * same way as forty others does not have it walked forty times. Only for checking, where a value is its type.
 */
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Axis, ValueType } from "../ops/types.js";
import { recallAppends, type AppendWithin } from "./cache-appends.js";
import { noteBatch, type Walk } from "./context.js";
import type { Moved } from "./reuse.js";
import type { ClosureValue, InstanceValue, MaskValue, ModuleInfo, Value } from "./values.js";
import { valueKey } from "./elaborate/keys.js";

/** What a body did beside its result, and where. */
interface Said {
  readonly batchDependent: SourceSpan | undefined;
  readonly cacheUsed: SourceSpan | undefined;
  readonly appends: readonly AppendWithin[];
}

/** A tensor or routes; `source` is a place in what was walked, or the number of the argument that was handed through. */
interface Result {
  readonly type: ValueType;
  readonly source: SourceSpan | number | undefined;
}

interface Remembered extends Said {
  readonly results: readonly Result[];
  readonly tuple: boolean;
}

/** What is known of a declaration: results of its bodies, and a number that tells it from earlier ones of its name. */
interface Memory {
  readonly id: number;
  readonly results: Map<string, Remembered>;
}

/** By declaration, so that results are forgotten with the tree that they came from. */
const memories = new WeakMap<ModuleInfo, Memory>();
let declarations = 0;

/** Enough for the sizes of one program; an editor that runs for days does not collect more. */
const LIMIT = 512;

function memoryOf(info: ModuleInfo): Memory {
  let memory = memories.get(info);
  if (!memory) memories.set(info, (memory = { id: ++declarations, results: new Map() }));
  return memory;
}

/**
 * After an edit elsewhere a declaration that reads the same as before, with all that it reaches, remembers as before.
 *
 * @param moved How places of its file have moved. Those in other files are where they were: imports are the same.
 */
export function inheritMemory(before: ModuleInfo, after: ModuleInfo, moved: Moved): void {
  const memory = memories.get(before);
  if (!memory) return;
  if (moved.nothing) {
    memories.set(after, memory);
    return;
  }
  const results = [...memory.results].map(([key, known]) => [key, movedResult(known, moved)] as const);
  memories.set(after, { id: memory.id, results: new Map(results) });
}

function movedResult(known: Remembered, moved: Moved): Remembered {
  return {
    ...known,
    batchDependent: known.batchDependent && moved.span(known.batchDependent),
    cacheUsed: known.cacheUsed && moved.span(known.cacheUsed),
    results: known.results.map(({ type, source }) => ({
      type,
      source: typeof source === "object" ? moved.span(source) : source,
    })),
  };
}

/** The places of arguments as a body knows them, with those that they were copied from. */
const handed = new WeakMap<SourceSpan, SourceSpan>();

/**
 * An argument as the body that is called gets it: its place is an object of its own, by which a result tells that it is
 * this argument and no other value of that place. Only for checking; nodes of a graph are what they are.
 */
export function handedIn(walk: Walk, value: Value): Value {
  if (!walk.options.checking || value.kind !== "tensor" || !value.value.source) return value;
  const source = { ...value.value.source };
  handed.set(source, value.value.source);
  return { ...value, value: { ...value.value, source } };
}

/** Where a result comes from. */
function sourceOf(result: SourceSpan | undefined, bound: readonly Value[]): Result["source"] {
  let source = result;
  // A body that was called in between got a copy of the copy.
  for (let copied = result; copied; copied = handed.get(copied)) {
    const place = copied;
    const argument = bound.findIndex((value) => value.kind === "tensor" && value.value.source === place);
    if (argument >= 0) return argument;
    source = copied;
  }
  return source;
}

/** Numbers of lambdas, as those of declarations. */
const lambdas = new WeakMap<object, number>();

function lambdaId(body: object): number {
  let id = lambdas.get(body);
  if (id === undefined) lambdas.set(body, (id = ++declarations));
  return id;
}

/** The declarations that a mask is made of: one that was edited is another one under the same name. */
function maskIds(mask: MaskValue): string {
  switch (mask.form) {
    case "leaf":
      if (mask.leaf.kind === "opaque") return "";
      return String(mask.leaf.kind === "closure" ? lambdaId(mask.leaf.body) : memoryOf(mask.leaf.info).id);
    case "and":
    case "or":
      return `${maskIds(mask.left)},${maskIds(mask.right)}`;
    case "not":
      return maskIds(mask.operand);
    case "keep":
      return "";
    default:
      return mask satisfies never;
  }
}

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

/** The declaration that a body belongs to. */
function moduleOf({ instance, declaration, lambda }: ClosureValue): ModuleInfo | undefined {
  return lambda ? undefined : (instance?.info ?? declaration);
}

/** What decides the result of a body; undefined when that cannot be said in a few words. */
export function callKey(walk: Walk, closure: ClosureValue, values: readonly Value[]): string | undefined {
  const { instance } = closure;
  const module = moduleOf(closure);
  if (!walk.options.checking || !module) return undefined;
  // Bodies of one declaration are told apart by their place in it.
  let key = `${closure.body.span.start - module.decl.span.start} `;
  if (instance) {
    if (!hasPlainArguments(instance)) return undefined;
    key += `${instance.key} `;
    for (const value of instance.args.values()) if (value.kind === "mask") key += `${maskIds(value)} `;
    key += `${walk.emitter.repetitionKey(instance.repetitions)}`;
  } else {
    for (const [name, { size }] of closure.axes) key += `${name}=${size.key},`;
  }
  for (const value of values) {
    if (value.kind === "tensor" && !value.bound) key += ` ${typeKey(value.value.type)}`;
    else if (PLAIN.has(value.kind)) key += ` ${valueKey(value)}`;
    else return undefined;
  }
  // A symbol can be assumed to be a multiple; a size that the run decides is rounded.
  return walk.free.size === 0 ? key : `${key} ${[...walk.free].join(",")}`;
}

function hasPlainArguments(instance: InstanceValue): boolean {
  for (const value of instance.args.values()) {
    if (!PLAIN.has(value.kind) && value.kind !== "mask" && value.kind !== "opaque") return false;
  }
  return true;
}

/** The result of an equal call, with what it said about the batch and wrote to caches. */
export function recalled(
  walk: Walk,
  closure: ClosureValue,
  key: string,
  bound: readonly Value[],
  call: SourceSpan,
): Value | undefined {
  const known = memoryOf(moduleOf(closure)!).results.get(key);
  if (!known) return undefined;
  if (known.batchDependent) noteBatch(walk, known.batchDependent, call);
  walk.cacheUsed ??= known.cacheUsed;
  recallAppends(walk, known.appends, closure.instance, call);
  const items = known.results.map((result): Value => {
    const { type } = result;
    const argument = typeof result.source === "number" ? bound[result.source] : undefined;
    const source = argument?.kind === "tensor" ? argument.value.source : result.source;
    return { kind: "tensor", value: typeof source === "object" ? { type, source } : { type } };
  });
  return known.tuple ? { kind: "tuple", items } : items[0];
}

/** Keeps a result that is made of tensors and routes only. */
export function remember(closure: ClosureValue, key: string, bound: readonly Value[], result: Value, said: Said): void {
  const items = result.kind === "tuple" && !result.stream ? result.items : [result];
  const results: Result[] = [];
  for (const item of items) {
    if (item.kind !== "tensor" || item.bound) return;
    results.push({ type: item.value.type, source: sourceOf(item.value.source, bound) });
  }
  const own = memoryOf(moduleOf(closure)!).results;
  if (own.size >= LIMIT) own.clear();
  own.set(key, { results, tuple: result.kind === "tuple", ...said });
}
