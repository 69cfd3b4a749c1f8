/** What the fused operators of ONNX Runtime can say of the examples, and why not. `npm run test:peers` runs the graphs. */
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../cli/package-root.js";
import { diskHost } from "../../cli/source-host.js";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { onnxGraph, type ContribOperator, type OnnxGraph } from "../../compiler/5-emit/onnx/index.js";
import { fromF32, toF32 } from "../../compiler/checkpoints/index.js";
import { blocksOf, interleavedRows } from "../../compiler/5-emit/onnx/contrib/expert-weights.js";

const programs = new Map<string, Program>();
function example(name: string): Program {
  const file = `examples/${name}/${name}.moe`;
  const known = programs.get(name) ?? optimize(buildProgram(check(file, diskHost(packageRoot))));
  programs.set(name, known);
  return known;
}

/** Numbers are asked only when a file is written. */
function exported(name: string, operator: ContribOperator): OnnxGraph {
  const program = example(name);
  const unread = { read: () => expect.fail("numbers were read") };
  return onnxGraph(program, program.entries[0]!.name, unread, { operators: [operator], storage: "q8_0" });
}

const fused = ({ nodes }: OnnxGraph): string[] =>
  nodes.filter(({ domain }) => domain !== undefined).map(({ op }) => op);

describe("fused operators", () => {
  it.each([
    ["mixtral", 32],
    ["olmoe", 16],
    ["switch-transformer", 6],
  ])("MoE says %s", (name, layers) => {
    expect(fused(exported(name, "MoE"))).toEqual(new Array<string>(layers).fill("MoE"));
  });

  it.each([
    ["mixtral", 32],
    ["moirai-moe", 6],
  ])("GroupQueryAttention says %s", (name, layers) => {
    expect(fused(exported(name, "GroupQueryAttention"))).toHaveLength(layers);
  });

  it.each<[ContribOperator, string, RegExp]>([
    ["MoE", "gpt-oss-20b", /`mixture` at .* layer 0 .*silu\(gate\) \* up/],
    ["MoE", "llama-4-scout", /weights on what goes into an expert/],
    ["MoE", "v-moe", /activation `gelu`/],
    ["MoE", "phi-3.5-moe", /below 0/],
    ["QMoE", "gpt-oss-20b", /^QMoE cannot say/],
    ["GroupQueryAttention", "gpt-oss-20b", /`attend` at .*: sinks/],
    ["GroupQueryAttention", "llama-4-scout", /mask/],
    ["GroupQueryAttention", "deepseek-v2-lite", /rows of a cache/],
  ])("%s does not say %s", (operator, name, why) => {
    expect(() => exported(name, operator)).toThrow(expect.objectContaining({ code: "MOE5610" }));
    expect(() => exported(name, operator)).toThrow(why);
  });

  it("reads rows of gate and up in turn", () => {
    const [gate, up] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)];
    expect([...interleavedRows([gate, up], 2)]).toEqual([1, 2, 5, 6, 3, 4, 7, 8]);
  });

  it.each(["q8_0", "q4_0"] as const)("keeps what %s makes of numbers", (storage) => {
    const values = Float32Array.from({ length: 96 }, (_, i) => Math.sin(i * 1.3) * (1 + i));
    const { codes, scales } = blocksOf(storage, values);
    const middle = storage === "q4_0" ? 8 : 128;
    const code = (i: number): number => (storage === "q4_0" ? (codes[i >> 1]! >> (4 * (i & 1))) & 15 : codes[i]!);
    const found = Array.from(values, (_, i) => Math.fround((code(i) - middle) * scales[i >> 5]!));
    expect(found).toEqual([...toF32(storage, fromF32(storage, values))]);
  });
});
