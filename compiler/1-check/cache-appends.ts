/** A cache grows once in a call: layers that share a module with a cache would write behind each other's rows. */
import { Size } from "../axes/size.js";
import type { SourceSpan } from "../errors/diagnostic.js";
import type { Walk } from "./context.js";
import type { StoredState } from "./emitter.js";
import type { InstanceValue } from "./values.js";

/** Rows that a call appends to a cache. */
export interface CacheAppend {
  /** Of the cache. */
  readonly path: string;
  /** The layers around the cache, by path: each of them has a cache of its own. */
  readonly layers: readonly string[];
  /** How often a call comes by; Infinity where only the call knows. */
  readonly times: number;
  /** Where, in the declaration under check. */
  readonly place: SourceSpan;
}

/** Notes one use of `append`. */
export function noteAppend(walk: Walk, state: StoredState, span: SourceSpan): void {
  const layers = state.repetitions.map(({ path }) => path);
  walk.appends.push({ path: state.path, layers, times: 1, place: walk.reporter.visible(span) });
}

/** Runs `body`, which a call that takes the other branch does not come by. */
export function appendingNothing<R>(walk: Walk, body: () => R): R {
  const first = walk.appends.length;
  try {
    return body();
  } finally {
    walk.appends.length = first;
  }
}

/**
 * What was appended since `first` stands in a loop.
 *
 * @param turns Symbols of a declaration that is checked for all its sizes count once: the build knows them.
 * @param layers The path of the stack that the loop runs, if it is one.
 */
export function repeatAppends(walk: Walk, first: number, turns: Size, layers?: string): void {
  const times = turns.max(Size.zero).constant ?? (walk.options.generic ? 1 : Infinity);
  for (let at = first; at < walk.appends.length; at++) {
    const append = walk.appends[at]!;
    const isOwn = layers !== undefined && append.layers.includes(layers);
    if (!isOwn) walk.appends[at] = { ...append, times: append.times * times };
  }
}

/** An append of a module, for another module of the same form: the path behind that of the module, and how often. */
export interface AppendWithin {
  readonly path: string;
  readonly times: number;
}

/** What the body of a module has appended since `first`. */
export function appendsWithin(walk: Walk, first: number, instance: InstanceValue | undefined): readonly AppendWithin[] {
  const prefix = instance?.path ?? "";
  return walk.appends.slice(first).map(({ path, times }) => ({ path: path.slice(prefix.length), times }));
}

/** The same for a module of which the body is not walked again. */
export function recallAppends(
  walk: Walk,
  appends: readonly AppendWithin[],
  instance: InstanceValue | undefined,
  call: SourceSpan,
): void {
  const layers = instance?.repetitions.map(({ path }) => path) ?? [];
  const place = walk.reporter.visible(call);
  for (const { path, times } of appends)
    walk.appends.push({ path: `${instance?.path ?? ""}${path}`, layers, times, place });
}

/** Reports MOE2280 for each cache that the call of an entry appends to more than once. */
export function checkAppends(walk: Walk): void {
  const found = new Map<string, CacheAppend>();
  for (const append of walk.appends) {
    const times = append.times + (found.get(append.path)?.times ?? 0);
    found.set(append.path, { ...(found.get(append.path) ?? append), times });
  }
  // A module with several caches appends to them at one place: once is enough to say.
  const said = new Set<string>();
  for (const { path, times, place } of found.values()) {
    const key = `${place.file}:${place.start}`;
    if (times <= 1 || said.has(key)) continue;
    said.add(key);
    walk.reporter.report("MOE2280", { path, times: times === Infinity ? "many" : times }, place);
  }
}
