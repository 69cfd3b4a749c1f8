/** Routes in memory, and the ops that make, read and change them. */
import { Size } from "../../axes/size.js";
import { add, and, compare, constant, div, max, select, thread } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import type { Driver } from "../plan.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { alone, forDrivers, launchGroupingOn, writeGrouping } from "./gpu-grouping.js";
import { isLongOnGpu, lineThreads } from "./gpu-lines.js";
import { groupingAhead, type Grouping } from "./grouping.js";
import { eachRowOfBlocks, rowCoordinates } from "./nest.js";
import { chooseInOrder, rowKernel, storeAt, topMask } from "./selection.js";
import { renameAxis } from "./views.js";
import type { Tensor } from "./tensor.js";
import { Computed, Deferred, elements, Mapped, type Stored, type TensorAxis } from "./tensor.js";

/** The axis of the slots in memory; no name of a program has a dollar. */
export const slotAxis = "$slot";

export class Routes {
  readonly kind = "routes";
  constructor(
    readonly tokens: readonly TensorAxis[],
    readonly experts: TensorAxis,
    readonly slots: Size,
    /** `[tokens…, $slot]` i32, -1 for none. */
    readonly index: Stored,
    /** `[tokens…, $slot]` f32. */
    readonly weight: Tensor,
    /** The rows sorted by expert, where the kernel that chose the experts did that too. */
    readonly grouping?: { readonly grouping: Grouping; readonly bankSizes: readonly Size[] },
  ) {}
}

export type LoweredValue = Tensor | Routes;

/** Tokens up to which one block chooses for all of them and sorts their rows at once: one launch instead of two. */
const fewTokens = 64;
/** The same where all threads of the block choose for one token after the other. */
const fewShared = 4;
/** Experts up to which the scores of one token are copied into the block: to its one thread, or for all of them. */
const scratchLimit = { local: 16_384, shared: 1024 } as const;

export interface RouteOptions {
  readonly choice: "top" | "within" | "where" | "experts" | "everyone" | "only";
  readonly k: Size;
  readonly groups: number;
  readonly renormalize: boolean;
  readonly epsilon: number;
  /** Experts of each bank of the mixture that these routes are for, if any. */
  readonly bankSizes?: readonly Size[];
}

const plus = (at: Coordinates, axis: string, c: Coordinate): Coordinates => new Map([...at, [axis, c]]);

/** Reductions that do not belong to one token go into memory first. */
function settle(tensor: Tensor, rows: readonly TensorAxis[]): void {
  const names = new Set(rows.map((axis) => axis.name));
  for (const hoist of tensor.hoists) if (!hoist.axes.every((axis) => names.has(axis))) hoist.value.force();
}

