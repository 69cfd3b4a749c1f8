import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { evaluate, GraphBuilder, StateStore, verify } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { contractTensors } from "../../compiler/ops/contract-reference.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { tensor } from "../ops/support.js";
import { decoder, decoderParams, tiny, type DecoderSizes } from "./decoder.js";

const program = decoder();
const params = decoderParams(program);
const tokens = [3, 1, 4, 1, 5, 9, 2, 6];

function forward(ids: readonly number[], states?: StateStore, options: { round?: "f32"; trace?: boolean } = {}) {
  const inputs = { tokens: tensor(`T=${ids.length}`, ids, "i32") };
  return evaluate(program, "forward", { inputs, params, ...(states ? { states } : {}), ...options });
}

const logits = (result: ReturnType<typeof forward>): number[] => [...(result.outputs.logits as ReferenceTensor).data];

/** Relative to the largest: rounding to f32 in some tens of chained operations of about 10 terms each. */
function near(found: readonly number[], expected: readonly number[], tolerance: number): void {
  const scale = Math.max(...expected.map(Math.abs));
  found.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(tolerance * scale));
}

/** The decoder written out in loops over plain arrays, without ops, caches or regions. */
function plainDecoder(ids: readonly number[], sizes: DecoderSizes): number[] {
  const { V, L, D, H, C, F, E, K } = sizes;
  const at = (path: string, ...index: number[]): number => {
    const { axes, data } = params(path);
    return data[index.reduce((offset, i, n) => offset * axes[n]!.size + i, 0)]!;
  };
  const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const sum = (list: number[]): number => list.reduce((total, value) => total + value, 0);
  let x = ids.map((id) => range(D).map((d) => at("tok", id, d)));
  for (const l of range(L)) {
    const h = x.map((row) => {
      const scale = 1 / Math.sqrt(sum(row.map((value) => value * value)) / D + 1e-5);
      return row.map((value, d) => value * scale * at("layers.norm", l, d));
    });
    const project = (path: string, row: number[], head: number): number[] =>
      range(C).map((c) => sum(row.map((value, d) => value * at(path, l, d, head, c))));
    const y = x.map((row, t) => {
      const out = row.slice();
      for (const head of range(H)) {
        const q = project("layers.q", h[t]!, head);
        const scores = range(t + 1).map((s) => {
          const k = project("layers.k", h[s]!, head);
          return sum(q.map((value, c) => value * k[c]!)) / Math.sqrt(C);
        });
        const exps = scores.map(Math.exp);
        const whole = sum(exps);
        for (const c of range(C)) {
          const value = sum(exps.map((e, s) => (e / whole) * project("layers.v", h[s]!, head)[c]!));
          for (const d of range(D)) out[d]! += value * at("layers.o", l, head, c, d);
        }
      }
      return out;
    });
    x = y.map((row) => {
      const p = range(E).map((e) => Math.exp(sum(row.map((value, d) => value * at("layers.route", l, d, e)))));
      const best = range(E)
        .sort((a, b) => p[b]! - p[a]! || a - b)
        .slice(0, K);
      const whole = sum(best.map((e) => p[e]!));
      const out = row.slice();
      for (const e of best) {
        const wide = range(F).map((f) => {
          const g = sum(row.map((value, d) => value * at("layers.gate", l, e, d, f)));
          const u = sum(row.map((value, d) => value * at("layers.up", l, e, d, f)));
          return (g / (1 + Math.exp(-g))) * u;
        });
        for (const d of range(D)) {
          out[d]! += (p[e]! / whole) * sum(wide.map((value, f) => value * at("layers.down", l, e, f, d)));
        }
      }
      return out;
    });
  }
  return x.flatMap((row) => range(V).map((v) => sum(row.map((value, d) => value * at("tok", v, d)))));
}

