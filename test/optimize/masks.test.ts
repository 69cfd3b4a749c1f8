import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { Node, Region, Value } from "../../compiler/2-graph/ir.js";
import { classifyBlock, intervalText, keyRanges, maskIntervals } from "../../compiler/3-optimize/masks/intervals.js";

/** A mask as a small tree, from which both a region and a plain function are made. */
interface Two<Op> {
  readonly op: Op;
  readonly a: Term;
  readonly b: Term;
}
type Arithmetic = "add" | "sub" | "mul" | "div" | "mod" | "min" | "max";
type Term = "q" | "k" | number | Two<Arithmetic> | { readonly op: "abs" | "neg"; readonly a: Term };
const relations = ["lt", "le", "gt", "ge", "eq", "ne"] as const;
interface Compare {
  readonly op: (typeof relations)[number];
  readonly left: Term;
  readonly right: Term;
}
type Mask =
  | boolean
  | Compare
  | { readonly op: "and" | "or"; readonly x: Mask; readonly y: Mask }
  | { readonly op: "not"; readonly x: Mask };

function termValue(term: Term, q: number, k: number): number {
  if (term === "q") return q;
  if (term === "k") return k;
  if (typeof term === "number") return term;
  const a = termValue(term.a, q, k);
  if (!("b" in term)) return term.op === "abs" ? Math.abs(a) : -a;
  const b = termValue(term.b, q, k);
  switch (term.op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "div":
      return b === 0 ? 0 : Math.trunc(a / b);
    case "mod":
      return b === 0 ? 0 : a - b * Math.floor(a / b);
    case "min":
      return Math.min(a, b);
    case "max":
      return Math.max(a, b);
  }
}

function allowed(mask: Mask, q: number, k: number): boolean {
  if (typeof mask === "boolean") return mask;
  if (!("left" in mask)) {
    if (mask.op === "not") return !allowed(mask.x, q, k);
    if (mask.op === "and") return allowed(mask.x, q, k) && allowed(mask.y, q, k);
    return allowed(mask.x, q, k) || allowed(mask.y, q, k);
  }
  const a = termValue(mask.left, q, k);
  const b = termValue(mask.right, q, k);
  return { lt: a < b, le: a <= b, gt: a > b, ge: a >= b, eq: a === b, ne: a !== b }[mask.op];
}

function regionOf(mask: Mask): Region {
  const nodes: Node[] = [];
  const value = (id: number, dtype: "i32" | "bool"): Value => ({ id, type: { kind: "tensor", dtype, axes: [] } });
  const params = [value(0, "i32"), value(1, "i32")];
  const add = (op: string, operands: readonly number[], dtype: "i32" | "bool", attrs: Node["attrs"] = {}): number => {
    const result = value(2 + nodes.length, dtype);
    nodes.push({ op, operands, attrs, regions: [], results: [result] });
    return result.id;
  };
  const term = (each: Term): number => {
    if (each === "q") return 0;
    if (each === "k") return 1;
    if (typeof each === "number") return add("constant", [], "i32", { value: each, dtype: "i32" });
    return add(each.op, "b" in each ? [term(each.a), term(each.b)] : [term(each.a)], "i32");
  };
  const truth = (each: Mask): number => {
    if (typeof each === "boolean") return add("constant", [], "bool", { value: Number(each), dtype: "bool" });
    if ("left" in each) return add(each.op, [term(each.left), term(each.right)], "bool");
    return add(each.op, "y" in each ? [truth(each.x), truth(each.y)] : [truth(each.x)], "bool");
  };
  const result = truth(mask);
  return { params, nodes, results: [result] };
}

const causal: Mask = { op: "le", left: "k", right: "q" };
const window = (w: number): Mask => ({ op: "lt", left: { op: "sub", a: "q", b: "k" }, right: w });
const sinks = (n: number): Mask => ({ op: "lt", left: "k", right: n });
const sameBlock = (n: number): Mask => ({
  op: "eq",
  left: { op: "div", a: "q", b: n },
  right: { op: "div", a: "k", b: n },
});

describe("intervals of well-known masks", () => {
  const text = (mask: Mask): readonly string[] => maskIntervals(regionOf(mask))!.intervals.map(intervalText);
  it.each<[string, Mask, readonly string[], boolean]>([
    ["causal", causal, ["[0, q + 1)"], true],
    ["window", { op: "and", x: causal, y: window(4) }, ["[q - 3, q + 1)"], true],
    [
      "window and sinks",
      { op: "and", x: causal, y: { op: "or", x: window(4), y: sinks(2) } },
      ["[q - 3, q + 1)", "[0, min(q + 1, 2))"],
      true,
    ],
    ["blocks", sameBlock(4), ["[4*trunc-div(q, 4), 4*trunc-div(q, 4) + 4)"], true],
    ["nothing", false, [], true],
    ["everything", true, ["[0, keys)"], true],
    ["not the future", { op: "not", x: { op: "gt", left: "k", right: "q" } }, ["[0, q + 1)"], true],
    ["a stride", { op: "eq", left: { op: "mod", a: "k", b: 4 }, right: 0 }, ["[0, keys)"], false],
    ["early queries only", { op: "lt", left: "q", right: 8 }, ["[0, keys) if q - 7 <= 0"], true],
  ])("%s", (_, mask, intervals, exact) => {
    expect(text(mask)).toEqual(intervals);
    expect(maskIntervals(regionOf(mask))!.exact).toBe(exact);
  });

  it("knows that a causal window moves on with the query", () => {
    expect(maskIntervals(regionOf({ op: "and", x: causal, y: window(4) }))!.monotone).toBe(true);
    expect(maskIntervals(regionOf({ op: "lt", left: { op: "neg", a: "q" }, right: "k" }))!.monotone).toBe(false);
  });

  it("classifies blocks", () => {
    const mask = maskIntervals(regionOf({ op: "and", x: causal, y: window(64) }))!;
    expect(classifyBlock(mask, { q: [64, 80], k: [80, 96] })).toBe("empty");
    expect(classifyBlock(mask, { q: [64, 80], k: [32, 48] })).toBe("full");
    expect(classifyBlock(mask, { q: [64, 80], k: [64, 80] })).toBe("partial");
    expect(classifyBlock(mask, { q: [128, 144], k: [0, 64] })).toBe("empty");
    expect(classifyBlock(mask, { q: [4, 4], k: [0, 64] })).toBe("empty");
    const blocks = maskIntervals(regionOf(sameBlock(16)))!;
    expect(classifyBlock(blocks, { q: [16, 32], k: [16, 32] })).toBe("full");
    expect(classifyBlock(blocks, { q: [16, 32], k: [32, 48] })).toBe("empty");
  });
});

