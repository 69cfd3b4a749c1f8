/** `moec convert`: recipes over checkpoints give what they say, in the files' formats, a layer at a time. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildRecipe, recipesOf, type BuiltRecipe } from "../../compiler/2-graph/index.js";
import { fromF32, writeSafetensors } from "../../compiler/checkpoints/index.js";
import { openSources } from "../../cli/convert/sources.js";
import { valuesOf } from "../../cli/convert/values.js";
import { testHost } from "../check/host.js";
import { moec } from "../cli/io.js";
import { distance, logits, modelOf, opened, SPEC, writeRandom } from "./models.js";

const folder = mkdtempSync(join(tmpdir(), "moec-recipe-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  writeFileSync(at("spec.moe"), SPEC);
  writeRandom(folder, "a.safetensors", modelOf("Dense"), 1);
  writeRandom(folder, "b.safetensors", modelOf("Dense"), 2);
  writeRandom(folder, "moe.safetensors", modelOf("Sparse"), 3);
});

const convert = (...args: readonly string[]) => moec(["convert", at("spec.moe"), ...args], { cwd: folder });

function recipeOf(name: string): BuiltRecipe {
  const project = check("spec.moe", testHost({ "spec.moe": SPEC }));
  return buildRecipe(
    project,
    recipesOf(project).find(({ decl }) => decl.name.text === name)!,
  );
}

/** Rounding of f32 weights and their sums; the models have three layers of sums of 32 and 64. */
const F32 = 1e-5;

describe("closed forms", () => {
  test("an upcycled model is the dense one, whatever its router", async () => {
    const { code, err } = await convert("Upcycle", "--source", "dense=a.safetensors", "--out", "sparse.safetensors");
    expect(code, err).toBe(0);
    const dense = logits(modelOf("Dense"), at("a.safetensors"));
    const sparse = logits(modelOf("Sparse"), at("sparse.safetensors"));
    expect(distance(sparse, dense)).toBeLessThan(F32);
    // The check can fail: another model has other logits.
    expect(distance(logits(modelOf("Dense"), at("b.safetensors")), dense)).toBeGreaterThan(0.01);
  });

  test("the average of a model with itself is the model, of two the mean of both", async () => {
    await convert("Average", "--source", "a=a.safetensors", "--source", "b=a.safetensors", "--out", "same.safetensors");
    expect(readFileSync(at("same.safetensors"))).toEqual(readFileSync(at("a.safetensors")));
    const args = ["--source", "a=a.safetensors", "--source", "b=b.safetensors", "--set", "share=0.25"];
    await convert("Average", ...args, "--out", "mean.safetensors");
    const [a, b, mean] = ["a", "b", "mean"].map((name) => opened(at(`${name}.safetensors`)));
    for (const name of a!.tensors.keys()) {
      const values = mean!.readF32(name);
      const wanted = a!.readF32(name).map((x, i) => 0.25 * x + 0.75 * b!.readF32(name)[i]!);
      expect(distance(values, wanted), name).toBeLessThan(2 ** -23);
    }
  });

  test("layers in the opposite order are read all at once", async () => {
    await convert("Turned", "--source", "a=a.safetensors", "--out", "turned.safetensors");
    const [a, turned] = [opened(at("a.safetensors")), opened(at("turned.safetensors"))];
    for (const layer of [0, 1, 2])
      expect(turned.readF32(`layers.${layer}.ffn.gate`)).toEqual(a.readF32(`layers.${2 - layer}.ffn.gate`));
    expect(turned.readF32("layers.0.ffn.up")).toEqual(a.readF32("layers.0.ffn.up"));
  });
});

