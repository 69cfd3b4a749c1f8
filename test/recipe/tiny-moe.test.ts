/**
 * The example model through its recipes: what it loses with fewer experts depends on which ones go, and a network that is
 * cut into experts is the network.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate } from "../../compiler/2-graph/index.js";
import { checkpointSource } from "../../compiler/6-bundle/index.js";
import { fromF32, writeSafetensors } from "../../compiler/checkpoints/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import { parameterReader, unchanged } from "../../cli/verify/stored-parameters.js";
import { diskHost } from "../../cli/source-host.js";
import { moec } from "../cli/io.js";
import { folder as example, reference, rowsOf, tinyTokenizer } from "../real/tiny-moe.js";
import { distance, opened } from "./models.js";

const folder = mkdtempSync(join(tmpdir(), "moec-tiny-recipe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const spec = `${example}recipes.moe`;
/** Tokens that are predicted. */
const COUNT = 64;
const project = check(spec, diskHost("/"));
const ids = rowsOf("code", tinyTokenizer(), 1)[0]!.slice(0, COUNT + 1);

/** Logits of the first tokens of held-out code, on the reference evaluator. */
function logitsOf(model: string, sizes: Readonly<Record<string, number>>, path: string): Float64Array {
  const program = buildProgram(model === "TinyMoE" ? check(`${example}tiny-moe.moe`, diskHost("/")) : project, {
    model,
    sizes,
  });
  const params = parameterReader(program, checkpointSource(program, opened(path)), unchanged);
  const tokens = makeTensor("i32", [{ name: "T", size: COUNT }], Float64Array.from(ids.slice(0, COUNT)));
  const [logits] = Object.values(evaluate(program, "forward", { inputs: { tokens }, params }).outputs);
  if (logits?.kind !== "tensor") throw new Error("logits are a tensor");
  return logits.data;
}

function perplexity(logits: Float64Array): number {
  const width = logits.length / COUNT;
  let nats = 0;
  for (let at = 0; at < COUNT; at++) {
    const row = logits.subarray(at * width, (at + 1) * width);
    const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = row.reduce((all, x) => all + Math.exp(x - top), 0);
    nats += top + Math.log(sum) - row[ids[at + 1]!]!;
  }
  return Math.exp(nats / COUNT);
}

/** How often code used each expert, or the opposite order. */
function writeUsage(name: string, sign: number): void {
  const usage = Float32Array.from(reference.routing["code"]!.flat(), (count) => sign * count);
  const tensors = [{ name: "usage", shape: [4, 8], type: "f32" as const, data: () => fromF32("f32", usage) }];
  writeFileSync(join(folder, name), writeSafetensors({ tensors }));
}

const convert = async (recipe: string, sources: readonly string[], out: string): Promise<void> => {
  const args = sources.flatMap((source) => ["--source", source]);
  const { code, err } = await moec(["convert", spec, recipe, ...args, "--out", out], { cwd: folder });
  expect(code, err).toBe(0);
};
const whole = `${example}model.safetensors`;

test("six of eight experts: losing the least used costs less than losing the most used", async () => {
  writeUsage("most.safetensors", 1);
  writeUsage("least.safetensors", -1);
  for (const kept of ["most", "least"])
    await convert("Prune", [`moe=${whole}`, `usage=${kept}.safetensors`], `kept-${kept}.safetensors`);
  const all = perplexity(logitsOf("TinyMoE", {}, whole));
  const most = perplexity(logitsOf("TinyMoE", { E: 6 }, join(folder, "kept-most.safetensors")));
  const least = perplexity(logitsOf("TinyMoE", { E: 6 }, join(folder, "kept-least.safetensors")));
  expect(all).toBeLessThan(most);
  expect(most).toBeLessThan(least / 2);
}, 120_000);

test("mixture to dense, and the dense model carved into experts again: the same function", async () => {
  writeUsage("most.safetensors", 1);
  await convert("Densify", [`moe=${whole}`, "usage=most.safetensors"], "dense.safetensors");
  await convert("Carve", ["dense=dense.safetensors"], "carved.safetensors");
  const dense = logitsOf("TinyDense", {}, join(folder, "dense.safetensors"));
  const carved = logitsOf("TinyMoE", { k: 8 }, join(folder, "carved.safetensors"));
  // Eight times a value is exact in f16 unless it leaves its range; sums differ in the order of doubles.
  expect(distance(carved, dense)).toBeLessThan(1e-9);
}, 120_000);