export function route(
  entry: EntryLowering,
  weights: Deferred,
  by: Deferred | undefined,
  where: Deferred | undefined,
  expertName: string,
  options: RouteOptions,
): Routes {
  const experts = weights.axis(expertName);
  const tokens = [...new Set([weights, ...(by ? [by] : []), ...(where ? [where] : [])].flatMap((t) => t.axes))].filter(
    (axis, index, all) => axis.name !== expertName && all.findIndex((other) => other.name === axis.name) === index,
  );
  const slots = options.choice === "everyone" || options.choice === "experts" ? experts.size : options.k;
  const axes = [...tokens, { name: slotAxis, size: slots }];
  const index = entry.pinned("route_index", "i32", axes);
  const weight = entry.pinned("route_weight", "f32", axes);
  const scores = eligible(by ?? weights, where);
  const chosen =
    options.choice === "experts"
      ? topMask(new Deferred(scores, (source) => entry.store(source)), tokens.at(-1)!.name, options.k)
      : undefined;
  for (const tensor of [weights, scores]) settle(tensor, tokens);
  const writeToken = (emitter: Emitter, at: Coordinates, access: "write" | "readwrite"): void => {
    const { builder } = emitter;
    const slotCount = emitter.size(slots);
    const filled = builder.variable("filled", constant(0));
    const whole = builder.variable("whole", constant(0, f32));
    /** One choice, by all threads of a block together: the first one stores it. */
    const takeTogether = (expert: Expression, found: Expression, variables: Iterable<string>): void => {
      const isFound = builder.let("is_found", compare("ge", found, 0));
      const coordinate = emitter.here(() => emitter.variable(builder.let("expert", expert), variables, experts.size));
      const value = builder.let("weight", weights.read(emitter, plus(at, expertName, coordinate)));
      const place = emitter.here(() => emitter.variable(builder.let("slot", filled.get), variables, slots));
      emitter.guard(and(isFound, compare("eq", thread, 0)), () => {
        storeAt(emitter, index, plus(at, slotAxis, place), expert, access);
        storeAt(emitter, weight, plus(at, slotAxis, place), value, "readwrite");
      });
      whole.set(add(whole.get, select(isFound, value, constant(0, f32))));
      filled.set(add(filled.get, select(isFound, constant(1), constant(0))));
    };
    const take = (expert: Expression, variables: Iterable<string>): void => {
      const place = emitter.variable(builder.let("slot", filled.get), variables, slots);
      const coordinate = emitter.variable(builder.let("expert", expert), variables, experts.size);
      const value = builder.let("weight", weights.read(emitter, plus(at, expertName, coordinate)));
      storeAt(emitter, index, plus(at, slotAxis, place), expert, access);
      storeAt(emitter, weight, plus(at, slotAxis, place), value, "readwrite");
      whole.set(add(whole.get, value));
      filled.set(add(filled.get, 1));
    };
    const count = emitter.size(experts.size);
    if (options.choice === "everyone" || chosen) {
      emitter.loop("e", 0, count, 1, experts.size, (e, register) => {
        if (!chosen) return take(register, e.variables);
        const kept = builder.let("kept", chosen.read(emitter, plus(at, expertName, e)));
        emitter.guard(kept, () => take(register, e.variables));
      });
    } else {
      const groups = options.choice === "within" ? options.groups : 1;
      const read = scoreReader(emitter, scores, at, experts);
      const width = experts.size.dividedBy(Size.of(groups)) ?? experts.size;
      for (let group = 0; group < groups; group++) {
        const first = Coordinate.size(width.times(Size.of(group)));
        const own = options.k.dividedBy(Size.of(groups)) ?? options.k;
        chooseInOrder(
          emitter,
          emitter.size(width),
          emitter.size(own),
          true,
          "f32",
          (n) => read(n.plus(first)),
          (slot, _, found) => {
            const start = emitter.index(first);
            if (emitter.isTogether) return takeTogether(add(max(found, 0), start), found, slot.variables);
            const expert = add(found, start);
            emitter.guard(compare("ge", found, 0), () => take(expert, slot.variables));
          },
        );
      }
    }
    const result = { index, weight, at, slotCount, filled: filled.get, whole: whole.get, options, access };
    if (emitter.isTogether) alone(emitter, () => finish(emitter, result));
    else finish(emitter, result);
  };
  const routes = new Routes(tokens, experts, slots, index, weight);
  const { bankSizes } = options;
  const grouping = bankSizes && groupingAhead(entry, routes, bankSizes);
  const isSearched = options.choice === "top" || options.choice === "within";
  const isShared = isSearched && isLongOnGpu(entry, experts.size);
  const write = (on: Driver | undefined): void => {
    const byBlocks = isShared && on !== "cpu";
    const few = byBlocks ? fewShared : fewTokens;
    const isFew = grouping ? Size.one.minus(elements(tokens).reaches(few + 1)) : Size.zero;
    if (isFew.constant !== 1) {
      const share = Size.one.minus(isFew);
      if (!byBlocks)
        rowKernel(entry, "route", tokens, 4, (emitter, at) => writeToken(emitter, at, "write"), { share, on });
      else {
        const emitter = entry.emitter("route", undefined, lineThreads);
        eachRowOfBlocks(emitter, tokens, (at) => writeToken(emitter, at, "write"));
        entry.launch(emitter, elements(tokens).times(share), on);
      }
      if (grouping) launchGroupingOn(entry, on, grouping, bankSizes, share);
    }
    if (!grouping) return;
    const threads = on === "cpu" ? 1 : byBlocks ? lineThreads : fewTokens;
    const emitter = entry.emitter("route_and_group", `${entry.label}: experts chosen, rows sorted by expert`, threads);
    const row = (token: Coordinate): void => writeToken(emitter, rowCoordinates(tokens, token), "readwrite");
    const count = emitter.size(elements(tokens));
    if (byBlocks) emitter.loop("row", 0, count, 1, elements(tokens), row);
    else emitter.threadLoop("row", count, elements(tokens), row);
    emitter.meet();
    writeGrouping(emitter, grouping, emitter.buffer(index.place, "i32", "readwrite"), bankSizes);
    entry.launch(emitter, isFew, on);
  };
  if (grouping || isShared) forDrivers(entry, write);
  else write(undefined);
  if (!grouping) return routes;
  return new Routes(tokens, experts, slots, index, weight, { grouping, bankSizes });
}

