import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import type { Program, Value } from "../../compiler/2-graph/ir.js";
import { findClusters, type Cluster } from "../../compiler/3-optimize/index.js";
import { programOf } from "./graph-text.js";
import { axis, tensor } from "./tiny-model.js";

const T = axis("T", "T");
const D = axis("D", 8);
const F = axis("F", 5);
const E = axis("E", 6);
const row = tensor([T, D]);

const clustersOf = (program: Program): readonly Cluster[] => findClusters(program.entries[0]!.body);
const kinds = (program: Program): readonly string[] => clustersOf(program).map(({ kind }) => kind);
/** The ops of the members of a cluster. */
function opsOf(program: Program, cluster: Cluster): readonly string[] {
  const { nodes } = program.entries[0]!.body;
  return cluster.nodes.map((id) => nodes.find((node) => node.results[0]!.id === id)!.op);
}

interface NormOptions {
  readonly centred?: boolean;
  readonly division?: boolean;
  readonly leak?: boolean;
  readonly kind?: string;
}
/** A norm of the first input with gain and bias from the next two. */
function norm({ centred = false, division = false, leak = false, kind = "mean" }: NormOptions = {}): Program {
  return programOf([row, tensor([D]), tensor([D])], (scope, [x, gain, bias]) => {
    const mean = (value: Value, of: string): Value => scope.one("reduce", [value], { kind: of, over: ["D"] });
    const value = centred ? scope.one("sub", [x!, mean(x!, "mean")]) : x!;
    const inner = scope.one("add", [mean(scope.one("mul", [value, value]), kind), scope.number(1e-6)]);
    const normal = division
      ? scope.one("div", [value, scope.one("sqrt", [inner])])
      : scope.one("mul", [scope.one("rsqrt", [inner]), value]);
    const result = scope.one("add", [scope.one("mul", [normal, gain!]), bias!]);
    return leak ? [result, inner] : [result];
  });
}

describe("norms", () => {
  it.each<[string, NormOptions, object]>([
    ["root mean square", {}, { centred: false, statistic: "mean" }],
    ["layer", { centred: true }, { centred: true, statistic: "mean" }],
    ["by division", { division: true }, { centred: false }],
    ["centred, by division", { centred: true, division: true }, { centred: true }],
    ["by length", { kind: "sum" }, { statistic: "sum" }],
  ])("%s", (_, options, expected) => {
    const program = norm(options);
    const [x, gain, bias] = program.entries[0]!.body.params.map(({ id }) => id);
    const [cluster, ...others] = clustersOf(program);
    expect(others).toEqual([]);
    expect(cluster).toMatchObject({
      kind: "norm",
      ...expected,
      input: x,
      gain,
      bias,
      over: ["D"],
      epsilon: 1e-6,
      output: program.entries[0]!.body.results[0],
      outputs: program.entries[0]!.body.results,
    });
  });

  it("is none when an inner value is wanted outside, or the statistic is another one", () => {
    expect(kinds(norm({ leak: true }))).toEqual([]);
    expect(kinds(norm({ kind: "max" }))).toEqual([]);
  });

  it("leaves a product with something of another axis outside", () => {
    const program = programOf([row], (scope, [x]) => {
      const mean = scope.one("reduce", [scope.one("mul", [x!, x!])], { kind: "mean", over: ["D"] });
      const normal = scope.one("mul", [x!, scope.one("rsqrt", [mean])]);
      return [scope.one("mul", [normal, x!])];
    });
    const [cluster] = clustersOf(program);
    expect(opsOf(program, cluster!)).toEqual(["mul", "reduce", "rsqrt", "mul"]);
    expect(cluster).not.toHaveProperty("gain");
    expect(cluster).toMatchObject({ epsilon: 0 });
  });
});

const routeAttrs = (choice: string, hasBy: boolean): Parameters<RegionBuilder["one"]>[2] => ({
  choice,
  k: Size.of(2),
  experts: "E",
  hasBy,
  hasWhere: false,
  renormalize: true,
  epsilon: 0,
});

describe("routers", () => {
  /** DeepSeek-V3: sigmoid, a bias that steers, groups, choice, scale. */
  const grouped = (choice: string): Program =>
    programOf([row, tensor([D, E]), tensor([E])], (scope, [x, w, bias]) => {
      const scores = scope.one("sigmoid", [scope.one("contract", [x!, w!], { over: ["D"] })]);
      const steered = scope.one("add", [scores, scope.one("mul", [bias!, scope.number(2)])]);
      const groups = scope.one("split", [steered], {
        axis: "E",
        into: [
          { name: "G", size: Size.of(2) },
          { name: "M", size: Size.of(3) },
        ],
      });
      const [best] = scope.add("top", [groups], { over: "M", k: Size.of(2), as: "K" });
      const sums = scope.one("reduce", [best!], { kind: "sum", over: ["K"] });
      const mask = scope.one("top_mask", [sums], { over: "G", k: Size.one });
      const kept = scope.one("where", [mask, groups, scope.number(-Infinity)]);
      const merged = scope.one("merge", [kept], { axes: ["G", "M"], into: "E" });
      const routes = scope.one("route", [scores, merged], routeAttrs(choice, true));
      const scaled = scope.one("routes_scale", [routes, scope.number(2.5)]);
      return [scope.one("routes_dense", [scaled])];
    });

  it("reach from the scores to the routes", () => {
    const program = grouped("top");
    const router = clustersOf(program).find((each) => each.kind === "router")!;
    const { nodes } = program.entries[0]!.body;
    const id = (op: string): number => nodes.find((node) => node.op === op)!.results[0]!.id;
    expect(opsOf(program, router)).toEqual([
      "sigmoid",
      "add",
      "split",
      "top",
      "reduce",
      "top_mask",
      "where",
      "merge",
      "route",
      "routes_scale",
    ]);
    expect(router).toMatchObject({
      route: id("route"),
      routes: id("routes_scale"),
      scores: [id("contract")],
      outputs: [id("routes_scale")],
    });
  });

  it("are none over all tokens", () => {
    expect(kinds(grouped("experts"))).not.toContain("router");
  });

  it("leave out what others want to see", () => {
    const program = programOf([tensor([T, E])], (scope, [s]) => {
      const p = scope.one("softmax", [s!], { over: "E" });
      return [scope.one("routes_dense", [scope.one("route", [p], routeAttrs("top", false))]), p];
    });
    expect(opsOf(program, clustersOf(program)[0]!)).toEqual(["route"]);
  });
});

