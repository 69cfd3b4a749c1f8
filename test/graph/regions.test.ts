import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import { declarationsOf, evaluate, GraphBuilder, StateStore, verify } from "../../compiler/2-graph/index.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import type { Program, Value } from "../../compiler/2-graph/ir.js";
import type { Attrs, ReferenceRoutes, ReferenceTensor, ReferenceValue } from "../../compiler/ops/types.js";
import { anyTensor, numbers, run, runRoutes, tensor, typeOf } from "../ops/support.js";

const empty: Omit<Program, "entries"> = {
  name: "p",
  params: [],
  states: [],
  knobs: [],
  runtimeSizes: [],
  weightNames: {},
  settings: {},
};

type Build = (scope: RegionBuilder, values: readonly Value[]) => readonly Value[];

/** A verified program of one entry whose inputs have the types of `inputs`, built by `build`. */
function programOf(inputs: readonly ReferenceValue[], build: Build, shell: Omit<Program, "entries"> = empty): Program {
  const graph = new GraphBuilder(declarationsOf(shell));
  const body = graph.region(
    inputs.map((value) => ({ type: typeOf(value) })),
    build,
  );
  const names = inputs.map((_, index) => `in${index}`);
  const outputs = body.results.map((_, index) => `out${index}`);
  const program = { ...shell, entries: [{ name: "f", inputs: names, outputs, body }] };
  expect(verify(program)).toEqual([]);
  return program;
}

/** Build and run; gives the first output. */
function compute(inputs: readonly ReferenceValue[], build: Build): ReferenceTensor {
  const program = programOf(inputs, build);
  const named = Object.fromEntries(inputs.map((value, index) => [`in${index}`, value]));
  return evaluate(program, "f", { inputs: named }).outputs.out0 as ReferenceTensor;
}

/** |found - expected| within some tens of roundings of doubles, relative to the largest. */
function close(found: ReferenceTensor, expected: ReferenceTensor): void {
  expect(found.axes).toEqual(expected.axes);
  const scale = Math.max(1, ...numbers(expected).map(Math.abs));
  found.data.forEach((value, i) =>
    expect(Math.abs(value - expected.data[i]!)).toBeLessThanOrEqual(64 * 2 ** -52 * scale),
  );
}

const D = { name: "D", size: Size.of(3) };
const token = { type: { kind: "tensor" as const, dtype: "f32" as const, axes: [D] } };
const scalarOf = (dtype: "f32" | "i32") => ({ type: { kind: "tensor" as const, dtype, axes: [] } });

function routesFrom(scores: ReferenceTensor, k: number): ReferenceRoutes {
  const attrs = {
    choice: "top",
    k: Size.of(k),
    experts: "E",
    hasBy: false,
    hasWhere: false,
    renormalize: false,
    epsilon: 0,
  };
  return runRoutes("route", [scores], attrs);
}

/** Expert e maps x to x * w[e] + c. */
const scaled: Build = (scope, [x, w, c]) => [scope.one("add", [scope.one("mul", [x!, w!]), c!])];

