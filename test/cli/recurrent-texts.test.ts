/** A model that keeps states of fixed size and no cache: texts begin anew, and positions go on from call to call. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { byteTokenizer } from "../../cli/byte-tokenizer.js";
import { loadModel, Model } from "../../runtime/node/index.js";
import { folderOf, moec } from "./io.js";

const spec = readFileSync(join("test", "samples", "papers", "retnet.moe"), "utf8")
  .replace("V = 64", "V = 256")
  .replace("  forward", '  tokenizer "tokenizer.json"\n  forward');
const folder = folderOf({ "retnet.moe": spec, "tokenizer.json": byteTokenizer() });
let model: Model;

beforeAll(async () => {
  const out = join(folder.path, "bundle");
  const args = [
    "build",
    "retnet.moe",
    "--random",
    "3",
    "--quantization",
    "f32",
    "--out",
    out,
    "--context",
    "32",
    "--json",
  ];
  expect((await moec(args, { cwd: folder.path })).code).toBe(0);
  model = await loadModel(Model, out, { device: "wasm", threads: 1 });
});
afterAll(() => {
  model.dispose();
  folder.remove();
});

async function written(prompt: string, maxTokens: number): Promise<string> {
  let text = "";
  for await (const piece of model.generate(prompt, { temperature: 0, maxTokens })) text += piece;
  return text;
}

it("writes the same from the same prompt, whatever was written before", async () => {
  const first = await written("the state", 8);
  await written("another text", 5);
  expect(await written("the state", 8)).toBe(first);
});

it("goes on with a prompt that begins with the text that it holds", async () => {
  await model.reset();
  const all = await written("the state of", 4);
  await model.reset();
  await written("the state", 1);
  expect(await written("the state of", 4)).toBe(all);
});

it("writes longer texts than a cache of this context would hold", async () => {
  await model.reset();
  const context = 32;
  const prompt = Array.from({ length: 5 }, (_, i) => i);
  let tokens = 0;
  for await (const piece of model.generate(prompt, { temperature: 0, maxTokens: context + 8, onStep: () => tokens++ }))
    void piece;
  expect(tokens).toBeGreaterThan(context);
});