describe("what is not static is not read", () => {
  const param = (id: number): Value => ({ id, type: { kind: "tensor", dtype: "i32", axes: [] } });
  const result: Value = { id: 9, type: { kind: "tensor", dtype: "bool", axes: [] } };
  it("refuses products of positions and unknown ops", () => {
    expect(maskIntervals(regionOf({ op: "lt", left: { op: "mul", a: "q", b: "k" }, right: 4 }))).toBeUndefined();
    const odd: Node = { op: "odd", operands: [0, 1], attrs: {}, regions: [], results: [result] };
    expect(maskIntervals({ params: [param(0), param(1)], nodes: [odd], results: [9] })).toBeUndefined();
  });
  it("keeps run-time sizes as names", () => {
    const past: Node = {
      op: "size",
      operands: [],
      attrs: { value: Size.of("past") },
      regions: [],
      results: [param(2)],
    };
    const less: Node = { op: "lt", operands: [1, 2], attrs: {}, regions: [], results: [result] };
    const mask = maskIntervals({ params: [param(0), param(1)], nodes: [past, less], results: [9] })!;
    expect(mask.intervals.map(intervalText)).toEqual(["[0, past)"]);
    expect(classifyBlock(mask, { q: [0, 4], k: [0, 4] })).toBe("partial");
    expect(classifyBlock(mask, { q: [0, 4], k: [0, 4] }, { past: 4 })).toBe("full");
    expect(classifyBlock(mask, { q: [0, 4], k: [4, 8] }, { past: 4 })).toBe("empty");
  });
});

const small = fc.integer({ min: -6, max: 6 });
const { term } = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Term>("q", "k"),
    small,
    fc.record({
      op: fc.constantFrom("add" as const, "sub" as const, "min" as const, "max" as const),
      a: tie("term"),
      b: tie("term"),
    }),
    fc.record({ op: fc.constantFrom("mul" as const, "div" as const, "mod" as const), a: tie("term"), b: small }),
    fc.record({ op: fc.constantFrom("abs" as const, "neg" as const), a: tie("term") }),
  ),
}));
const { mask: anyMask } = fc.letrec<{ mask: Mask }>((tie) => ({
  mask: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ op: fc.constantFrom(...relations), left: term, right: term }),
    fc.constantFrom<Mask>(causal, window(3), sinks(2), sameBlock(4), true, false),
    fc.record({ op: fc.constantFrom("and" as const, "or" as const), x: tie("mask"), y: tie("mask") }),
    fc.record({ op: fc.constant("not" as const), x: tie("mask") }),
  ),
}));

describe("random masks", () => {
  const KEYS = 14;
  it("the intervals hold every allowed key, and no other when they are exact", () => {
    fc.assert(
      fc.property(anyMask, fc.nat(16), (mask, query) => {
        const analysis = maskIntervals(regionOf(mask))!;
        const ranges = keyRanges(analysis, query, KEYS);
        for (let key = 0; key < KEYS; key++) {
          const inside = ranges.some(([from, to]) => key >= from && key < to);
          if (allowed(mask, query, key)) expect(inside).toBe(true);
          else if (analysis.exact) expect(inside).toBe(false);
        }
        ranges.forEach(([from], i) => i > 0 && expect(from).toBeGreaterThan(ranges[i - 1]![1]));
      }),
      { numRuns: 3000 },
    );
  });

  it("an empty block allows nothing and a full one everything", () => {
    const start = fc.nat(10);
    const length = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(anyMask, start, length, start, length, (mask, q, queries, k, keys) => {
        const kind = classifyBlock(maskIntervals(regionOf(mask))!, { q: [q, q + queries], k: [k, k + keys] });
        for (let i = q; i < q + queries; i++) {
          for (let j = k; j < k + keys; j++) {
            if (kind !== "partial") expect(allowed(mask, i, j)).toBe(kind === "full");
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("ends of monotone masks do not move back", () => {
    fc.assert(
      fc.property(anyMask, fc.nat(12), (mask, query) => {
        const analysis = maskIntervals(regionOf(mask))!;
        if (!analysis.monotone) return;
        for (const interval of analysis.intervals) {
          const [now] = keyRanges({ intervals: [interval] }, query, 1000);
          const [next] = keyRanges({ intervals: [interval] }, query + 1, 1000);
          if (!now || !next) continue;
          expect(next[0]).toBeGreaterThanOrEqual(now[0]);
          expect(next[1]).toBeGreaterThanOrEqual(now[1]);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