/** The score where an expert may be chosen, NaN where not. */
function eligible(by: Tensor, where: Tensor | undefined): Tensor {
  const nan = constant(NaN, f32);
  const finite = new Mapped("f32", by.axes, [by], 2, (_, [x]) => select(compare("eq", x!, -Infinity), nan, x!));
  if (!where) return finite;
  const axes = [...by.axes, ...where.axes.filter((axis) => !by.has(axis.name))];
  return new Mapped("f32", axes, [finite, where], 1, (_, [x, open]) => select(open!, x!, nan));
}

/** Scores of one token: from a copy in the block when they are few enough, else from where they are. */
function scoreReader(
  emitter: Emitter,
  scores: Tensor,
  at: Coordinates,
  experts: TensorAxis,
): (n: Coordinate) => Expression {
  const size = experts.size.constant;
  const space = emitter.isTogether ? "shared" : "local";
  if (size === undefined || size > scratchLimit[space]) {
    return (n) => scores.read(emitter, plus(at, experts.name, n));
  }
  const copy = emitter.builder.blockBuffer("scores", "f32", space, Math.max(1, size));
  const put = (e: Coordinate, register: Expression): void =>
    emitter.builder.store(copy, register, scores.read(emitter, plus(at, experts.name, e)));
  if (space === "local") emitter.loop("e", 0, size, 1, experts.size, put);
  else {
    emitter.threadLoop("e", size, experts.size, put);
    emitter.meet();
  }
  return (n) => emitter.builder.load(copy, emitter.index(n));
}

interface Filled {
  readonly index: Stored;
  readonly weight: Stored;
  readonly at: Coordinates;
  readonly slotCount: Expression;
  readonly filled: Expression;
  readonly whole: Expression;
  readonly options: RouteOptions;
  /** How the kernel uses the memory of the index. */
  readonly access: "write" | "readwrite";
}

/** Normalized weights, and -1 and 0 in the slots that stayed empty. */
function finish(emitter: Emitter, what: Filled): void {
  const { builder } = emitter;
  const { at, options } = what;
  const used = builder.let("used", what.filled);
  if (options.renormalize) {
    const sum = builder.let("sum", add(what.whole, constant(options.epsilon, f32)));
    const weights = emitter.buffer(what.weight.place, "f32", "readwrite");
    emitter.loop("slot", 0, used, 1, undefined, (slot) => {
      const address = emitter.index(what.weight.address(plus(at, slotAxis, slot)));
      const divisor = select(compare("eq", sum, 0), constant(1, f32), sum);
      const scaled = div(builder.load(weights, address), divisor);
      builder.store(weights, address, select(compare("eq", sum, 0), constant(0, f32), scaled));
    });
  }
  emitter.loop("slot", used, what.slotCount, 1, undefined, (slot) => {
    storeAt(emitter, what.index, plus(at, slotAxis, slot), constant(-1), what.access);
    storeAt(emitter, what.weight, plus(at, slotAxis, slot), constant(0, f32), "readwrite");
  });
}

/** The expert of each token is given by number. */
export function routeOnly(entry: EntryLowering, ids: Tensor, experts: TensorAxis): Routes {
  const axes = [...ids.axes, { name: slotAxis, size: Size.one }];
  const index = entry.pinned("route_index", "i32", axes);
  const inside = (emitter: Emitter, id: Expression): Expression =>
    and(compare("ge", id, 0), compare("lt", id, emitter.size(experts.size)));
  const numbers = new Computed("i32", axes, { cost: 4 }, (emitter, at) => {
    const id = ids.read(emitter, at);
    return select(inside(emitter, id), id, constant(-1));
  });
  entry.store(numbers, index);
  const weight = new Computed("f32", axes, { cost: 2 }, (emitter, at) =>
    select(compare("ge", index.read(emitter, at), 0), constant(1, f32), constant(0, f32)),
  );
  return new Routes(ids.axes, experts, Size.one, index, weight);
}

