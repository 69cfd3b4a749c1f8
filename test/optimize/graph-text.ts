/** Graphs of one expression for the tests of single passes. */
import { GraphBuilder, printProgram, verify, type RegionBuilder } from "../../compiler/2-graph/index.js";
import type { Program, Value } from "../../compiler/2-graph/ir.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import type { ValueType } from "../../compiler/ops/types.js";

/** A program with one entry, whose inputs are called a, b, c… and outputs out0, out1…. */
export function programOf(
  inputs: readonly ValueType[],
  build: (scope: RegionBuilder, inputs: readonly Value[]) => readonly Value[],
): Program {
  const body = new GraphBuilder().region(
    inputs.map((type) => ({ type })),
    build,
  );
  const name = (index: number): string => String.fromCharCode(97 + index);
  const outputs = body.results.map((_, index) => `out${index}`);
  return {
    name: "M",
    params: [],
    states: [],
    knobs: [],
    runtimeSizes: ["T", "past"],
    entries: [{ name: "forward", inputs: inputs.map((_, index) => name(index)), outputs, body }],
    weightNames: {},
    settings: {},
  };
}

/** The graph before and after the passes, each checked, without the lines that say nothing new. */
export function beforeAndAfter(program: Program, passes: readonly string[]): string {
  const body = (each: Program): string => printProgram(each).split("\n").slice(2, -2).join("\n");
  const after = optimize(program, { passes, verify: true });
  const problems = verify(program);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return `\nbefore\n${body(program)}\nafter ${passes.join(", ")}\n${body(after)}\n`;
}

/** Names of the ops that are left at the top level after the passes. */
export function opsAfter(program: Program, passes: readonly string[]): readonly string[] {
  return optimize(program, { passes, verify: true }).entries[0]!.body.nodes.map(({ op }) => op);
}
