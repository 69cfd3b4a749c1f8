/** What `moec verify` compares token by token: caches as kernels leave them for the next call. */
import { join } from "node:path";
import { readFileSync, writeFileSync } from "node:fs";
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
const OPTIONS = { random: 3, quantization: "f32", size: { L: 1, V: 256 }, context: 32, prefill: 8 } as const;

/** What `moec verify` has of a project: its bundle, and the reference. */
interface Opened {
  readonly model: Model;
  readonly program: Program;
  readonly plan: Plan;
  readonly entries: DecodingEntries;
  readonly tokens: ReferenceTensor;
  readonly params: (path: string) => ReferenceTensor;
}

async function opened(name: string): Promise<Opened> {
  const sizes = ["--size", "L=1", "--size", "V=256", "--context", "32", "--prefill", "8"];
  const out = `${name}-bundle`;
  const { code, err } = await moec(["build", name, "--random", "3", "--quantization", "f32", ...sizes, "--out", out], {
    cwd,
  });
  expect(code, err).toBe(0);
  const model = await loadModel(Model, join(cwd, out), { threads: 1 });
  const plan = JSON.parse(readFileSync(join(cwd, out, "plan.json"), "utf8")) as Plan;
  const shell = new Shell(silentIo({ cwd }), "verify", { json: true });
  const project = openSources(name, cwd, OPTIONS);
  const program = buildModel(checkSpec(shell, project.spec), project);
  const params = parameterReader(program, openParameters(shell, program, project).source, unchanged);
  const entries = decodingEntries(program, plan, model.manifest.language)!;
  const tokens = makeInputs(program, model.manifest.entries[0]!, 9, 1, undefined)[entries.input]!;
  return { model, program, plan, entries, tokens, params };
}

async function verdictOf({ model, program, plan, entries, tokens, params }: Opened): Promise<Verdict> {
  const { found, expected, prompt } = await runDecoding(model, program, entries, tokens, params, "f32");
  const width = outputWidth(model.manifest.entries[0]!);
  const shape = { output: entries.output, width, tokens: 9, skipped: prompt };
  return verdictOn(found, expected, { ...shape, bound: expectedError(plan) });
}

let toy: Opened;
let model: Model;

beforeAll(async () => {
  await moec(["new", "toy"], { cwd });
  toy = await opened("toy");
  ({ model } = toy);
});
afterAll(() => {
  model.dispose();
  remove();
});

const verdict = (tried: Model): Promise<Verdict> => verdictOf({ ...toy, model: tried });

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
    expect(toy.entries).toMatchObject({ prompt: "forward", token: "forward_last", spec: "forward" });
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
    const { program, plan } = toy;
    expect(decodingEntries(program, plan, undefined)).toBeUndefined();
    expect(decodingEntries(program, { ...plan, states: [] }, model.manifest.language)).toBeUndefined();
  });

  // The toy's text with other experts by mode; 5 tokens are the prompt, 4 are decoded, each to 2 of 8 experts or 1.
  it.each([
    ["the prompt", "prefill { h + moe(norm2(h)) } decode { h + one(norm2(h)) }", [["layers.0.moe.experts", 10]]],
    ["decoding", "prefill { h + one(norm2(h)) } decode { h + moe(norm2(h)) }", [["layers.0.moe.experts", 8]]],
    [
      "each, others",
      "prefill { h + moe(norm2(h)) } decode { h + few(norm2(h)) }",
      [
        ["layers.0.moe.experts", 10],
        ["layers.0.few.experts", 4],
      ],
    ],
  ])("compares mixtures of %s alone", async (_, body, counts) => {
    const text = readFileSync(join(cwd, "toy/model.moe"), "utf8")
      .replace("Causal, MoE,", "Causal, MoE, SwiGLU,")
      .replace("  (x: [T, D]) =>", "  use few = MoE[D, F, E](1)\n  use one = SwiGLU[D, F]\n  (x: [T, D]) =>")
      .replace("h + moe(norm2(h))", body);
    const name = `modes-${counts.map(([path]) => String(path).split(".")[2]).join("-")}-${String(counts[0]![1])}`;
    await moec(["new", name], { cwd });
    writeFileSync(join(cwd, name, "model.moe"), text);
    const tried = await opened(name);
    try {
      const { routes, explained, before } = await verdictOf(tried);
      expect(routes.map((one) => [one.name, one.all])).toEqual(counts);
      expect(routes.every(({ same, all }) => same === all)).toBe(true);
      expect([explained, before]).toEqual([true, Infinity]);
    } finally {
      tried.model.dispose();
    }
  });
});