describe("mixture, dispatch, combine", () => {
  const capture = tensor("", [0.5]);
  const call = (op: "mixture" | "dispatch", attrs: Attrs = {}): Build => {
    return (scope, [x, routes, w, c]) => {
      const expert = scope.region([token, token, scalarOf("f32")], scaled);
      const banks = [{ experts: Size.of(4), params: 1 }];
      const all = { banks, captures: 1, weigh: "output", ...attrs };
      return scope.add(op, [x!, routes!, w!, c!], all, { regions: [expert] });
    };
  };
  const inputs = fc.tuple(
    anyTensor("T=3, D=3"),
    anyTensor("T=3, E=4", true),
    anyTensor("E=4, D=3"),
    fc.integer({ min: 0, max: 4 }),
  );

  it("mixture is the dense sum over all experts by the weights of the routes", () => {
    fc.assert(
      fc.property(inputs, ([x, scores, w, k]) => {
        const routes = routesFrom(scores, k);
        const found = compute([x, routes, w, capture], call("mixture"));
        const all = run("add", [run("mul", [x, w]), capture]);
        close(
          found,
          run("contract", [run("routes_dense", [routes]), run("order", [all], { axes: ["T", "E", "D"] })], {
            over: ["E"],
          }),
        );
      }),
    );
  });

  it("combine of dispatch is the mixture", () => {
    fc.assert(
      fc.property(inputs, ([x, scores, w, k]) => {
        const routes = routesFrom(scores, k);
        const values = compute([x, routes, w, capture], call("dispatch", { slotAxis: "K" }));
        const found = run("combine", [values, routes], { rule: "sum", slotAxis: "K" });
        close(found, compute([x, routes, w, capture], call("mixture")));
      }),
    );
  });

  it("weighs the input on request", () => {
    const routes = routesFrom(tensor("T=1, E=4", [2, 1, 0, 0]), 1);
    const found = compute(
      [tensor("T=1, D=3", [1, 2, 3]), routes, tensor("E=4, D=3", Array(12).fill(10)), capture],
      call("mixture", { weigh: "input" }),
    );
    expect(numbers(found)).toEqual([20.5, 40.5, 60.5]);
  });

  it("gives zeros for a token without experts, and nothing for no token", () => {
    const w = tensor("E=4, D=3", Array(12).fill(NaN));
    const none = routesFrom(tensor("T=2, E=4", Array(8).fill(NaN)), 2);
    expect(numbers(compute([tensor("T=2, D=3"), none, w, capture], call("mixture")))).toEqual([0, 0, 0, 0, 0, 0]);
    const noTokens = routesFrom(tensor("T=0, E=4", []), 2);
    expect(numbers(compute([tensor("T=0, D=3", []), noTokens, w, capture], call("mixture")))).toEqual([]);
  });

  it("does not run experts without tokens, and runs one that gets all", () => {
    // Weights of experts that nobody chose are NaN: they must not be touched.
    const w = tensor("E=4, D=3", [NaN, NaN, NaN, 2, 2, 2, NaN, NaN, NaN, NaN, NaN, NaN]);
    const routes = routesFrom(tensor("T=2, E=4", [0, 1, 0, 0, 0, 1, 0, 0]), 1);
    expect(numbers(compute([tensor("T=2, D=3", [1, 2, 3, 4, 5, 6]), routes, w, capture], call("mixture")))).toEqual([
      2.5, 4.5, 6.5, 8.5, 10.5, 12.5,
    ]);
  });

  it("numbers experts through banks of different bodies", () => {
    fc.assert(
      fc.property(anyTensor("T=3, D=3"), anyTensor("T=3, E=4"), anyTensor("B=2, D=3"), (x, scores, w) => {
        const routes = routesFrom(scores, 2);
        const found = compute([x, routes, w], (scope, [value, chosen, params]) => {
          const linear = scope.region([token, token], (inner, [one, p]) => [inner.one("mul", [one!, p!])]);
          const same = scope.region([token], (_inner, [one]) => [one!]);
          const zero = scope.region([token], (inner, [one]) => [inner.one("mul", [one!, inner.number(0)])]);
          const banks = [
            { experts: Size.of(2), params: 1 },
            { experts: Size.of(1), params: 0 },
            { experts: Size.of(1), params: 0 },
          ];
          return scope.add(
            "mixture",
            [value!, chosen!, params!],
            { banks, captures: 0, weigh: "output" },
            { regions: [linear, same, zero] },
          );
        });
        const factors = run(
          "concat",
          [run("rename", [w], { from: "B", to: "E" }), tensor("E=2, D=3", [1, 1, 1, 0, 0, 0])],
          { axis: "E" },
        );
        const all = run("order", [run("mul", [x, factors])], { axes: ["T", "E", "D"] });
        close(found, run("contract", [run("routes_dense", [routes]), all], { over: ["E"] }));
      }),
    );
  });

  it("passes values of the token and of the expert (prepared before the choice)", () => {
    fc.assert(
      fc.property(
        anyTensor("T=3, D=3"),
        anyTensor("T=3, E=4"),
        anyTensor("T=3, E=4, D=3"),
        anyTensor("T=3, D=3"),
        (x, scores, c, g) => {
          const routes = routesFrom(scores, 2);
          const found = compute([x, routes, c, g], (scope, [value, chosen, prepared, gain]) => {
            const expert = scope.region([token, token, token], (inner, [one, own, factor]) => [
              inner.one("mul", [inner.one("add", [one!, own!]), factor!]),
            ]);
            const banks = [{ experts: Size.of(4), params: 0 }];
            return scope.add(
              "mixture",
              [value!, chosen!, prepared!, gain!],
              { banks, captures: 0, weigh: "output", perToken: 2 },
              { regions: [expert] },
            );
          });
          const all = run("order", [run("mul", [run("add", [c, x]), g])], { axes: ["T", "E", "D"] });
          close(found, run("contract", [run("routes_dense", [routes]), all], { over: ["E"] }));
        },
      ),
    );
  });

  it("dispatch reads a part of x for each slot when x has the slot axis", () => {
    const routes = routesFrom(tensor("T=1, E=4", [2, 1, 0, 0]), 2);
    const x = tensor("T=1, K=2, D=3", [1, 1, 1, 2, 2, 2]);
    const w = tensor("E=4, D=3", [1, 1, 1, 10, 10, 10, 0, 0, 0, 0, 0, 0]);
    expect(numbers(compute([x, routes, w, tensor("", [0])], call("dispatch", { slotAxis: "K" })))).toEqual([
      1, 1, 1, 20, 20, 20,
    ]);
  });

  it("combine has a mean, a product and a concatenation over the filled slots", () => {
    const routes = routesFrom(tensor("T=2, E=3", [2, 3, NaN, NaN, NaN, NaN]), 2);
    const values = tensor("T=2, K=2, D=2", [1, 2, 3, 4, 5, 6, 7, 8]);
    const combined = (rule: string, more = {}): number[] =>
      numbers(run("combine", [values, routes], { rule, slotAxis: "K", ...more }));
    expect(combined("sum")).toEqual([3 + 6, 6 + 8, 0, 0]);
    expect(combined("mean")).toEqual([4.5, 7, 0, 0]);
    expect(combined("product")).toEqual([18, 48, 1, 1]);
    expect(combined("concat", { axis: "D" })).toEqual([3, 6, 6, 8, 0, 0, 0, 0]);
  });
});

