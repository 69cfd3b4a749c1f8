/** Constructors of routes, and what can be asked of them. */
import { Size } from "../../axes/size.js";
import { describe } from "../describe.js";
import { noteBatch } from "../context.js";
import { divide, integer } from "../numbers.js";
import type { Emitted } from "../emitter.js";
import { axesOf, cast, fresh, allNames, tensor } from "../elaborate/tensors.js";
import { builtin, result, typeOf, type Builtin, type BuiltinCall } from "./call.js";

/**
 * The expert axis unless it is named: an axis that the router declares, else the last one, but never an axis of the
 * tokens that a per-token body was lifted over. Where these stand depends on the order of factors (`u * p` or `p * u`).
 */
function expertAxis(call: BuiltinCall, weights: Emitted): string {
  if (call.has("experts")) return call.axis("experts");
  const { batch, instance } = call.place;
  const own = axesOf(weights).filter(({ name }) => !batch.some((axis) => axis.name === name));
  const declared = own.filter(({ name }) => instance?.axes.has(name));
  const found = declared.at(-1) ?? own.at(-1);
  return found?.name ?? call.fail("MOE2089", { found: describe(call.walk, tensor(weights)) }, "weights");
}

/** Renormalization of chosen weights: an epsilon of nothing unless asked. */
function normalization(call: BuiltinCall) {
  return { renormalize: call.flag("renormalize", false), epsilon: call.double("epsilon", 0) };
}

function choose(call: BuiltinCall) {
  const weights = call.tensor("weights", "f32");
  const experts = expertAxis(call, weights);
  const axis = call.axisOf(weights, experts, "weights");
  const by = call.has("by") ? call.tensor("by", "f32") : undefined;
  const where = call.has("where") ? call.tensor("where") : undefined;
  const base = { experts, hasBy: by !== undefined, hasWhere: where !== undefined, ...normalization(call) };
  const operands = [weights, ...(by ? [by] : []), ...(where ? [where] : [])];
  const names = ["weights", ...(by ? ["by"] : []), ...(where ? ["where"] : [])];
  const route = (attrs: Record<string, string | Size>): Emitted =>
    call.emit("route", operands, { ...base, ...attrs }, names);
  if (call.has("over") && call.axis("over") !== experts) {
    const over = call.axis("over");
    const tokens = axesOf(weights).filter(({ name }) => name !== experts);
    const token = call.axisOf(weights, over, "over");
    if (tokens.at(-1)?.name !== over) return call.fail("MOE2150", { axis: over }, "over");
    noteBatch(call.walk, call.span);
    return result(route({ choice: "experts", k: call.size("top").min(token.size) }));
  }
  if (call.has("where")) {
    const most = call.has("at_most") ? call.size("at_most") : call.has("top") ? call.size("top") : axis.size;
    return result(route({ choice: "where", k: most.min(axis.size) }));
  }
  if (!call.has("top"))
    return call.fail("MOE2115", { callee: "`choose`", name: "top" }, undefined, call.definition.signature);
  const top = call.value("top");
  if (top.kind === "tensor" && top.bound)
    return knobbed(call, weights, by ?? weights, experts, top.value, top.bound.min(axis.size));
  const k = call.size("top");
  const excess = k.minus(axis.size).constant;
  if (excess !== undefined && excess > 0) {
    return call.fail(
      "MOE2151",
      { k: k.toString(), experts: axis.size.toString() },
      "top",
      "no token can have more experts than there are",
    );
  }
  if (k.constant !== undefined && k.constant < 1) return call.fail("MOE2152", { k: k.constant }, "top");
  if (!call.has("within")) return result(route({ choice: "top", k }));
  const groups = call.size("within");
  // Symbols are taken to be multiples, which every use has to keep; numbers are looked at by the op.
  for (const size of [k, axis.size])
    if (size.constant === undefined) call.exact(divide(integer(size), integer(groups)), "within");
  return result(route({ choice: "within", k, groups }));
}

/** A number of experts that may change at run time: as many slots as it may ever be, the ones behind it left empty. */
function knobbed(call: BuiltinCall, weights: Emitted, by: Emitted, experts: string, k: Emitted, most: Size) {
  const slots = fresh("K", allNames(weights));
  const best = call.emitAll("top", [by], { over: experts, k: most, as: slots });
  const index = best[1]!;
  const place = call.emit("index", [], { axis: slots, size: most, offset: Size.zero });
  const open = call.emit("lt", [place, k], {});
  const taken = call.emit("gather", [weights, index], { axis: experts });
  const kept = call.emit("where", [open, taken, call.constant(0)], {});
  const used = call.emit("where", [open, index, call.constant(-1, "i32")], {});
  const { renormalize, epsilon } = normalization(call);
  const axis = call.axisOf(weights, experts, "weights");
  let weight = kept;
  if (renormalize) {
    const total = call.emit("reduce", [kept], { kind: "sum", over: [slots] });
    weight = call.emit("div", [kept, call.emit("add", [total, call.constant(epsilon)], {})], {});
  }
  return result(
    call.emit("routes_make", [lastAxis(call, used, slots), weight], { experts: { name: experts, size: axis.size } }),
  );
}

