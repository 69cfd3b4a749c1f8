import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attrs, ReferenceRoutes, ReferenceTensor } from "../../compiler/ops/types.js";
import { anyTensor, lines, numbers, run, runAll, runRoutes, size, tensor } from "./support.js";

const plain = { experts: "E", hasBy: false, hasWhere: false, renormalize: false, epsilon: 0 };

function choose(weights: ReferenceTensor, attrs: Attrs, ...more: ReferenceTensor[]): ReferenceRoutes {
  return runRoutes("route", [weights, ...more], { ...plain, ...attrs });
}

describe("top, sort, argmax", () => {
  const two = (value: ReferenceTensor, k: number): [number[], number[]] => {
    const [values, indices] = runAll("top", [value], { over: "E", k: size(k), as: "K" });
    return [numbers(values as ReferenceTensor), numbers(indices as ReferenceTensor)];
  };

  it("gives equal ones in the order of their indices and never NaN", () => {
    expect(two(tensor("E=5", [1, 3, 3, 2, 3]), 3)).toEqual([
      [3, 3, 3],
      [1, 2, 4],
    ]);
    expect(two(tensor("E=3", [NaN, -Infinity, NaN]), 2)).toEqual([
      [-Infinity, -Infinity],
      [1, -1],
    ]);
    expect(numbers(run("argmax", [tensor("E=4", [NaN, 2, 5, 5])], { over: "E" }))).toEqual([2]);
    expect(numbers(run("argmin", [tensor("E=4", [NaN, 2, 5, 2])], { over: "E" }))).toEqual([1]);
    expect(numbers(run("argmax", [tensor("E=2", [NaN, NaN])], { over: "E" }))).toEqual([-1]);
    expect(numbers(run("argmax", [tensor("T=2, E=0", [])], { over: "E" }))).toEqual([-1, -1]);
  });

  it("top is the front of a stable sort, along any axis", () => {
    fc.assert(
      fc.property(anyTensor("A=2, E=6, B=2"), fc.integer({ min: 0, max: 6 }), (x, k) => {
        const [values, indices] = runAll("top", [x], { over: "E", k: size(k), as: "E" });
        const sorted = runAll("sort", [x], { over: "E", descending: true });
        const front = sorted.map((each) => run("slice", [each], { axis: "E", from: size(0), to: size(k) }));
        expect([values, indices]).toEqual(front);
      }),
    );
  });

  it("sort orders every line, NaN last, and its indices find the values", () => {
    fc.assert(
      fc.property(anyTensor("T=3, E=5", true), fc.boolean(), (x, descending) => {
        const [values, indices] = runAll("sort", [x], { over: "E", descending }) as ReferenceTensor[];
        lines(values!, "E", (line) => {
          const real = line.filter((value) => !Number.isNaN(value));
          expect(line.slice(0, real.length)).toEqual(real);
          for (let i = 1; i < real.length; i++) {
            expect(descending ? real[i - 1]! >= real[i]! : real[i - 1]! <= real[i]!).toBe(true);
          }
        });
        const found = run("gather", [run("rename", [x], { from: "E", to: "X" }), indices!], { axis: "X" });
        expect(found.data).toEqual(values!.data);
      }),
    );
  });

  it("top_mask marks what top takes", () => {
    fc.assert(
      fc.property(anyTensor("T=2, E=5", true), fc.integer({ min: 0, max: 5 }), (x, k) => {
        const mask = run("top_mask", [x], { over: "E", k: size(k) });
        const [, indices] = runAll("top", [x], { over: "E", k: size(k), as: "K" }) as ReferenceTensor[];
        const marked = run("scatter", [indices!, tensor(`T=2, K=${k}`, Array<number>(2 * k).fill(1))], {
          axis: "E",
          size: size(5),
          mode: "set",
        });
        expect(numbers(marked)).toEqual(numbers(mask));
      }),
    );
  });
});