describe("attend", () => {
  const attrs = {
    queryAxis: "T",
    keyAxis: "S",
    contracted: "C",
    valueAxis: "C",
    scale: 0.5,
    queryOffset: Size.of(1),
    hasMask: true,
    hasSinks: false,
    hasKeep: false,
  };
  const position = scalarOf("i32");
  /** k <= q & q - k < 3 */
  const window: Build = (scope, [query, key]) => {
    const near = scope.one("lt", [
      scope.one("sub", [query!, key!]),
      scope.one("constant", [], { value: 3, dtype: "i32" }),
    ]);
    return [scope.one("and", [scope.one("le", [key!, query!]), near])];
  };
  const attend =
    (more: Attrs = {}): Build =>
    (scope, values) => {
      const all = { ...attrs, ...more };
      const regions = all.hasMask ? [scope.region([position, position], window)] : [];
      return scope.add("attend", values, all, { regions });
    };
  const qkv = fc.tuple(anyTensor("T=3, G=2, R=2, C=2"), anyTensor("S=4, G=2, C=2"), anyTensor("S=4, G=2, V=3"));
  const allowed = tensor("T=3, S=4", [1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1], "bool");

  /** Scores, mask, softmax and sum as separate ops. */
  function explicit(
    q: ReferenceTensor,
    k: ReferenceTensor,
    v: ReferenceTensor,
    mask?: ReferenceTensor,
  ): ReferenceTensor {
    const scores = run("mul", [run("contract", [q, k], { over: ["C"] }), tensor("", [0.5])]);
    const masked = mask
      ? run("order", [run("where", [mask, scores, tensor("", [-Infinity])])], { axes: ["T", "G", "R", "S"] })
      : scores;
    return run("contract", [run("softmax", [masked], { over: "S" }), v], { over: ["S"] });
  }

  it("is softmax attention, with grouped queries and a value axis of its own", () => {
    fc.assert(
      fc.property(qkv, ([q, k, v]) => {
        close(compute([q, k, v], attend({ valueAxis: "V" })), explicit(q, k, v, allowed));
        close(compute([q, k, v], attend({ valueAxis: "V", hasMask: false })), explicit(q, k, v));
      }),
    );
  });

  it("drops what keep says", () => {
    const keep = fc
      .array(fc.boolean(), { minLength: 24, maxLength: 24 })
      .map((list) => tensor("G=2, T=3, S=4", list.map(Number), "bool"));
    fc.assert(
      fc.property(qkv, keep, ([q, k, v], kept) => {
        const found = compute([q, k, v, kept], attend({ valueAxis: "V", hasKeep: true }));
        close(found, explicit(q, k, v, run("and", [allowed, kept])));
      }),
    );
  });

  it("has sinks in the denominator only", () => {
    const [q, k, v] = [tensor("T=1, C=1", [1]), tensor("S=1, C=1", [0]), tensor("S=1, C=1", [8])];
    const found = compute([q, k, v, tensor("", [Math.log(3)])], attend({ hasSinks: true, hasMask: false }));
    close(found, tensor("T=1, C=1", [2]));
  });

  it("gives zeros to a row without keys, and does not read keys that are not allowed", () => {
    const q = tensor("T=2, C=1", [1, 1]);
    const v = tensor("S=1, C=1", [5]);
    const keep = tensor("T=2, S=1", [0, 1], "bool");
    const found = compute([q, tensor("S=1, C=1", [1]), v, keep], attend({ hasMask: false, hasKeep: true }));
    expect(numbers(found)).toEqual([0, 5]);
    const none = compute([q, tensor("S=0, C=1", []), tensor("S=0, C=1", [])], attend({ hasMask: false }));
    expect(numbers(none)).toEqual([0, 0]);
    const broken = [tensor("S=2, C=1", [1, NaN]), tensor("S=2, C=1", [5, NaN])] as const;
    const half = tensor("S=2", [1, 0], "bool");
    expect(numbers(compute([q, ...broken, half], attend({ hasMask: false, hasKeep: true })))).toEqual([5, 5]);
  });
});