function lastAxis(call: BuiltinCall, value: Emitted, name: string): Emitted {
  const names = allNames(value);
  if (names.at(-1) === name) return value;
  return call.emit("order", [value], { axes: [...names.filter((other) => other !== name), name] });
}

/**
 * Product keys: the k best pairs of two score vectors without forming all pairs. The k best of a monotone product are
 * among the k best of each side.
 */
function chooseProduct(call: BuiltinCall) {
  const first = call.tensor("a", "f32");
  const second = call.tensor("b", "f32");
  const outer = axesOf(first).at(-1) ?? call.fail("MOE2089", { found: describe(call.walk, tensor(first)) }, "a");
  const inner = axesOf(second).at(-1) ?? call.fail("MOE2089", { found: describe(call.walk, tensor(second)) }, "b");
  const k = call.size("top");
  const names = [...allNames(first), ...allNames(second)];
  const [i, j] = [fresh("I", names), fresh("J", names)];
  const a = call.emitAll("top", [first], { over: outer.name, k: k.min(outer.size), as: i });
  const b = call.emitAll("top", [second], { over: inner.name, k: k.min(inner.size), as: j });
  const pairs = call.emit("merge", [call.emit("mul", [a[0]!, b[0]!], {})], { axes: [i, j], into: "P" });
  const slots = fresh("K", names);
  const best = call.emitAll("top", [pairs], { over: "P", k, as: slots });
  const scaled = call.emit("mul", [a[1]!, call.emit("size", [], { value: inner.size })], {});
  const number = call.emit("merge", [call.emit("add", [scaled, b[1]!], {})], { axes: [i, j], into: "P" });
  const index = call.emit("gather", [number, best[1]!], { axis: "P" });
  const name = call.has("experts") ? call.axis("experts") : `${outer.name}${inner.name}`;
  const experts = { name, size: outer.size.times(inner.size) };
  call.introduce(name, experts.size);
  let weight = best[0]!;
  if (normalization(call).renormalize) {
    const total = call.emit("reduce", [weight], { kind: "sum", over: [slots] });
    weight = call.emit("div", [weight, call.emit("add", [total, call.constant(normalization(call).epsilon)], {})], {});
  }
  return result(call.emit("routes_make", [lastAxis(call, index, slots), weight], { experts }));
}

/** Each token goes where the plan sends most of it; an expert that is full passes it on to the next best. */
function assign(call: BuiltinCall) {
  const plan = call.tensor("plan", "f32");
  const experts = expertAxis(call, plan);
  call.axisOf(plan, experts, "plan");
  const weights = call.has("weights") ? call.tensor("weights", "f32") : plan;
  const attrs = {
    experts,
    choice: "top",
    k: Size.one,
    hasBy: true,
    hasWhere: false,
    renormalize: !call.has("weights"),
    epsilon: 0,
  };
  const chosen = call.emit("route", [weights, plan], attrs, ["plan", "plan"]);
  noteBatch(call.walk, call.span);
  if (!call.has("capacity")) return result(chosen);
  const order = [
    ...axesOf(plan)
      .map(({ name }) => name)
      .filter((name) => name !== experts),
    experts,
  ];
  const scores = order.length === allNames(plan).length ? plan : call.emit("order", [plan], { axes: order });
  return result(call.emit("routes_limit", [chosen, scores], { capacity: call.size("capacity"), overflow: "next" }));
}

