/** `routes_limit`: places are given out slot by slot, so one block walks through all of them. */
import { Size } from "../../axes/size.js";
import { add, and, compare, constant, rem, select } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { Variable } from "../kernel-builder.js";
import { f32 } from "../kernel-types.js";

import type { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { rowCoordinates } from "./nest.js";
import { Routes, slotAxis } from "./routes.js";
import { elements, type Deferred } from "./tensor.js";

export function limitRoutes(
  entry: EntryLowering,
  routes: Routes,
  capacity: Size,
  next: boolean,
  scoresValue: Deferred | undefined,
): Routes {
  const scores = scoresValue?.force();
  const axes = [...routes.tokens, { name: slotAxis, size: routes.slots }];
  const index = entry.pinned("route_index", "i32", axes);
  const weight = entry.pinned("route_weight", "f32", axes);
  const used = entry.allocate("used", "i32", [{ name: "n", size: routes.experts.size }]);
  const tokens = elements(routes.tokens);
  const emitter = entry.emitter("limit");
  const { builder } = emitter;
  const experts = emitter.size(routes.experts.size);
  const most = emitter.size(capacity);
  const places = emitter.buffer(used.place, "i32", "readwrite");
  const numbers = emitter.buffer(index.place, "i32", "readwrite");
  const weights = emitter.buffer(weight.place, "f32", "write");
  emitter.loop("e", 0, experts, 1, undefined, (_, e) => builder.store(places, e, 0));
  // First a copy, because a token's other slots count when another expert is looked for.
  const eachSlot = (body: (slot: Coordinate, token: Coordinate) => void): void =>
    emitter.loop("slot", 0, emitter.size(routes.slots), 1, routes.slots, (slot) =>
      emitter.loop("token", 0, emitter.size(tokens), 1, tokens, (token) => body(slot, token)),
    );
  const at = (slot: Coordinate, token: Coordinate): Expression => emitter.index(token.times(routes.slots).plus(slot));
  eachSlot((slot, token) => {
    const place = new Map([...rowCoordinates(routes.tokens, token), [slotAxis, slot]]);
    builder.store(numbers, at(slot, token), routes.index.read(emitter, place));
  });
  eachSlot((slot, token) => {
    const tokenAt = rowCoordinates(routes.tokens, token);
    const place = at(slot, token);
    const full = builder.let("full", builder.load(numbers, place));
    const expert = builder.variable("expert", full);
    emitter.guard(compare("ge", full, 0), () => {
      const isFull = builder.let("is_full", compare("ge", builder.load(places, full), most));
      emitter.guard(isFull, () => {
        expert.set(constant(-1));
        if (!next) return;
        const score =
          scores &&
          ((e: Coordinate): Expression => scores.read(emitter, new Map([...tokenAt, [routes.experts.name, e]])));
        lookElsewhere(emitter, { full, expert, experts, most, places, numbers, routes, token, score });
      });
      emitter.guard(compare("ge", expert.get, 0), () => {
        builder.store(places, expert.get, add(builder.load(places, expert.get), 1));
      });
    });
    const chosen = builder.let("chosen", expert.get);
    builder.store(numbers, place, chosen);
    const kept = routes.weight.read(emitter, new Map([...tokenAt, [slotAxis, slot]]));
    builder.store(weights, place, select(compare("ge", chosen, 0), kept, constant(0, f32)));
  });
  entry.launch(emitter, Size.one);
  return new Routes(routes.tokens, routes.experts, routes.slots, index, weight);
}

interface Search {
  readonly full: Expression;
  readonly expert: Variable;
  readonly experts: Expression;
  readonly most: Expression;
  readonly places: ReturnType<Emitter["buffer"]>;
  readonly numbers: ReturnType<Emitter["buffer"]>;
  readonly routes: Routes;
  readonly token: Coordinate;
  readonly score: ((expert: Coordinate) => Expression) | undefined;
}

/** Another expert that has room and that the token does not have: the best by score, or the next number. */
function lookElsewhere(emitter: Emitter, search: Search): void {
  const { builder } = emitter;
  const { expert, routes, score } = search;
  const best = builder.variable("best", constant(-Infinity, f32));
  emitter.loop("step", score ? 0 : 1, search.experts, 1, routes.experts.size, (step, register) => {
    const number = score ? register : builder.let("next", rem(add(search.full, register), search.experts));
    const open = builder.variable("open", compare("lt", builder.load(search.places, number), search.most), {
      element: "bool",
      lanes: 1,
    });
    emitter.loop("other", 0, emitter.size(routes.slots), 1, routes.slots, (other) => {
      const taken = builder.load(search.numbers, emitter.index(search.token.times(routes.slots).plus(other)));
      open.set(and(open.get, compare("ne", taken, number)));
    });
    if (!score) {
      expert.set(select(and(open.get, compare("lt", expert.get, 0)), number, expert.get));
      return;
    }
    const value = builder.let("score", score(step));
    const better = and(open.get, compare("gt", value, best.get));
    const take = builder.let("take", better);
    best.set(select(take, value, best.get));
    expert.set(select(take, number, expert.get));
  });
}