describe("stack and fold", () => {
  const x = tensor("D=3", [1, 2, 3]);
  const w = tensor("L=3, D=3", [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  it("stack is its body once for every layer, with the number of the layer", () => {
    const found = compute([x, w, tensor("", [0.5])], (scope, [value, params, capture]) => {
      const body = scope.region([token, token, scalarOf("f32")], (inner, [carried, own, c]) => {
        const layer = inner.one("cast", [inner.one("layer_index", [], { stack: "s" })], { to: "f32" });
        return [inner.one("add", [inner.one("mul", [inner.one("mul", [carried!, own!]), c!]), layer])];
      });
      return scope.add(
        "stack",
        [value!, params!, capture!],
        { name: "s", layers: Size.of(3), carried: 1, stacked: 1 },
        { regions: [body] },
      );
    });
    let expected = [1, 2, 3];
    for (let layer = 0; layer < 3; layer++) expected = expected.map((v, d) => v * w.data[layer * 3 + d]! * 0.5 + layer);
    expect(numbers(found)).toEqual(expected);
  });

  it("fold is its body once for every turn; none leaves the values as they are", () => {
    const folded = (from: number, to: number): number[] =>
      numbers(
        compute([x, tensor("", [2])], (scope, [value, capture]) => {
          const body = scope.region([scalarOf("i32"), token, scalarOf("f32")], (inner, [turn, carried, c]) => [
            inner.one("add", [inner.one("mul", [carried!, c!]), inner.one("cast", [turn!], { to: "f32" })]),
          ]);
          return scope.add(
            "fold",
            [value!, capture!],
            { from: Size.of(from), to: Size.of(to), carried: 1 },
            { regions: [body] },
          );
        }),
      );
    expect(folded(2, 4)).toEqual([(1 * 2 + 2) * 2 + 3, (2 * 2 + 2) * 2 + 3, (3 * 2 + 2) * 2 + 3]);
    expect(folded(4, 2)).toEqual([1, 2, 3]);
    expect(folded(0, 0)).toEqual([1, 2, 3]);
  });

  it("fold keeps what each turn gives behind the carried values, in order", () => {
    const rows = (from: number, to: number): ReferenceTensor => {
      const inputs = [x, tensor("", [2])];
      const program = programOf(inputs, (scope, [value, capture]) => {
        const body = scope.region([scalarOf("i32"), token, scalarOf("f32")], (inner, [turn, carried, c]) => {
          const number = inner.one("cast", [turn!], { to: "f32" });
          return [inner.one("mul", [carried!, c!]), inner.one("add", [carried!, number])];
        });
        const attrs = { from: Size.of(from), to: Size.of(to), carried: 1, rows: "T" };
        return scope.add("fold", [value!, capture!], attrs, { regions: [body] });
      });
      return evaluate(program, "f", { inputs: { in0: inputs[0]!, in1: inputs[1]! } }).outputs.out1 as ReferenceTensor;
    };
    const found = rows(2, 5);
    expect(found.axes).toEqual([
      { name: "T", size: 3 },
      { name: "D", size: 3 },
    ]);
    expect(numbers(found)).toEqual([3, 4, 5, 2 + 3, 4 + 3, 6 + 3, 4 + 4, 8 + 4, 12 + 4]);
    expect(rows(4, 4).axes).toEqual([
      { name: "T", size: 0 },
      { name: "D", size: 3 },
    ]);
    expect(numbers(rows(4, 2))).toEqual([]);
  });

  it("keeps a state for every layer of nested stacks, and one outside of them", () => {
    const state = (path: string, layerAxes: number, ...sizes: number[]) => ({
      path,
      kind: "fixed" as const,
      dtype: "f32" as const,
      axes: sizes.map((size, index) => ({ name: `L${index}`, size: Size.of(size) })),
      layerAxes,
      init: 10,
    });
    const shell = { ...empty, states: [state("inner", 2, 2, 3), state("outer", 1, 2), state("all", 0)] };
    /** Adds 1 to a state and gives it. */
    const count = (scope: RegionBuilder, path: string): Value => {
      const next = scope.one("add", [scope.one("state_read", [], { state: path }), scope.number(1)]);
      return scope.one("state_write", [next], { state: path });
    };
    const program = programOf(
      [tensor("", [0])],
      (scope, [start]) => {
        const body = scope.region([scalarOf("f32")], (outer, [sum]) => {
          const deep = outer.region([scalarOf("f32")], (inner, [part]) => [
            inner.one("add", [inner.one("add", [part!, count(inner, "inner")]), count(inner, "all")]),
          ]);
          const attrs = { name: "b", layers: Size.of(3), carried: 1, stacked: 0 };
          const after = outer.one("stack", [sum!], attrs, { regions: [deep] });
          return [outer.one("add", [after, count(outer, "outer")])];
        });
        return scope.add(
          "stack",
          [start!],
          { name: "a", layers: Size.of(2), carried: 1, stacked: 0 },
          { regions: [body] },
        );
      },
      shell,
    );
    const states = new StateStore();
    const call = (): number =>
      numbers(evaluate(program, "f", { inputs: { in0: tensor("", [0]) }, states }).outputs.out0 as ReferenceTensor)[0]!;
    // Six inner states at 11, two outer ones at 11, and one shared that counts 11 to 16.
    expect(call()).toBe(6 * 11 + 2 * 11 + (11 + 12 + 13 + 14 + 15 + 16));
    expect(call()).toBe(6 * 12 + 2 * 12 + (17 + 18 + 19 + 20 + 21 + 22));
  });

  it("reads knobs, given or declared", () => {
    const knob = { path: "k", dtype: "f32" as const, axes: [D], layerAxes: 0, init: 2 };
    const program = programOf(
      [x],
      (scope, [value]) => [scope.one("mul", [value!, scope.one("knob", [], { path: "k" })])],
      { ...empty, knobs: [knob] },
    );
    const call = (knobs: Record<string, ReferenceTensor>) =>
      numbers(evaluate(program, "f", { inputs: { in0: x }, knobs }).outputs.out0 as ReferenceTensor);
    expect(call({})).toEqual([2, 4, 6]);
    expect(call({ k: tensor("D=3", [1, 0, -1]) })).toEqual([1, 0, -3]);
  });
});