describe("experts", () => {
  const bank = (body: (scope: RegionBuilder, x: Value, params: readonly Value[]) => Value): Program =>
    programOf(
      [row, tensor([T, E]), tensor([E, D, F]), tensor([E, D, F]), tensor([E, F, D])],
      (scope, [x, s, ...params]) => {
        const routes = scope.one("route", [s!], routeAttrs("top", false));
        const types = [tensor([D]), tensor([D, F]), tensor([D, F]), tensor([F, D])];
        const region = scope.region(
          types.map((type) => ({ type })),
          (inner, [token, ...own]) => [body(inner, token!, own)],
        );
        const attrs = { banks: [{ experts: E.size, params: 3 }], captures: 0, weigh: "output" };
        return [scope.one("mixture", [x!, routes, ...params], attrs, { regions: [region] })];
      },
    );
  const product = (s: RegionBuilder, x: Value, w: Value, over: string): Value =>
    s.one("contract", [x, w], { over: [over] });

  it("with gate, up and down", () => {
    const program = bank((s, x, [gate, up, down]) => {
      const hidden = s.one("mul", [s.one("silu", [product(s, x, gate!, "D")]), product(s, x, up!, "D")]);
      return s.one("mul", [product(s, hidden, down!, "F"), s.number(0.5)]);
    });
    const { nodes } = program.entries[0]!.body;
    const [x, gate, up, down] = nodes.at(-1)!.regions[0]!.params.map(({ id }) => id);
    const cluster = clustersOf(program).find((each) => each.kind === "expert")!;
    const inner = nodes.at(-1)!.regions[0]!.nodes;
    const ids = (op: string): readonly number[] =>
      inner.filter((node) => node.op === op).map((node) => node.results[0]!.id);
    expect(x).toBeDefined();
    expect(cluster).toMatchObject({
      mixture: nodes.at(-1)!.results[0]!.id,
      bank: 0,
      projections: [
        { value: ids("contract")[0], weight: gate, over: ["D"] },
        { value: ids("contract")[1], weight: up, over: ["D"] },
      ],
      hidden: [...ids("silu"), ids("mul")[0]],
      down: { value: ids("contract")[2], weight: down, over: ["F"] },
      tail: [ids("mul")[1]],
    });
  });

  it.each<[string, Parameters<typeof bank>[0], boolean]>([
    [
      "without down: a product and an activation",
      (s, x, [, , down]) => {
        const wide = s.one("rename", [s.one("rename", [down!], { from: "D", to: "X" })], { from: "F", to: "D" });
        const shrunk = s.one("slice", [x], { axis: "D", from: Size.zero, to: Size.of(5) });
        return s.one("rename", [product(s, shrunk, wide, "D")], { from: "X", to: "D" });
      },
      false,
    ],
    [
      "work on the token before the products",
      (s, x, [gate, , down]) => product(s, product(s, s.one("exp", [x]), gate!, "D"), down!, "F"),
      false,
    ],
    [
      "a normalization in between",
      (s, x, [gate, , down]) => product(s, s.one("softmax", [product(s, x, gate!, "D")], { over: "F" }), down!, "F"),
      false,
    ],
    [
      "a residual around it",
      (s, x, [gate, , down]) => s.one("add", [product(s, product(s, x, gate!, "D"), down!, "F"), x]),
      true,
    ],
    [
      "a third product",
      (s, x, [gate, up, down]) =>
        product(s, product(s, product(s, product(s, x, gate!, "D"), down!, "F"), up!, "D"), down!, "F"),
      false,
    ],
    ["the token itself", (_, x) => x, false],
  ])("%s: %#", (_, body, expected) => {
    expect(kinds(bank(body)).includes("expert")).toBe(expected);
  });
});

describe("epilogues", () => {
  it("take bias, activation and residual, as long as nobody else looks", () => {
    const build = (leak: boolean): Program =>
      programOf([row, tensor([D, F]), tensor([F]), tensor([T, F])], (scope, [x, w, bias, residual]) => {
        const y = scope.one("contract", [x!, w!], { over: ["D"] });
        const biased = scope.one("add", [y, bias!]);
        const result = scope.one("add", [scope.one("silu", [biased]), residual!]);
        return leak ? [result, biased] : [result];
      });
    const whole = build(false);
    expect(opsOf(whole, clustersOf(whole)[0]!)).toEqual(["contract", "add", "silu", "add"]);
    const cut = build(true);
    expect(opsOf(cut, clustersOf(cut)[0]!)).toEqual(["contract", "add"]);
  });
  it("are none where the result grows", () => {
    const program = programOf([row, tensor([D, F]), tensor([E])], (scope, [x, w, e]) => [
      scope.one("mul", [scope.one("contract", [x!, w!], { over: ["D"] }), e!]),
    ]);
    expect(kinds(program)).toEqual([]);
  });
});
