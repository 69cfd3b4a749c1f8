/**
 * A model that keeps states of fixed size and no cache: texts begin anew, positions go on from call to call, and what is
 * read again is what the states can't go back to. Logits are compared, not written text: a random model repeats itself.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { byteTokenizer } from "../../cli/byte-tokenizer.js";
import { expectedError } from "../../cli/verify/expected-error.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { loadModel, Model, type CallResult, type GenerationStep } from "../../runtime/node/index.js";
import { folderOf, moec } from "./io.js";

const V = 256;
const CONTEXT = 32;
const spec = readFileSync(join("test", "samples", "papers", "retnet.moe"), "utf8")
  .replace("V = 64", `V = ${V}`)
  // With the embedding as its head, a random model finds the token that it read the most likely.
  .replace("  forward", '  param head: [V, D]\n  tokenizer "tokenizer.json"\n  forward')
  .replace("norm(layers(tok[V: tokens])) @ tok", "norm(layers(tok[V: tokens])) @ head");
const folder = folderOf({ "retnet.moe": spec, "tokenizer.json": byteTokenizer() });
let model: Model;
/** The same numbers with room for all tokens of a test in one call. */
let wide: Model;
/** How far results of right kernels may lie apart. */
let bound: number;

async function opened(out: string, context: number): Promise<Model> {
  const args = ["build", "retnet.moe", "--random", "3", "--quantization", "f32", "--out", out];
  const { code, err } = await moec([...args, "--context", String(context), "--json"], { cwd: folder.path });
  expect(code, err).toBe(0);
  return loadModel(Model, join(folder.path, out), { device: "wasm", threads: 1 });
}

beforeAll(async () => {
  model = await opened("bundle", CONTEXT);
  wide = await opened("wide", 2 * CONTEXT);
  // Each of the two calls that are compared has its own error.
  bound = 2 * expectedError(JSON.parse(readFileSync(join(folder.path, "bundle", "plan.json"), "utf8")) as Plan);
});
afterAll(() => {
  model.dispose();
  wide.dispose();
  folder.remove();
});

const ids = (text: string): readonly number[] => [...new TextEncoder().encode(text)];
const logits = ({ outputs }: CallResult): Float32Array => Object.values(outputs)[0]!.data as Float32Array;

/** Root of the squared differences over that of the squares. */
function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found).toHaveLength(expected.length);
  const squares = (of: (i: number) => number): number =>
    Array.from({ length: expected.length }, (_, i) => of(i) ** 2).reduce((sum, square) => sum + square, 0);
  return Math.sqrt(squares((i) => found[i]! - expected[i]!) / squares((i) => expected[i]!));
}

/** Logits of pieces of a text, one call after the other, as those of one. */
async function inPieces(all: readonly number[], pieces: readonly number[]): Promise<readonly number[]> {
  const found: number[] = [];
  let from = 0;
  for (const count of pieces) {
    const tokens = all.slice(from, from + count);
    const result = await (from === 0 ? model.call("forward", { tokens }) : model.extend("forward", { tokens }));
    found.push(...logits(result));
    from += count;
  }
  expect(from).toBe(all.length);
  return found;
}

/** What a generation was given to read, call by call, and how likely it found what it wrote. */
async function steps(prompt: string, maxTokens: number): Promise<readonly GenerationStep[]> {
  const found: GenerationStep[] = [];
  const options = { temperature: 0, maxTokens, logprobs: 20, onStep: (step: GenerationStep) => found.push(step) };
  for await (const piece of model.generate(ids(prompt), options)) void piece;
  return found;
}

/** The most likely token behind a prompt and its logarithm of probability, of one call. */
async function best(prompt: string): Promise<readonly [id: number, logprob: number]> {
  const last = logits(await wide.call("forward", { tokens: ids(prompt) })).slice(-V);
  const id = last.indexOf(Math.max(...last));
  return [id, -Math.log(last.reduce((sum, logit) => sum + Math.exp(logit - last[id]!), 0))];
}

/** The first step is that of a model which has read the prompt and nothing else. */
async function expectBest({ chosen, likelihoods }: GenerationStep, prompt: string): Promise<void> {
  const [id, logprob] = await best(prompt);
  expect(chosen).toBe(id);
  expect(Math.abs(likelihoods!.chosen / logprob - 1)).toBeLessThan(bound);
}

describe("a text in pieces", () => {
  const text = ids("the state of a recurrent");

  it.each([
    ["one by one", text.map(() => 1)],
    ["in three calls", [7, 1, text.length - 8]],
  ])("gives the logits of one call, %s", async (_, pieces) => {
    const expected = logits(await wide.call("forward", { tokens: text }));
    expect(relativeError(await inPieces(text, pieces), expected)).toBeLessThan(bound);
    expect(model.tokens).toEqual(text);
  });

  it("goes on behind the context, which bounds caches alone", async () => {
    const long = ids("the state of a recurrent model has one size for all texts");
    expect(long.length).toBeGreaterThan(CONTEXT + 8);
    const expected = logits(await wide.call("forward", { tokens: long }));
    const found = await inPieces(long, [CONTEXT - 4, ...long.slice(CONTEXT - 4).map(() => 1)]);
    expect(relativeError(found, expected)).toBeLessThan(bound);
    expect(model.tokens).toEqual(long);
  });

  it("begins anew with `call`, which is another than going on", async () => {
    const other = ids("another");
    const expected = logits(await wide.call("forward", { tokens: other }));
    await model.call("forward", { tokens: text });
    const after = logits(await model.extend("forward", { tokens: other }));
    const anew = logits(await model.call("forward", { tokens: other }));
    expect(relativeError(anew, expected)).toBeLessThan(bound);
    // The states do matter here, or nothing above says anything.
    expect(relativeError(after, expected)).toBeGreaterThan(1e-2);
    expect(model.tokens).toEqual(other);
  });
});

describe("generate", () => {
  it("reads all of a prompt that is not the text so far, and remembers nothing of that", async () => {
    await steps("another text", 5);
    const [first] = await steps("the state", 8);
    expect(first!.read).toEqual(ids("the state"));
    await expectBest(first!, "the state");
  });

  it("reads again what it can't go back to: a beginning of the text", async () => {
    await model.reset();
    await steps("the state of", 1);
    const [first] = await steps("the st", 1);
    expect(first!.read).toEqual(ids("the st"));
    await expectBest(first!, "the st");
    expect(model.tokens).toEqual(ids("the st"));
  });

  it("reads only what is new of a prompt that begins with the text so far", async () => {
    await model.reset();
    await steps("the state", 1);
    const [first] = await steps("the state of", 1);
    expect(first!.read).toEqual(ids(" of"));
    await expectBest(first!, "the state of");
    expect(model.tokens).toEqual(ids("the state of"));
  });

  it("writes longer texts than a cache of this context would hold", async () => {
    await model.reset();
    const found = await steps("state", CONTEXT + 8);
    expect(found).toHaveLength(CONTEXT + 8);
    expect(model.tokens).toHaveLength(5 + CONTEXT + 7);
  });
});