describe("files", () => {
  test("bf16 matrices lie within half a step of the weights; a small folder is one file", async () => {
    const { code, err } = await convert("Same", "--source", "a=a.safetensors", "--out", "q", "--type", "bf16");
    expect(code, err).toBe(0);
    expect(readdirSync(at("q"))).toEqual(["model.safetensors"]);
    const a = opened(at("a.safetensors"));
    const rounded = opened(at("q/model.safetensors"));
    for (const name of a.tensors.keys()) {
      const isVector = a.tensors.get(name)!.shape.length === 1;
      expect(rounded.tensors.get(name)!.type).toBe(isVector ? "f32" : "bf16");
      // bf16 keeps 8 bits: half a step of the last one.
      const [x, y] = [a.readF32(name), rounded.readF32(name)];
      x.forEach((value, i) => expect(Math.abs(y[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -8));
    }
  });

  test("a tensor beside the sources is read by its name, with its shape", async () => {
    const write = (shape: number[]): void =>
      writeFileSync(
        at("usage.safetensors"),
        writeSafetensors({
          tensors: [{ name: "usage", shape, type: "f32", data: () => fromF32("f32", new Float32Array(12).fill(2)) }],
        }),
      );
    write([3, 4]);
    const args = ["Weighed", "--source", "moe=moe.safetensors", "--source", "usage=usage.safetensors"];
    expect((await convert(...args, "--out", "twice.safetensors")).code).toBe(0);
    const name = "layers.1.moe.experts.down";
    const doubled = opened(at("moe.safetensors"))
      .readF32(name)
      .map((x) => 2 * x);
    expect(opened(at("twice.safetensors")).readF32(name)).toEqual(doubled);
    write([4, 3]);
    const wrong = await convert(...args, "--out", "wrong.safetensors");
    expect([wrong.code, wrong.err]).toEqual([3, expect.stringContaining("[L = 3, E = 4]")]);
    expect(readdirSync(folder)).not.toContain("wrong.safetensors");
  });

  test.each([
    [["Upcycle", "--out", "x.safetensors"], "MOE5442"],
    [
      ["Upcycle", "--source", "dense=a.safetensors", "--source", "other=b.safetensors", "--out", "x.safetensors"],
      "MOE5449",
    ],
    [["Nothing", "--out", "x.safetensors"], "MOE5440"],
    [["Upcycle", "--source", "dense=moe.safetensors", "--out", "x.safetensors"], "MOE5327"],
    [["Same", "--source", "a=a.safetensors", "--out", "x.safetensors", "--type", "q8_0"], "MOE5443"],
    [["Same", "--source", "a=a.safetensors", "--out", "x.gguf"], "MOE5326"],
  ])("%j is refused by %s and leaves nothing", async (args, code) => {
    const found = await convert(...args);
    expect(found.code).toBe(3);
    expect(found.err).toContain(code);
    expect(readdirSync(folder).filter((name) => name.includes("x."))).toEqual([]);
  });
});

test("--dry-run says what each parameter is made of, without files", async () => {
  const { out } = await convert("Upcycle", "--dry-run", "--json");
  const { parameters } = JSON.parse(out) as { parameters: { path: string; shape: string; from: string }[] };
  expect(parameters).toContainEqual({ path: "tok", shape: "[V = 16, D = 32]", from: "dense.tok" });
  expect(parameters).toContainEqual({
    path: "layers.moe.experts.gate",
    shape: "[L = 3, E = 4, D = 32, F = 64]",
    from: "dense.layers.ffn, repeated along E",
  });
});

describe("memory", () => {
  const reads = (name: string, path: string): readonly (number | undefined)[] => {
    const recipe = recipeOf(name);
    const sources = openSources(
      recipe,
      new Map([...recipe.sources.keys()].map((source) => [source, at("a.safetensors")])),
    );
    try {
      const target = recipe.target.params.find((param) => param.path === path)!;
      const seen: (number | undefined)[] = [];
      const built = recipe.parameters.find((parameter) => parameter.path === path)!;
      const read = valuesOf(built, target, (from, layer) => {
        seen.push(layer);
        return sources.read(from, layer);
      });
      for (const layer of [0, 1, 2]) read([layer]);
      return seen;
    } finally {
      sources.close();
    }
  };

  test("a line that treats layers alone reads one layer of its sources at a time", () => {
    expect(reads("Average", "layers.ffn.gate")).toEqual([0, 0, 1, 1, 2, 2]);
    expect(reads("Upcycle", "layers.moe.experts.up")).toEqual([0, 1, 2]);
  });

  test("a line that mixes layers reads its source once", () => {
    expect(reads("Turned", "layers.ffn.gate")).toEqual([undefined]);
  });
});
