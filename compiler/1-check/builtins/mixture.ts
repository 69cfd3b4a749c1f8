/** Where tokens meet experts: `mixture`, its two halves, and experts that say for themselves how well they fit. */
import { noteBatch, showSize, type Place } from "../context.js";
import { describe } from "../describe.js";
import type { Emitted } from "../emitter.js";
import { layerPattern } from "../layer-names.js";
import { ceilOf } from "./capacity.js";
import { callClosure, callModule } from "../elaborate/calls.js";
import { expertsOf } from "../elaborate/banks.js";
import { findMethod, methodClosure } from "../elaborate/closures.js";
import { allNames, asTensor, axesOf, emit, fresh, tensor } from "../elaborate/tensors.js";
import { sameType } from "../elaborate/same-type.js";
import type { BankGroup, BankValue, ClosureValue, InstanceValue, Value } from "../values.js";
import { builtin, result, Stop, type Builtin, type BuiltinCall } from "./call.js";

function bankOf(call: BuiltinCall, name: string): BankValue {
  const value = call.value(name);
  if (value.kind === "bank") return value;
  if (value.kind === "opaque" && value.contract === "bank") throw new Stop();
  return call.fail(
    "MOE2154",
    { found: describe(call.walk, value) },
    name,
    "`E of SwiGLU[D, F]` makes a bank of E experts",
  );
}

/** Routes as such, or a router to be asked with x. */
function routesOf(call: BuiltinCall, x: Emitted): Emitted {
  const value = call.value("routes");
  const asked: Value =
    value.kind === "instance" || value.kind === "closure" || value.kind === "opaque" ? ask(call, value, x) : value;
  if (asked.kind === "unknown") throw new Stop();
  const first = asked.kind === "tuple" ? asked.items[0] : asked;
  if (first?.kind === "tensor" && first.value.type.kind === "routes") return first.value;
  return call.fail(
    "MOE2048",
    { op: call.definition.name, expected: "routes", found: describe(call.walk, asked) },
    "routes",
    first?.kind === "tensor" ? "`choose(p, top: k)` makes routes of weights, `everyone(p)` of all of them" : undefined,
  );
}

function ask(
  call: BuiltinCall,
  router: Extract<Value, { kind: "instance" | "closure" | "opaque" }>,
  x: Emitted,
): Value {
  const args = [{ value: tensor(x), span: call.spanOf("x") }];
  return router.kind === "closure"
    ? callClosure(call.walk, router, args, call.spanOf("routes"), call.place)
    : callModule(call.walk, router, args, call.spanOf("routes"), call.place);
}

/** The part of an expert's declaration with a fixed meaning: `prepare`, `affinity`. */
function part(module: BankGroup["module"], name: string): ClosureValue | undefined {
  if (module.kind !== "instance") return undefined;
  const method = findMethod(module.info.decl, name);
  return method ? methodClosure(module, method) : undefined;
}

/** What `prepare` gives for every token and expert: `[T, E, …]`, computed once for affinity and body. */
function prepared(call: BuiltinCall, module: InstanceValue, x: Emitted): Emitted | undefined {
  const prepare = part(module, "prepare");
  if (!prepare) return undefined;
  const key = `${module.path} ${preparedKey(call, x)}`;
  const known = preparedValues(call).get(key);
  if (known) return known;
  const value = callClosure(call.walk, prepare, [{ value: tensor(x), span: call.spanOf("x") }], call.span, call.place);
  if (value.kind !== "tensor") throw new Stop();
  preparedValues(call).set(key, value.value);
  return value.value;
}

const preparedByWalk = new WeakMap<object, Map<string, Emitted>>();
const valueNumbers = new WeakMap<object, number>();
let nextNumber = 0;

function preparedKey(_call: BuiltinCall, x: Emitted): string {
  let number = valueNumbers.get(x);
  if (number === undefined) valueNumbers.set(x, (number = nextNumber++));
  return String(number);
}

function preparedValues(call: BuiltinCall): Map<string, Emitted> {
  const known = preparedByWalk.get(call.walk);
  if (known) return known;
  const values = new Map<string, Emitted>();
  preparedByWalk.set(call.walk, values);
  return values;
}

interface Experts {
  readonly routes: Emitted;
  readonly x: Emitted;
  readonly bank: BankValue;
}