describe("a decoder on the reference evaluator", () => {
  it("is well formed and equals the loops written out", () => {
    expect(verify(program)).toEqual([]);
    // Doubles: some hundred roundings of 2^-53 each.
    near(logits(forward(tokens)), plainDecoder(tokens, tiny), 1e-13);
  });

  it("gives the same in one call, token by token, and in pieces", () => {
    const whole = logits(forward(tokens));
    for (const pieces of [
      [1, 1, 1, 1, 1, 1, 1, 1],
      [5, 3],
      [2, 1, 5],
    ]) {
      const states = new StateStore();
      let at = 0;
      const found = pieces.flatMap((count) => {
        const part = logits(forward(tokens.slice(at, at + count), states));
        at += count;
        return part;
      });
      expect(found).toEqual(whole);
      expect(states.past).toBe(tokens.length);
    }
  });

  it("has caches of its own for each layer, which can be cut and copied", () => {
    const states = new StateStore();
    forward(tokens.slice(0, 5), states);
    const copy = states.clone();
    const next = logits(forward(tokens.slice(5), states));
    states.truncate(5);
    expect(logits(forward(tokens.slice(5), states))).toEqual(next);
    expect(logits(forward(tokens.slice(5), copy))).toEqual(next);
  });

  it("changes no state when it fails", () => {
    const states = new StateStore();
    forward(tokens.slice(0, 3), states);
    const failing = (path: string): ReferenceTensor => {
      if (path === "layers.down") throw new MoecError("MOE2065", "away");
      return params(path);
    };
    const inputs = { tokens: tensor("T=1", [1], "i32") };
    expect(() => evaluate(program, "forward", { inputs, params: failing, states })).toThrow("away");
    expect(states.past).toBe(3);
  });

  it("rounds every value to f32 on request", () => {
    const exact = logits(forward(tokens));
    const rounded = logits(forward(tokens, undefined, { round: "f32" }));
    expect(rounded.every((value) => Math.fround(value) === value)).toBe(true);
    expect(rounded).not.toEqual(exact);
    // 2 layers of about 20 chained roundings of 2^-24, grown by norms of the values of about 10.
    near(rounded, exact, 2 * 20 * 10 * 2 ** -24);
  });

  it("traces the routes of every layer", () => {
    const { routes } = forward(tokens, undefined, { trace: true });
    expect(routes.map((trace) => trace.layers)).toEqual([
      [{ stack: "layers", index: 0 }],
      [{ stack: "layers", index: 1 }],
    ]);
    for (const trace of routes) {
      expect(trace.routes.index).toHaveLength(tokens.length * tiny.K);
      expect([...trace.routes.index].every((expert) => expert >= 0 && expert < tiny.E)).toBe(true);
    }
    expect(forward(tokens).routes).toEqual([]);
  });

  it("runs on no tokens", () => {
    expect(logits(forward([]))).toEqual([]);
  });

  it("takes ids outside of the table for zeros", () => {
    expect(logits(forward([99])).every((value) => value === 0)).toBe(true);
  });
});

describe("what a call may get wrong", () => {
  const code = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof MoecError) return error.code;
      throw error;
    }
    return "none";
  };
  const inputs = { tokens: tensor("T=1", [1], "i32") };
  it("is refused with codes", () => {
    expect(code(() => evaluate(program, "backward", { inputs, params }))).toBe("MOE2065");
    expect(code(() => evaluate(program, "forward", { inputs: {}, params }))).toBe("MOE2065");
    expect(code(() => evaluate(program, "forward", { inputs }))).toBe("MOE2065");
    const float = { tokens: tensor("T=1", [1]) };
    expect(code(() => evaluate(program, "forward", { inputs: float, params }))).toBe("MOE2066");
    const other = { tokens: tensor("S=1", [1], "i32") };
    expect(code(() => evaluate(program, "forward", { inputs: other, params }))).toBe("MOE2066");
    expect(code(() => evaluate(program, "forward", { inputs, params: () => tensor("V=1, D=6") }))).toBe("MOE2066");
    expect(code(() => evaluate(program, "forward", { inputs, params, sizes: { T: 2 } }))).toBe("MOE2066");
    expect(code(() => evaluate(program, "forward", { inputs, params, sizes: { past: 2 } }))).toBe("MOE2069");
  });

  it("sizes that an op cannot have", () => {
    const graph = new GraphBuilder();
    const x = { kind: "tensor" as const, dtype: "f32" as const, axes: [{ name: "T", size: Size.of("T") }] };
    const body = graph.region([{ type: x }], (scope, [value]) => [
      scope.one("slice", [value!], { axis: "T", from: Size.of(2), to: Size.of(4) }),
    ]);
    const cut: Program = {
      ...program,
      params: [],
      states: [],
      entries: [{ name: "f", inputs: ["x"], outputs: ["y"], body }],
    };
    expect(code(() => evaluate(cut, "f", { inputs: { x: tensor("T=3", [1, 2, 3]) } }))).toBe("MOE2068");
    expect(code(() => evaluate(cut, "f", { inputs: { x: tensor("T=4", [1, 2, 3, 4]) } }))).toBe("none");
  });
});

it("contracts views of larger buffers in place", () => {
  const whole = tensor("L=2, D=2", [1, 2, 3, 4]);
  const row = { ...tensor("D=2"), data: whole.data.subarray(2) };
  expect([...contractTensors(row, tensor("D=2", [1, 1]), ["D"]).data]).toEqual([7]);
});