describe("route", () => {
  it("top keeps distinct experts, best first, and empty slots last", () => {
    fc.assert(
      fc.property(anyTensor("T=4, E=6", true), fc.integer({ min: 0, max: 6 }), (scores, k) => {
        const routes = choose(scores, { choice: "top", k: size(k) });
        expect(routes.slots).toBe(k);
        for (let token = 0; token < 4; token++) {
          const own = [...routes.index.subarray(token * k, (token + 1) * k)];
          const filled = own.filter((expert) => expert >= 0);
          expect(own.slice(filled.length).every((expert) => expert === -1)).toBe(true);
          expect(new Set(filled).size).toBe(filled.length);
          const allowed = [0, 1, 2, 3, 4, 5].filter((e) => Number.isFinite(scores.data[token * 6 + e]));
          expect(filled.length).toBe(Math.min(k, allowed.length));
          const worst = Math.min(...filled.map((e) => scores.data[token * 6 + e]!));
          for (const e of allowed)
            if (!filled.includes(e)) expect(scores.data[token * 6 + e]!).toBeLessThanOrEqual(worst);
          filled.forEach((e, slot) => expect(routes.weight[token * k + slot]).toBe(scores.data[token * 6 + e]));
          for (let slot = filled.length; slot < k; slot++) expect(routes.weight[token * k + slot]).toBe(0);
        }
      }),
    );
  });

  it("breaks ties by the lowest index", () => {
    expect([...choose(tensor("E=4", [1, 2, 2, 2]), { choice: "top", k: size(2) }).index]).toEqual([1, 2]);
  });

  it("chooses by one score and weighs by another, and renormalizes", () => {
    const weights = tensor("E=3", [0.5, 0.25, 0.25]);
    const by = tensor("E=3", [0, 9, 8]);
    const routes = choose(weights, { choice: "top", k: size(2), hasBy: true, renormalize: true }, by);
    expect([...routes.index]).toEqual([1, 2]);
    expect([...routes.weight]).toEqual([0.5, 0.5]);
    const none = choose(tensor("E=2", [0, 0]), { choice: "top", k: size(2), renormalize: true });
    expect([...none.weight]).toEqual([0, 0]);
    const shifted = choose(tensor("E=1", [1]), { choice: "top", k: size(1), renormalize: true, epsilon: 1 });
    expect([...shifted.weight]).toEqual([0.5]);
  });

  it("renormalized weights sum to 1", () => {
    const positive = anyTensor("T=3, E=5").map((x) => run("exp", [x]));
    fc.assert(
      fc.property(positive, fc.integer({ min: 1, max: 5 }), (p, k) => {
        const { weight } = choose(p, { choice: "top", k: size(k), renormalize: true });
        for (let t = 0; t < 3; t++) {
          const sum = weight.subarray(t * k, (t + 1) * k).reduce((total, value) => total + value, 0);
          // k divisions and k additions of rounding 2^-53 each.
          expect(Math.abs(sum - 1)).toBeLessThanOrEqual(2 * k * 2 ** -53);
        }
      }),
    );
  });

  it("within takes the same number of every group", () => {
    const scores = tensor("E=6", [9, 8, 7, 1, 2, 3]);
    expect([...choose(scores, { choice: "within", k: size(4), groups: size(2) }).index]).toEqual([0, 1, 5, 4]);
    const closed = tensor("E=4", [-Infinity, -Infinity, 1, 2]);
    const routes = choose(closed, { choice: "within", k: size(2), groups: size(2) });
    expect([...routes.index]).toEqual([3, -1]);
    expect([...routes.weight]).toEqual([2, 0]);
  });

  it("where takes those that are true, at most k", () => {
    const scores = tensor("T=2, E=3", [1, 2, 3, 1, 2, 3]);
    const where = tensor("T=2, E=3", [1, 1, 0, 0, 0, 0], "bool");
    const routes = choose(scores, { choice: "where", k: size(2), hasWhere: true }, where);
    expect([...routes.index]).toEqual([1, 0, -1, -1]);
  });

  it("experts take their best tokens, everyone takes all", () => {
    const scores = tensor("T=3, E=2", [1, 9, 2, 8, 3, 9]);
    const routes = choose(scores, { choice: "experts", k: size(2) });
    // Expert 0 takes tokens 2 and 1, expert 1 takes 0 and 2 (a tie, and the lowest first).
    expect([...routes.index]).toEqual([1, -1, 0, -1, 0, 1]);
    expect([...routes.weight]).toEqual([9, 0, 2, 0, 3, 9]);
    const all = choose(tensor("E=2", [NaN, -Infinity]), { choice: "everyone", k: size(2) });
    expect([...all.index]).toEqual([0, 1]);
  });

  it("each expert takes exactly its k tokens in every line of the last token axis", () => {
    fc.assert(
      fc.property(anyTensor("B=2, T=5, E=3"), fc.integer({ min: 0, max: 5 }), (scores, k) => {
        const routes = choose(scores, { choice: "experts", k: size(k) });
        expect(numbers(run("routes_count", [routes]))).toEqual([2 * k, 2 * k, 2 * k]);
      }),
    );
  });

  it("only takes numbers as they are, and drops those outside", () => {
    const routes = choose(tensor("T=4", [2, 0, 5, -1], "i32"), { choice: "only", k: size(1), size: size(3) });
    expect([...routes.index]).toEqual([2, 0, -1, -1]);
    expect([...routes.weight]).toEqual([1, 1, 0, 0]);
  });

  it("has no tokens when there are none", () => {
    const routes = choose(tensor("T=0, E=3", []), { choice: "top", k: size(2) });
    expect(routes.index).toHaveLength(0);
  });
});

