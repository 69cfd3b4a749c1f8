import { describe, expect, it } from "vitest";
import { evaluate, printProgram, StateStore, verify } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { collectNodes } from "../../compiler/2-graph/walk.js";
import { deriveLastToken, dumpPasses, optimize } from "../../compiler/3-optimize/index.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { parameter, tinyModel, tokensOf } from "./tiny-model.js";

/** The logits of several calls in a row, with the caches in between. */
function run(program: Program, entry: string, calls: readonly (readonly number[])[]): readonly ReferenceTensor[] {
  const states = new StateStore();
  return calls.map((ids) => {
    const { outputs } = evaluate(program, entry, {
      inputs: { tokens: tokensOf(ids) },
      params: (path) => parameter(program, path),
      states,
    });
    return outputs["logits"] as ReferenceTensor;
  });
}

const program = tinyModel();
const calls = [[1, 5, 3, 9], [2], [0, 7]];

describe("a small decoder", () => {
  it("is well formed", () => {
    expect(verify(program)).toEqual([]);
  });

  it("gives the same numbers after every pass, bit by bit", () => {
    const before = run(program, "forward", calls);
    const seen: string[] = [];
    optimize(program, {
      verify: true,
      observe: (pass, after) => {
        seen.push(pass.name);
        run(after, "forward", calls).forEach((logits, i) =>
          expect([...logits.data], pass.name).toEqual([...before[i]!.data]),
        );
      },
    });
    expect(seen.length).toBeGreaterThan(5);
  });

  it("looks like this in the end", () => {
    const after = optimize(program);
    expect(printProgram(after)).toMatchSnapshot();
  });

  it("computes the angles of rotary positions once per call", () => {
    const sines = (each: Program): readonly number[] => {
      const found = { outside: 0, inside: 0 };
      const { body } = each.entries[0]!;
      for (const node of collectNodes(body, ({ op }) => op === "sin")) {
        if (body.nodes.includes(node)) found.outside++;
        else found.inside++;
      }
      return [found.outside, found.inside];
    };
    expect(sines(program)).toEqual([0, 2]);
    expect(sines(optimize(program))).toEqual([1, 0]);
  });

  it("is at rest: the passes find nothing to do in what they made", () => {
    const once = optimize(deriveLastToken(program));
    expect(printProgram(optimize(once))).toBe(printProgram(once));
  });

  it("dumps one text per pass", () => {
    const dumps = dumpPasses(program);
    expect(dumps[0]).toEqual({ pass: "build", text: printProgram(program) });
    expect(dumps.at(-1)!.text).toBe(printProgram(optimize(program)));
  });
});

describe("the entry for the last token", () => {
  const derived = optimize(deriveLastToken(program), { verify: true });

  it("gives the last row of the logits", () => {
    const whole = run(program, "forward", calls);
    run(derived, "forward_last", calls).forEach((last, i) => {
      const all = whole[i]!;
      expect(last.axes).toEqual([
        { name: "T", size: 1 },
        { name: "V", size: 11 },
      ]);
      expect([...last.data]).toEqual([...all.data.slice(-11)]);
    });
  });

  it("computes the head for one token", () => {
    const { body } = derived.entries.find(({ name }) => name === "forward_last")!;
    const stack = body.nodes.findIndex(({ op }) => op === "stack");
    const behind = body.nodes.slice(stack + 1);
    for (const node of behind) {
      for (const { type } of node.results) {
        expect(type.kind === "tensor" && type.axes.some(({ size }) => size.key === "T")).toBe(false);
      }
    }
    expect(behind.filter(({ op }) => op === "slice")).toHaveLength(1);
  });

  it("is added once, and only where there is something to add", () => {
    expect(deriveLastToken(derived)).toBe(derived);
    expect(deriveLastToken(program, { entry: "other" })).toBe(program);
    expect(deriveLastToken(program, { as: "next" }).entries.map(({ name }) => name)).toEqual(["forward", "next"]);
  });
});
