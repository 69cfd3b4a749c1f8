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

  interface Greedy {
    readonly prompt_ids: readonly number[];
    readonly ids: readonly number[];
  }
  const reference = JSON.parse(readFileSync(join(folder, "reference.json"), "utf8")) as { greedy: readonly Greedy[] };
  const bytes = readFileSync(join(folder, "model.safetensors"));
  const params = paramsFrom(
    program,
    openCheckpoint(memorySource(new Uint8Array(bytes), "model.safetensors")),
    "safetensors",
  );

  /** The best next token behind each of these. */
  function greedy(tokens: readonly number[], states = new StateStore()): number[] {
    const input = makeTensor("i32", [{ name: "T", size: tokens.length }], Float64Array.from(tokens));
    const { outputs } = evaluate(program, "forward", { inputs: { tokens: input }, params, states });
    const logits = outputs["result"];
    if (logits?.kind !== "tensor") throw new Error("no logits");
    const width = logits.data.length / tokens.length;
    return tokens.map((_, token) => {
      const row = logits.data.subarray(token * width, (token + 1) * width);
      return row.reduce((best, value, id) => (value > row[best]! ? id : best), 0);
    });
  }

  // Given the text so far each token is the best one: that is greedy generation, worked out in one call per prompt.
  test("greedy ids of all prompts are those of the reference", () => {
    expect(reference.greedy).toHaveLength(8);
    for (const { prompt_ids: prompt, ids } of reference.greedy) {
      const best = greedy([...prompt, ...ids.slice(0, -1)]);
      expect(best.slice(prompt.length - 1)).toEqual(ids);
    }
  });

  test("greedy ids of the first prompt, token by token on the caches", () => {
    const { prompt_ids: prompt, ids } = reference.greedy[0]!;
    const states = new StateStore();
    const found = [greedy(prompt, states).at(-1)!];
    while (found.length < 4) found.push(greedy([found.at(-1)!], states)[0]!);
    expect(found).toEqual(ids.slice(0, 4));
  });
});
