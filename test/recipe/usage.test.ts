/** From a text to a smaller model: `moec usage` counts, `moec convert` prunes by the counts, `moec run` runs the result. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { usageTensors } from "../../cli/usage/tensors.js";
import { moec, type Outcome } from "../cli/io.js";
import { folder as example, reference } from "../real/tiny-moe.js";
import { opened } from "./models.js";

const folder = mkdtempSync(join(tmpdir(), "moec-usage-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  for (const name of ["tiny-moe.moe", "recipes.moe", "tokenizer.json", "tokenizer_config.json"])
    copyFileSync(`${example}${name}`, at(name));
  const project = (weights: string, more: string): string =>
    `model: tiny-moe.moe\nweights: ${weights}\ntokenizer: tokenizer.json\nprefill: 64\n${more}`;
  writeFileSync(at("moec.yaml"), project(`${example}model.safetensors`, ""));
  writeFileSync(at("small.yaml"), project("small.safetensors", "sizes: { E: 6 }\nquantization: q8_0\n"));
  // More than one piece, and the last one is not full.
  writeFileSync(at("code.txt"), readFileSync(`${example}val/code.txt`, "utf8").slice(0, 1500));
  writeFileSync(at("short.txt"), "In the beginning");
});

const run = (...args: readonly string[]): Promise<Outcome> => moec([...args, "--json"], { cwd: folder });
const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

interface Counted {
  readonly tokens: number;
  readonly usage: Readonly<Record<string, readonly (readonly number[])[]>>;
}

test("a text is counted, the model pruned by the counts, and the smaller one runs", async () => {
  const counted = await run("usage", ".", "code.txt", "--out", "usage.safetensors", "--threads", "1");
  expect(counted.code, counted.err).toBe(0);
  const { tokens, usage } = JSON.parse(counted.out) as Counted;
  expect(tokens).toBeGreaterThan(3 * 64);
  const layers = usage["usage"]!;
  // Two experts for each token, in each layer.
  expect(layers.map(sum)).toEqual([1, 2, 3, 4].map(() => 2 * tokens));
  const file = opened(at("usage.safetensors"));
  expect([...file.tensors.values()].map(({ name, shape, type }) => [name, shape, type])).toEqual([
    ["usage", [4, 8], "f32"],
  ]);
  expect([...file.readF32("usage")]).toEqual(layers.flat());
  // Code uses the experts here as it does in the whole of the held-out code: far from alike, and the same ones most.
  layers.forEach((counts, layer) => {
    const known = reference.routing["code"]![layer]!;
    const mean = (list: readonly number[]): number => sum(list) / list.length;
    const [a, b] = [counts, known].map((list) => list.map((count) => count - mean(list)));
    const dot = (x: readonly number[], y: readonly number[]): number => sum(x.map((value, i) => value * y[i]!));
    expect(dot(a!, b!) / Math.sqrt(dot(a!, a!) * dot(b!, b!)), `layer ${layer}`).toBeGreaterThan(0.5);
  });

  const sources = ["--source", `moe=${example}model.safetensors`, "--source", "usage=usage.safetensors"];
  const pruned = await run("convert", "recipes.moe", "Prune", ...sources, "--out", "small.safetensors");
  expect(pruned.code, pruned.err).toBe(0);
  // The router keeps the columns of the six most used experts, most used first.
  const name = "model.layers.1.block_sparse_moe.gate.weight";
  const [most] = [...layers[1]!.keys()].sort((x, y) => layers[1]![y]! - layers[1]![x]! || x - y);
  const router = opened(at("small.safetensors")).readF32(name);
  expect(router).toHaveLength(6 * 256);
  const whole = opened(`${example}model.safetensors`).readF32(name);
  expect(router.subarray(0, 256)).toEqual(whole.subarray(256 * most!, 256 * (most! + 1)));

  const written = await run("run", "small.yaml", "declare function", "--max-tokens", "4", "--threads", "1", "--trace");
  expect(written.code, written.err).toBe(0);
  const { ids, routes } = JSON.parse(written.out) as { ids: number[]; routes: { experts: number }[] };
  expect(ids.length).toBeGreaterThan(0);
  expect(routes.map(({ experts }) => experts)).toEqual([6]);
}, 120_000);

test("the counts are those of the routes that `moec run --trace` shows", async () => {
  const { out } = await run("usage", ".", "short.txt", "-o", "short.safetensors", "--threads", "1");
  const { tokens, usage } = JSON.parse(out) as Counted;
  const traced = await run("run", ".", "In the beginning", "--max-tokens", "1", "--trace", "--threads", "1");
  const [route] = (JSON.parse(traced.out) as { routes: { index: number[]; tokens: number; slots: number }[] }).routes;
  expect(route!.tokens).toBe(tokens);
  const row = tokens * route!.slots;
  const counts = [0, 1, 2, 3].map((layer) =>
    Array.from(
      { length: 8 },
      (_, expert) => route!.index.slice(layer * row, (layer + 1) * row).filter((one) => one === expert).length,
    ),
  );
  expect(usage["usage"]).toEqual(counts);
}, 120_000);

test("a mixture behind the layers counts every token too, under the name of its result", async () => {
  writeFileSync(
    at("behind.moe"),
    `import { MoE, RMSNorm } from "std"

model Behind[V = 2048, D = 32] {
  param tok: [V, D]
  use norm = RMSNorm[D]
  use first = MoE[D, F = 16, E = 4](k: 2)
  use last = MoE[D, F = 16, E = 4](k: 2)
  forward(tokens: int[T]) -> f32[T, V] => norm(last(first(tok[V: tokens]))) @ tok
}
`,
  );
  writeFileSync(at("behind.yaml"), "model: behind.moe\ntokenizer: tokenizer.json\n");
  const { out, err } = await run("usage", "behind.yaml", "short.txt", "-o", "b.safetensors", "--random", "1");
  const { tokens, usage } = JSON.parse(out) as Counted;
  expect(Object.keys(usage), err).toHaveLength(2);
  for (const [name, [counts]] of Object.entries(usage)) {
    expect(
      counts!.reduce((sum, count) => sum + count, 0),
      name,
    ).toBe(2 * tokens);
  }
}, 120_000);

test("several mixtures are named as in traces", () => {
  const mixtures = ["first.moe", "layers.moe", "layers.moe"].map((label) => ({ label, layers: [[1, 2]] }));
  const names = usageTensors(mixtures).map(({ name }) => name);
  expect(names).toEqual(["usage_first_moe", "usage_layers_moe", "usage_layers_moe_2"]);
  expect(usageTensors(mixtures.slice(1, 2)).map(({ name }) => name)).toEqual(["usage"]);
});

test("a model without experts, a missing text and an empty one are refused", async () => {
  writeFileSync(
    at("dense.moe"),
    `import { RMSNorm } from "std"

model Dense[V = 2048, D = 32] {
  param tok: [V, D]
  use norm = RMSNorm[D]
  forward(tokens: int[T]) -> f32[T, V] => norm(tok[V: tokens]) @ tok
}
`,
  );
  writeFileSync(at("dense.yaml"), "model: dense.moe\ntokenizer: tokenizer.json\n");
  writeFileSync(at("empty.txt"), "");
  const usage = (...args: readonly string[]): Promise<Outcome> => run("usage", ...args, "-o", "none.safetensors");
  const dense = await usage("dense.yaml", "short.txt", "--random", "1", "--threads", "1");
  expect([dense.code, dense.out]).toEqual([3, expect.stringContaining("MOE5444")]);
  expect((await usage(".", "absent.txt")).out).toContain("MOE5123");
  expect((await usage(".", "empty.txt", "--threads", "1")).out).toContain("MOE5321");
}, 120_000);