export const routing: readonly Builtin[] = [
  builtin(
    "choose",
    "weights top? by? where? at_most? within? over? renormalize? epsilon? experts?",
    "choose(weights: [.., E], top: k, by: scores, where: condition, at_most: k, within: groups, over: T, renormalize: bool = false, epsilon: float = 0) -> routes[E]",
    "Chooses experts for each token: the `top` best; with `by` the best by other scores than the weights; with `where` those that meet a condition, at most `at_most`; with `within` equally many in each of so many groups; with `over: T` each expert takes its best tokens. Equal scores go to the lowest index; NaN and -inf are never chosen.",
    choose,
  ),
  builtin(
    "choose_product",
    "a b top renormalize? epsilon? experts?",
    "choose_product(a: [.., A], b: [.., B], top: k) -> routes[A * B]",
    "The k best pairs of two non-negative score vectors, without forming all pairs. Expert a * B + b has the weight a[a] * b[b].",
    chooseProduct,
  ),
  builtin(
    "everyone",
    "weights experts?",
    "everyone(weights: [.., E]) -> routes[E]",
    "All experts with these weights: dense or soft mixtures.",
    (call) => {
      const weights = call.tensor("weights", "f32");
      const experts = expertAxis(call, weights);
      const { size } = call.axisOf(weights, experts, "weights");
      const attrs = {
        choice: "everyone",
        k: size,
        experts,
        hasBy: false,
        hasWhere: false,
        renormalize: false,
        epsilon: 0,
      };
      return result(call.emit("route", [weights], attrs, ["weights"]));
    },
  ),
  builtin(
    "only",
    "ids experts",
    "only(ids: i32[..], experts: E) -> routes[E]",
    "The expert of each token by number, with weight 1: hash, task or modality routing. A number outside of E chooses none.",
    (call) => {
      const ids = call.tensor("ids", "i32");
      const [experts] = call.newAxes("experts");
      const attrs = {
        choice: "only",
        k: Size.one,
        experts: experts!.name,
        size: experts!.size,
        hasBy: false,
        hasWhere: false,
        renormalize: false,
        epsilon: 0,
      };
      return result(call.emit("route", [ids], attrs, ["ids"]));
    },
  ),
  builtin(
    "assign",
    "plan capacity? weights? experts?",
    "assign(plan: [.., T, E], capacity: n) -> routes[E]",
    "One expert for each token by a transport plan; no expert gets more than `capacity` tokens.",
    assign,
  ),
  builtin(
    "routes",
    "index weight experts",
    "routes(index: i32[.., K], weight: [.., K], E) -> routes[E]",
    "Routes from numbers: the last axis of `index` holds the slots; an index outside of E is an empty slot.",
    (call) => {
      const given = call.tensor("index", "i32");
      const { batch } = call.place;
      // The slots are not among the tokens that a per-token body was lifted over.
      const slots = allNames(given).filter((name) => !batch.some((axis) => axis.name === name));
      const index = slots.length === 0 ? given : lastAxis(call, given, slots.at(-1)!);
      const [experts] = call.newAxes("experts");
      return result(
        call.emit(
          "routes_make",
          [index, cast(call.walk, call.tensor("weight", "f32"), "f32", call.span)],
          { experts: { ...experts! } },
          ["index", "weight"],
        ),
      );
    },
  ),
  builtin(
    "weights",
    "routes",
    "weights(r: routes[E]) -> [.., E]",
    "The weights on all experts: 0 for those not chosen.",
    (call) => result(call.emit("routes_dense", [call.routes("routes")], {}, ["routes"])),
  ),
  builtin(
    "indices",
    "routes as",
    "indices(r: routes[E], as: K) -> i32[.., K]",
    "The expert of each slot; -1 for an empty one.",
    (call) => slots(call, "routes_index"),
  ),
  builtin(
    "slot_weights",
    "routes as",
    "slot_weights(r: routes[E], as: K) -> [.., K]",
    "The weight of each slot; 0 for an empty one.",
    (call) => slots(call, "routes_weight"),
  ),
  builtin("counts", "routes", "counts(r: routes[E]) -> i32[E]", "How many tokens each expert got.", (call) =>
    result(call.emit("routes_count", [call.routes("routes")], {}, ["routes"])),
  ),
  builtin(
    "limit",
    "routes capacity overflow?",
    "limit(r: routes[E], capacity: n, overflow: drop | next) -> routes[E]",
    "No expert gets more than `capacity` tokens: what comes later is dropped or goes to the next expert with room.",
    (call) => {
      noteBatch(call.walk, call.span);
      const overflow = call.word("overflow", ["drop", "next"], "drop");
      return result(
        call.emit("routes_limit", [call.routes("routes")], { capacity: call.size("capacity"), overflow }, ["routes"]),
      );
    },
  ),
];

function slots(call: BuiltinCall, op: string) {
  const routes = call.routes("routes");
  const axis = call.axis("as");
  const value = call.emit(op, [routes], { axis }, ["routes"]);
  const made = typeOf(value).axes.find(({ name }) => name === axis);
  if (made) call.introduce(axis, made.size);
  return result(value);
}
