/**
 * Positions of texts are counted apart from token ids: models that keep states of fixed size and no cache, inputs of floats,
 * entries with two free lengths, inputs that are longer than one call.
 */
import { readFileSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { evaluate, StateStore } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import type { Model } from "../../runtime/model/model.js";
import { parameter, tokensOf } from "../optimize/tiny-model.js";
import { programOf, specModel, type SpecModelOptions } from "./spec-model.js";

const paper = (name: string): string =>
  readFileSync(new URL(`../samples/papers/${name}.moe`, import.meta.url), "utf8").replace("V = 64", "V = 256");

async function opened(program: Program, options: SpecModelOptions): Promise<Model> {
  const model = await specModel(program, options);
  onTestFinished(() => model.dispose());
  return model;
}

const FLOATS = `
model Fading[D = 64] {
  state last: [D] = 0
  forward(x: [T, D]) -> [T, D] => {
    let y = 0 * x + last + float(position(T))
    last = last + 100 * float(size(T))
    y
  }
}
`;

/** The first number of each token. */
const first = (data: ArrayLike<number>, width: number): number[] => Array.from(data).filter((_, i) => i % width === 0);

it("an input of floats counts its tokens, in call and extend, and a saved text goes on where it was", async () => {
  const width = 64;
  const model = await opened(programOf(FLOATS), { limits: { T: 8, context: 16 } });
  const values = async (action: "call" | "extend", T: number): Promise<number[]> =>
    first((await model[action]("forward", { x: new Float32Array(T * width) })).outputs["result"]!.data, width);
  expect(await values("call", 2)).toEqual([0, 1]);
  expect(await values("extend", 3)).toEqual([202, 203, 204]);
  const saved = await model.save();
  expect(saved).toMatchObject({ tokens: [], positions: 5 });
  expect(await values("extend", 1)).toEqual([505]);
  expect(await values("call", 1)).toEqual([0]);
  await model.restore(saved);
  expect(await values("extend", 1)).toEqual([505]);
  expect(model.tokens).toEqual([]);
});

it("an input of many floats is no list of arguments", async () => {
  const model = await opened(programOf(FLOATS.replace("D = 64", "D = 2048")), { limits: { T: 128, context: 128 } });
  const { outputs } = await model.call("forward", { x: new Float32Array(100 * 2048) });
  expect(first(outputs["result"]!.data, 2048)).toEqual(Array.from({ length: 100 }, (_, t) => t));
});

it("of two free lengths the one that the cache takes in is the number of tokens", async () => {
  const spec = `
model Pair[V = 8, D = 4] {
  param tok: [V, D]
  state keys: cache[T, D]
  forward(other: [P, D], tokens: int[T]) -> [T] => {
    let all = append(keys, tok[V: tokens], as: S)
    float(position(T)) + 100 * float(size(S)) + sum(other, over: [P, D])
  }
}
`;
  const model = await opened(programOf(spec), { limits: { T: 8, context: 16 } });
  const other = { data: new Float32Array(20).fill(0.25), shape: [5, 4] };
  const values = async (action: "call" | "extend", tokens: readonly number[]): Promise<number[]> =>
    Array.from((await model[action]("forward", { other, tokens })).outputs["result"]!.data);
  expect(await values("call", [1, 2])).toEqual([205, 206]);
  expect(await values("extend", [3])).toEqual([307]);
  expect(model.tokens).toEqual([1, 2, 3]);
  // In pieces of 8, each with all of the other input.
  expect(await values("call", new Array<number>(10).fill(1))).toEqual(
    Array.from({ length: 10 }, (_, t) => (t < 8 ? 800 : 1000) + 5 + t),
  );
});

it.each(["wasm", "interpreter"] as const)(
  "a prompt longer than a call of a model with states alone is read in pieces on %s",
  async (device) => {
    const program = programOf(paper("retnet"));
    const ids = Array.from({ length: 22 }, (_, i) => (i * 37) % 256);
    const inputs = { tokens: tokensOf(ids) };
    const params = (path: string) => parameter(program, path);
    const reference = evaluate(program, "forward", { inputs, params, states: new StateStore() }).outputs["result"];
    const expected = reference?.kind === "tensor" ? reference.data : [];
    expect(expected.length).toBe(22 * 256);
    // A context below the prompt: no cache has to hold it.
    const pieces = await opened(program, { device, limits: { T: 4, context: 16 } });
    const whole = await opened(program, { device, limits: { T: 32, context: 32 } });
    const [inPieces, inOne] = [await pieces.read(ids), await whole.read(ids)].map(({ outputs }) => outputs["result"]!);
    expect(inPieces!.axes).toEqual(inOne!.axes);
    // Two layers of 5 products with sums of at most 64 terms below 4, each rounding 2^-24; doubled for norms and exp.
    const tolerance = 2 * 5 * 64 * 4 * 2 * 2 ** -24;
    for (const [i, want] of expected.entries()) {
      const allowed = tolerance * Math.max(1, Math.abs(want));
      expect(Math.abs(inPieces!.data[i]! - want), `logit ${i}`).toBeLessThanOrEqual(allowed);
      expect(Math.abs(inOne!.data[i]! - want), `logit ${i}`).toBeLessThanOrEqual(allowed);
    }
    expect(pieces.tokens).toEqual(ids);
  },
);

it.each(["kimi-linear", "nemotron-h", "retnet"])("two texts of %s go on together as alone", async (name) => {
  const model = await opened(programOf(paper(name)), { texts: 2, limits: { T: 16, context: 32 } });
  expect(model.textsTogether).toBe(2);
  const written = async (prompt: string, text: number, together?: Set<number>): Promise<string> => {
    let all = "";
    const onStep = ({ texts }: { texts: number }): void => void together?.add(texts);
    for await (const piece of model.generate(prompt, { text, temperature: 0, maxTokens: 8, onStep })) all += piece;
    return all;
  };
  const prompts = ["the state", "of two texts"];
  const alone: string[] = [];
  for (const prompt of prompts) {
    await model.reset();
    alone.push(await written(prompt, 0));
  }
  await model.reset();
  const together = new Set<number>();
  expect(await Promise.all(prompts.map((prompt, text) => written(prompt, text, together)))).toEqual(alone);
  expect(together).toContain(2);
  expect(alone[0]).not.toBe(alone[1]);
});

it("in pieces a scan goes on from its state, one from a number and a cumsum begin anew", async () => {
  const sums = (next: string): string => `
    model Sums[V = 256] {
      param tok: [V]
      state total: [] = 0
      forward(tokens: int[T]) -> [T] => {
        let x = float(tokens) + 0 * tok[V: tokens]
        let (last, own) = scan(t in 0..T, s: [] = total) => (s + x[T: t], s + x[T: t])
        total = last
        ${next}
      }
    }
  `;
  const anew = "let (end, rows) = scan(t in 0..T, s = 0.0) => (s + x[T: t], s + x[T: t])\n rows + 0 * own";
  const ids = [1, 2, 3, 4, 5, 6, 7];
  const read = async (spec: string, T: number): Promise<number[]> => {
    const model = await opened(programOf(spec), { limits: { T, context: 16 } });
    return Array.from((await model.call("forward", { tokens: ids })).outputs["result"]!.data);
  };
  const whole = [1, 3, 6, 10, 15, 21, 28];
  const pieces = [1, 3, 6, 10, 5, 11, 18];
  for (const [next, inPieces] of [
    ["own", whole],
    [anew, pieces],
    ["cumsum(x, over: T) + 0 * own", pieces],
  ] as const) {
    expect(await read(sums(next), 8), next).toEqual(whole);
    expect(await read(sums(next), 4), next).toEqual(inPieces);
  }
});
