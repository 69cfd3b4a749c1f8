import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import { regionCost } from "../../compiler/2-graph/cost.js";
import { declarationsOf, evaluate, verify } from "../../compiler/2-graph/index.js";
import { inline, mapEntries, mapNodes, renumber, substitute } from "../../compiler/2-graph/rewrite.js";
import { collectNodes, definitions, nextId, useCounts } from "../../compiler/2-graph/walk.js";
import type { Program, Region } from "../../compiler/2-graph/ir.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { tensor } from "../ops/support.js";
import { decoder, decoderParams } from "./decoder.js";

const program = decoder();
const body = program.entries[0]!.body;
const withBody = (changed: Region): Program => mapEntries(program, () => changed);
const logits = (given: Program): number[] => {
  const inputs = { tokens: tensor("T=3", [1, 2, 3], "i32") };
  return [
    ...(evaluate(given, "forward", { inputs, params: decoderParams(program) }).outputs.logits as ReferenceTensor).data,
  ];
};
const counter = (start: number) => () => start++;

describe("walks", () => {
  it("find nodes in nested regions, uses and definitions", () => {
    expect(collectNodes(body, (node) => node.op === "silu")).toHaveLength(1);
    const table = body.nodes.find((node) => node.op === "param")!.results[0]!.id;
    expect(useCounts(body).get(table)).toBe(2);
    expect(definitions(body).get(table)?.op).toBe("param");
    expect(nextId(program.entries[0]!)).toBe(56);
  });
});

describe("rewrites", () => {
  it("share what does not change", () => {
    expect(mapNodes(body, (node) => node)).toBe(body);
    expect(substitute(body, new Map())).toBe(body);
    expect(mapEntries(program, (entry) => entry.body)).toBe(program);
  });

  it("replace nodes in nested regions", () => {
    const changed = withBody(mapNodes(body, (node) => (node.op === "silu" ? { ...node, op: "relu" } : node)));
    expect(verify(changed)).toEqual([]);
    expect(logits(changed)).not.toEqual(logits(program));
  });

  it("renumber keeps the meaning and takes fresh ids only", () => {
    const copy = renumber(body, counter(1000));
    expect(verify(withBody(copy))).toEqual([]);
    expect(logits(withBody(copy))).toEqual(logits(program));
    expect(copy.params[0]!.id).toBe(1000);
  });

  it("substitute follows chains", () => {
    const region: Region = { params: [], nodes: [], results: [1] };
    expect(
      substitute(
        region,
        new Map([
          [1, 2],
          [2, 3],
        ]),
      ).results,
    ).toEqual([3]);
  });

  it("inline puts a body in place of a node", () => {
    // The mask (query, key) => key <= query, of the values 7 and 8.
    const mask = collectNodes(body, (node) => node.op === "attend")[0]!.regions[0]!;
    const { nodes, results } = inline(mask, [7, 8], counter(100));
    expect(nodes.map((node) => node.operands)).toEqual([[8, 7]]);
    expect(results).toEqual([nodes[0]!.results[0]!.id]);
    expect(() => inline(mask, [7], counter(100))).toThrow(RangeError);
  });
});

it("costs are exact formulas over the run-time sizes", () => {
  const declared = declarationsOf(program);
  const contractions = collectNodes(body, (node) => node.op === "contract").length;
  expect(contractions).toBe(9);
  const { flops } = regionCost(body, declared);
  expect(flops.names).toEqual(["T", "past"]);
  // One more token costs the same whatever came before, but for attention: 2 heads, 2 layers, each key once more.
  const at = (T: number, past: number): number => flops.evaluate({ T, past });
  const perKey = 2 * 2 * (2 * 3 + 2 * 3 + 5 + 1);
  expect(at(1, 11) - at(1, 10)).toBe(perKey);
  expect(at(0, 5)).toBe(0);
  // The head alone: T * V * D multiply-adds.
  const head = body.nodes.at(-1)!;
  const types = new Map(
    [...body.params, ...body.nodes.flatMap((node) => node.results)].map((value) => [value.id, value.type]),
  );
  const alone = regionCost({
    params: head.operands.map((id) => ({ id, type: types.get(id)! })),
    nodes: [head],
    results: [],
  });
  expect(alone.flops.equals(Size.of("T").times(Size.of(2 * 11 * 6)))).toBe(true);
});
