import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import {
  buildProgram,
  evaluate,
  parseProgram,
  printProgram,
  StateStore,
  verify,
} from "../../compiler/2-graph/index.js";
import { memorySource, openCheckpoint } from "../../compiler/checkpoints/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import { repository, testHost } from "../check/host.js";
import { paramsFrom } from "./weights.js";

const folder = join(repository, "examples/tiny-moe");
const program = buildProgram(check("examples/tiny-moe/tiny-moe.moe", testHost()));

describe("tiny-moe", () => {
  test("the program is well formed and its text reads back", () => {
    expect(verify(program)).toEqual([]);
    const text = printProgram(program);
    expect(printProgram(parseProgram(text))).toBe(text);
  });

  test("parameters have the paths and axes of the contract", () => {
    const axes = Object.fromEntries(
      program.params.map((param) => [param.path, param.axes.map(({ name }) => name).join(" ")]),
    );
    expect(axes["layers.moe.experts.gate"]).toBe("L E D F");
    expect(axes["layers.moe.experts.down"]).toBe("L E F D");
    expect(axes["layers.attn.q"]).toBe("L D H C");
    expect(axes["tok"]).toBe("V D");
    expect(program.params.find(({ path }) => path === "tok")?.contracted).toBe("D");
    expect(program.runtimeSizes).toEqual(["T", "past"]);
    const names = Object.keys(program.weightNames["safetensors"]!);
    expect(names.sort()).toEqual(program.params.map(({ path }) => path).sort());
    expect(Object.keys(program.weightNames["gguf"]!).sort()).toEqual(names.sort());
  });

  test("greedy ids of the first prompt are those of the reference", () => {
    const bytes = readFileSync(join(folder, "model.safetensors"));
    const checkpoint = openCheckpoint(memorySource(new Uint8Array(bytes), "model.safetensors"));
    const params = paramsFrom(program, checkpoint, "safetensors");
    const reference = JSON.parse(readFileSync(join(folder, "reference.json"), "utf8")) as {
      greedy: { prompt_ids: number[]; ids: number[] }[];
    };
    const { prompt_ids: prompt, ids } = reference.greedy[0]!;
    const states = new StateStore();
    const step = (tokens: readonly number[]): number => {
      const input = makeTensor("i32", [{ name: "T", size: tokens.length }], Float64Array.from(tokens));
      const { outputs } = evaluate(program, "forward", { inputs: { tokens: input }, params, states });
      const logits = outputs["result"];
      if (logits?.kind !== "tensor") throw new Error("no logits");
      const last = logits.data.subarray((tokens.length - 1) * 2048);
      return last.reduce((best, value, id) => (value > last[best]! ? id : best), 0);
    };
    const found = [step(prompt)];
    while (found.length < 6) found.push(step([found.at(-1)!]));
    expect(found).toEqual(ids.slice(0, 6));
  });
});