/** Emits the mixture or the dispatch of a bank. */
function emitExperts(
  call: BuiltinCall,
  op: "mixture" | "dispatch",
  given: Experts,
  attrs: Record<string, string>,
): Emitted {
  const { walk, span } = call;
  const { bank, x } = given;
  const routes = given.routes;
  if (routes.type.kind !== "routes") throw new Stop();
  const total = expertsOf(bank);
  if (!total.equals(routes.type.experts.size)) {
    return call.fail(
      "MOE2056",
      {
        op,
        axis: routes.type.experts.name,
        experts: showSize(walk, routes.type.experts.size),
        banks: showSize(walk, total),
      },
      "experts",
    );
  }
  const tokens = routes.type.tokens.map((axis) => axis.name);
  const slotAxis = attrs["slotAxis"];
  const own = axesOf(x).filter((axis) => !tokens.includes(axis.name) && axis.name !== slotAxis);
  const one = { kind: "tensor", dtype: x.type.kind === "tensor" ? x.type.dtype : "f32", axes: own } as const;
  const first = bank.groups[0]!.module;
  const extra = bank.groups.length === 1 && first.kind === "instance" ? prepared(call, first, x) : undefined;
  const experts = routes.type.experts.name;
  const extraType = extra && {
    kind: "tensor" as const,
    dtype: "f32" as const,
    axes: axesOf(extra).filter((axis) => !tokens.includes(axis.name) && axis.name !== experts),
  };
  let failed = false;
  const regions = bank.groups.map((group) =>
    walk.emitter.region(
      [{ type: one, name: "x" }, ...(extraType ? [{ type: extraType, name: "prepared" }] : [])],
      (params) => {
        const at = call.spanOf("experts");
        const args = params.map((param) => ({ value: tensor(param), span: at }));
        const value = callModule(walk, group.module, args, at, call.place);
        const made = asTensor(walk, value, span, "f32");
        if (!made || made.type.kind === "routes") {
          if (value.kind !== "unknown") call.fail("MOE2156", { found: describe(walk, value) }, "experts");
          failed = true;
          return [params[0]!];
        }
        return [made];
      },
      group.repetition,
    ),
  );
  if (failed) throw new Stop();
  agree(
    call,
    bank,
    regions.map((region) => region.type.results[0]!),
  );
  const banks = bank.groups.map((group) => ({ experts: group.count, params: 0 }));
  const named = bank.path === "" ? {} : namesOf(bank.path, call.place);
  const all = { banks, captures: 0, ...(extra ? { perToken: 1 } : {}), ...attrs, ...named };
  const spans = [call.spanOf("x"), call.has("routes") ? call.spanOf("routes") : span];
  const made = emit(walk, op, [x, routes, ...(extra ? [extra] : [])], all, span, spans, regions);
  if (!made?.[0]) throw new Stop();
  return made[0];
}

/** What traces call a bank, and its layers where it lies in stacks. */
function namesOf(bank: string, { repetitions }: Place): { readonly bank: string; readonly layers?: string } {
  const layers = layerPattern(bank, repetitions);
  return layers === bank ? { bank } : { bank, layers };
}

/** Experts of one bank give one type. */
function agree(call: BuiltinCall, bank: BankValue, types: readonly Emitted["type"][]): void {
  const odd = types.findIndex((type) => !sameType(type, types[0]!));
  if (odd < 0) return;
  const name = (group: BankGroup): string =>
    group.module.kind === "instance" ? group.module.info.decl.name.text : group.module.contract;
  call.fail(
    "MOE2157",
    {
      first: name(bank.groups[0]!),
      second: name(bank.groups[odd]!),
      firstType: describe(call.walk, tensor({ type: types[0]! })),
      secondType: describe(call.walk, tensor({ type: types[odd]! })),
    },
    "experts",
  );
}

function limited(call: BuiltinCall, routes: Emitted): Emitted {
  if (!call.has("capacity")) {
    if (call.has("overflow") && call.word("overflow", ["drop", "next", "dropless"], "dropless") !== "dropless") {
      return call.fail("MOE2158", {}, "overflow", "`capacity: 1.25` sets how many tokens an expert takes");
    }
    return routes;
  }
  const overflow = call.word("overflow", ["drop", "next", "dropless"], "drop");
  if (overflow === "dropless" || routes.type.kind !== "routes") return routes;
  const capacity = ceilOf(call, call.number("capacity"), routes.type);
  noteBatch(call.walk, call.span);
  return call.emit("routes_limit", [routes], { capacity, overflow }, ["routes"]);
}