/** `routes_make`: the last axis of `index` holds the slots. */
export function routesFrom(entry: EntryLowering, index: Tensor, weight: Tensor, experts: TensorAxis): Routes {
  const slots = index.axes.at(-1)!;
  const tokens = index.axes.slice(0, -1);
  const axes = [...tokens, { name: slotAxis, size: slots.size }];
  const rename = (at: Coordinates): Coordinates => new Map([...at, [slots.name, at.get(slotAxis)!]]);
  const stored = entry.pinned("route_index", "i32", axes);
  const numbers = new Computed("i32", axes, { cost: 4, scalar: true }, (emitter, at) => {
    const id = index.read(emitter, rename(at));
    const inside = and(compare("ge", id, 0), compare("lt", id, emitter.size(experts.size)));
    return select(inside, id, constant(-1));
  });
  entry.store(numbers, stored);
  const kept = new Computed("f32", axes, { cost: 2, scalar: true }, (emitter, at) =>
    select(compare("ge", stored.read(emitter, at), 0), weight.read(emitter, rename(at)), constant(0, f32)),
  );
  return new Routes(tokens, experts, slots.size, stored, kept);
}

/** Weights on all experts. */
export function routesDense(routes: Routes): Tensor {
  return new Computed("f32", [...routes.tokens, routes.experts], { cost: 16, scalar: true }, (emitter, at) => {
    const sum = emitter.builder.variable("sum", constant(0, f32));
    const expert = emitter.index(at.get(routes.experts.name)!);
    emitter.loop("slot", 0, emitter.size(routes.slots), 1, routes.slots, (slot) => {
      const place = plus(at, slotAxis, slot);
      const hit = compare("eq", routes.index.read(emitter, place), expert);
      sum.set(add(sum.get, select(hit, routes.weight.read(emitter, place), constant(0, f32))));
    });
    return sum.get;
  });
}

/** Index or weight of each slot, with the slot axis under a name of the program. */
export function routesSlots(tensor: Tensor, routes: Routes, axis: string): Tensor {
  const axes = [...routes.tokens, { name: axis, size: routes.slots }];
  return new Computed(tensor.dtype, axes, { cost: 1, lanesAlong: (name) => name === axis }, (emitter, at) =>
    tensor.read(emitter, plus(at, slotAxis, at.get(axis)!)),
  );
}

export function routesScale(routes: Routes, factor: Tensor): Routes {
  const axes = [...routes.tokens, { name: slotAxis, size: routes.slots }];
  const weight = new Computed("f32", axes, { cost: 4, scalar: true }, (emitter, at) => {
    const index = emitter.builder.let("expert", routes.index.read(emitter, at));
    const variables = [...at.values()].flatMap((c) => [...c.variables]);
    const safe = emitter.variable(emitter.builder.let("safe", max(index, 0)), variables, routes.experts.size);
    const scale = factor.read(emitter, plus(at, routes.experts.name, safe));
    return select(
      compare("ge", index, 0),
      { kind: "binary", op: "mul", left: routes.weight.read(emitter, at), right: scale, type: f32 },
      constant(0, f32),
    );
  });
  return new Routes(routes.tokens, routes.experts, routes.slots, routes.index, weight, routes.grouping);
}

/** Slots that each expert got: one row of the grid for each expert. */
export function routesCount(routes: Routes): Tensor {
  return new Computed("i32", [routes.experts], { cost: 64, scalar: true }, (emitter, at) => {
    const count = emitter.builder.variable("count", constant(0));
    const expert = emitter.index(at.get(routes.experts.name)!);
    const axes = [...routes.tokens, { name: slotAxis, size: routes.slots }];
    const nest = (level: number, inner: Coordinates): void => {
      const axis = axes[level];
      if (axis) {
        emitter.loop("n", 0, emitter.size(axis.size), 1, axis.size, (c) => nest(level + 1, plus(inner, axis.name, c)));
        return;
      }
      const hit = compare("eq", routes.index.read(emitter, inner), expert);
      count.set(add(count.get, select(hit, constant(1), constant(0))));
    };
    nest(0, new Map());
    return count.get;
  });
}

/** Another name for an axis of the tokens or for that of the experts. */
export function renameRoutes(routes: Routes, from: string, to: string): Routes {
  const rename = (axis: TensorAxis): TensorAxis => (axis.name === from ? { ...axis, name: to } : axis);
  const { index, weight } = routes;
  const stored = index.has(from) ? (renameAxis(index, from, to).stored ?? index) : index;
  const renamed = weight.has(from) ? renameAxis(weight, from, to) : weight;
  return new Routes(routes.tokens.map(rename), rename(routes.experts), routes.slots, stored, renamed, routes.grouping);
}
