/** What `moec verify` compares token by token: caches as kernels leave them for the next call. */
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildModel, checkSpec } from "../../cli/compile.js";
import { openParameters } from "../../cli/parameters.js";
import { openSources } from "../../cli/project.js";
import { Shell } from "../../cli/shell.js";
import { decodingEntries, runDecoding, type DecodingEntries } from "../../cli/verify/decoding.js";
import { expectedError } from "../../cli/verify/expected-error.js";
import { makeInputs, outputWidth } from "../../cli/verify/runs.js";
import { parameterReader, unchanged } from "../../cli/verify/stored-parameters.js";
import { verdictOn, type Verdict } from "../../cli/verify/verdict.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { loadModel, Model } from "../../runtime/node/index.js";
import { folderOf, moec, silentIo } from "./io.js";

const { path: cwd, remove } = folderOf({});
const OPTIONS = { random: 3, quantization: "f32", size: { L: 1, V: 64 }, context: 32, prefill: 8 } as const;
let model: Model;
let program: Program;
let plan: Plan;
let entries: DecodingEntries;
let tokens: ReferenceTensor;
let params: (path: string) => ReferenceTensor;

beforeAll(async () => {
  await moec(["new", "toy"], { cwd });
  const sizes = ["--size", "L=1", "--size", "V=64", "--context", "32", "--prefill", "8"];
  const { code } = await moec(["build", "toy", "--random", "3", "--quantization", "f32", ...sizes, "--out", "b"], {
    cwd,
  });
  expect(code).toBe(0);
  model = await loadModel(Model, join(cwd, "b"), { threads: 1 });
  plan = JSON.parse(readFileSync(join(cwd, "b/plan.json"), "utf8")) as Plan;
  const shell = new Shell(silentIo({ cwd }), "verify", { json: true });
  const project = openSources("toy", cwd, OPTIONS);
  program = buildModel(checkSpec(shell, project.spec), project);
  params = parameterReader(program, openParameters(shell, program, project).source, unchanged);
  entries = decodingEntries(program, plan, model.manifest.language)!;
  tokens = makeInputs(program, model.manifest.entries[0]!, 9, 1, undefined)[entries.input]!;
});
afterAll(() => {
  model.dispose();
  remove();
});

async function verdict(tried: Model): Promise<Verdict> {
  const { found, expected, prompt } = await runDecoding(tried, program, entries, tokens, params, "f32");
  const width = outputWidth(model.manifest.entries[0]!);
  const shape = { output: entries.output, width, tokens: 9, skipped: prompt };
  return verdictOn(found, expected, { ...shape, bound: expectedError(plan) });
}

/** The same model with another `extend`. */
function changed(extend: Model["extend"]): Model {
  return new Proxy(model, {
    get: (target, key) => {
      if (key === "extend") return extend;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

describe("decoding", () => {
  it("is that of the entries that generation calls", async () => {
    expect(entries).toMatchObject({ prompt: "forward", token: "forward_last", spec: "forward" });
    const calls: [string, number][] = [];
    const found = await verdict(
      changed((entry, inputs, options) => {
        const { data } = inputs["tokens"] as { readonly data: ArrayLike<number> };
        calls.push([entry, data.length]);
        return model.extend(entry, inputs, options);
      }),
    );
    expect(calls).toEqual([["forward", 5], ...Array.from({ length: 4 }, () => ["forward_last", 1])]);
    expect(found).toMatchObject({ explained: true, before: Infinity, kernels: { positions: 4, sameBest: 4 } });
  });

  it("fails when what was read before is lost", async () => {
    const forgetful = changed(async (entry, inputs, options) => {
      if (entry === "forward_last") await model.reset();
      return model.extend(entry, inputs, options);
    });
    const { explained, kernels } = await verdict(forgetful);
    expect(explained).toBe(false);
    expect(kernels.worst.position).toBeGreaterThanOrEqual(5);
  });

  it("is not asked of models that write no text or keep nothing", () => {
    expect(decodingEntries(program, plan, undefined)).toBeUndefined();
    expect(decodingEntries(program, { ...plan, states: [] }, model.manifest.language)).toBeUndefined();
  });
});