describe("routes", () => {
  const weights = tensor("T=2, E=3", [0.5, 0.3, 0.2, 0.1, 0.2, 0.7]);
  const routes = choose(weights, { choice: "top", k: size(2) });

  it("dense, index, weight, count", () => {
    expect(numbers(run("routes_dense", [routes]))).toEqual([0.5, 0.3, 0, 0, 0.2, 0.7]);
    expect(numbers(run("routes_index", [routes], { axis: "K" }))).toEqual([0, 1, 2, 1]);
    expect(numbers(run("routes_weight", [routes], { axis: "K" }))).toEqual([0.5, 0.3, 0.7, 0.2]);
    expect(numbers(run("routes_count", [routes]))).toEqual([1, 2, 1]);
  });

  it("scale by scalar, expert or token", () => {
    const scaled = (factor: ReferenceTensor): number[] => [...runRoutes("routes_scale", [routes, factor]).weight];
    expect(scaled(tensor("", [2]))).toEqual([1, 0.6, 1.4, 0.4]);
    expect(scaled(tensor("E=3", [1, 0, 10]))).toEqual([0.5, 0, 7, 0]);
    expect(scaled(tensor("T=2", [1, 0]))).toEqual([0.5, 0.3, 0, 0]);
  });

  it("make takes apart what index and weight show", () => {
    const index = run("routes_index", [routes], { axis: "K" });
    const weight = run("routes_weight", [routes], { axis: "K" });
    const again = runRoutes("routes_make", [index, weight], { experts: { name: "E", size: size(3) } });
    expect(again).toEqual(routes);
    const outside = runRoutes("routes_make", [tensor("K=2", [7, 0], "i32"), tensor("K=2", [1, 1])], {
      experts: { name: "E", size: size(3) },
    });
    expect([...outside.index, ...outside.weight]).toEqual([-1, 0, 0, 1]);
  });

  it("limit gives places slot by slot, drops or moves the rest", () => {
    const full = choose(tensor("T=3, E=3", [9, 5, 1, 9, 5, 1, 9, 1, 5]), { choice: "top", k: size(2) });
    const drop = runRoutes("routes_limit", [full], { capacity: size(2), overflow: "drop" });
    expect([...drop.index]).toEqual([0, 1, 0, 1, -1, 2]);
    expect(drop.weight[4]).toBe(0);
    const next = runRoutes("routes_limit", [full], { capacity: size(2), overflow: "next" });
    // Token 2 finds expert 0 full; 1 has room among first choices, so token 1's second choice finds 1 full later.
    expect([...next.index]).toEqual([0, 1, 0, 2, 1, 2]);
    const scores = tensor("T=3, E=3", [9, 5, 1, 9, 5, 1, 9, 1, 5]);
    const best = runRoutes("routes_limit", [full, scores], { capacity: size(2), overflow: "next" });
    expect([...best.index].slice(4)).toEqual([1, 2]);
  });

  it("limit never exceeds the capacity and never gives a token an expert twice", () => {
    fc.assert(
      fc.property(
        anyTensor("T=6, E=4"),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 5 }),
        fc.constantFrom("drop", "next"),
        fc.boolean(),
        (scores, k, capacity, overflow, byScore) => {
          const given = choose(scores, { choice: "top", k: size(k) });
          const operands = byScore ? [given, scores] : [given];
          const limited = runRoutes("routes_limit", operands, { capacity: size(capacity), overflow });
          for (const count of numbers(run("routes_count", [limited]))) expect(count).toBeLessThanOrEqual(capacity);
          for (let t = 0; t < 6; t++) {
            const own = [...limited.index.subarray(t * k, (t + 1) * k)].filter((expert) => expert >= 0);
            expect(new Set(own).size).toBe(own.length);
          }
          if (capacity >= 6) expect(limited.index).toEqual(given.index);
        },
      ),
    );
  });
});