export const mixtureFunctions: readonly Builtin[] = [
  builtin(
    "mixture",
    "x routes experts shared? capacity? overflow? weigh?",
    "mixture(x: [.., D], routes, experts, shared: module, capacity: 1.25, overflow: drop | next | dropless, weigh: output | input) -> [.., D2]",
    "Applies the chosen experts of each token and adds what they give, times the weights. `routes` may be a router. `shared` is added for every token. With a capacity an expert takes at most capacity * tokens * slots / experts.",
    (call) => {
      const x = call.tensor("x");
      const asked = routesOf(call, x);
      const bank = bankOf(call, "experts");
      const weigh = call.word("weigh", ["output", "input"], "output");
      const mixed = emitExperts(call, "mixture", { routes: limited(call, asked), x, bank }, { weigh });
      if (!call.has("shared")) return result(mixed);
      const shared = call.value("shared");
      const value =
        shared.kind === "instance" || shared.kind === "opaque"
          ? callModule(
              call.walk,
              shared,
              [{ value: tensor(x), span: call.spanOf("x") }],
              call.spanOf("shared"),
              call.place,
            )
          : shared;
      if (value.kind === "unknown") throw new Stop();
      const added = asTensor(call.walk, value, call.spanOf("shared"), "f32");
      if (!added) return call.fail("MOE2080", { found: describe(call.walk, value) }, "shared");
      return result(call.emit("add", [mixed, added], {}, ["x", "shared"]));
    },
  ),
  builtin(
    "dispatch",
    "x routes experts as? weigh?",
    "dispatch(x: [.., D], r: routes[E], experts, as: K) -> [.., K, D2]",
    "The first half of a mixture: what the chosen experts give, on a slot axis, not weighted. An x that has the slot axis gives each slot its own input.",
    (call) => {
      const x = call.tensor("x");
      const routes = routesOf(call, x);
      const bank = bankOf(call, "experts");
      const slotAxis = call.has("as") ? call.axis("as") : slotName(call, x, routes);
      const weigh = call.word("weigh", ["output", "input"], "output");
      const made = emitExperts(call, "dispatch", { routes, x, bank }, { weigh, slotAxis });
      const axis = axesOf(made).find(({ name }) => name === slotAxis);
      if (axis) call.introduce(slotAxis, axis.size);
      return result(made);
    },
  ),
  builtin(
    "combine",
    "values routes rule? slots? axis?",
    "combine(values: [.., K, D], r: routes[E], rule: sum | mean | product | concat, slots: K) -> [.., D]",
    "The second half of a mixture: adds what the slots hold, times the weights, or combines them by another rule.",
    (call) => {
      const values = call.tensor("values", "f32");
      const routes = call.routes("routes");
      const slotAxis = call.has("slots") ? call.axis("slots") : "K";
      call.axisOf(values, slotAxis, "values");
      const rule = call.word("rule", ["sum", "mean", "product", "concat"], "sum");
      const axis = call.has("axis") ? { axis: call.axis("axis") } : {};
      return result(call.emit("combine", [values, routes], { rule, slotAxis, ...axis }, ["values", "routes"]));
    },
  ),
  builtin(
    "affinity",
    "x experts",
    "affinity(x: [.., D], experts) -> [.., E]",
    "How well each expert says it fits each token: the `affinity` of every expert of the bank, after its `prepare`.",
    (call) => {
      const x = call.tensor("x", "f32");
      const bank = bankOf(call, "experts");
      const [group] = bank.groups;
      const module = group?.module;
      const own = module && part(module, "affinity");
      if (!own || bank.groups.length !== 1 || module.kind !== "instance") {
        return call.fail("MOE2159", { found: describe(call.walk, bank) }, "experts");
      }
      const given = prepared(call, module, x) ?? x;
      const value = callClosure(call.walk, own, [{ value: tensor(given), span: call.span }], call.span, call.place);
      const scores = asTensor(call.walk, value, call.span, "f32");
      if (!scores || scores.type.kind === "routes") throw new Stop();
      const names = allNames(scores);
      if (names.at(-1) === bank.axis || !names.includes(bank.axis)) return result(scores);
      return result(call.emit("order", [scores], { axes: [...names.filter((name) => name !== bank.axis), bank.axis] }));
    },
  ),
  builtin("bank", "experts", "bank(E of SwiGLU[D, F]) -> bank", "A bank as a value, for pools of banks.", (call) =>
    call.value("experts"),
  ),
];

function slotName(call: BuiltinCall, x: Emitted, routes: Emitted): string {
  const { type } = routes;
  const has = type.kind === "routes" && axesOf(x).some((axis) => axis.name === "K" && axis.size.equals(type.slots));
  void call;
  return has ? "K" : fresh("K", allNames(x));
}
