/** Positions that choose rows of a table end where the table does: they are refused, and never read as zeros. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { byteTokenizer } from "../../cli/byte-tokenizer.js";
import { loadModel, Model } from "../../runtime/node/index.js";
import { hasNative } from "../support/native.js";
import { folderOf, moec } from "./io.js";

const P = 16;
const spec = (choice: string): string => `model Short[V = 256, D = 32, P = ${P}] {
  param tok: [V, D]
  param place: [P, D]
  state memory: [D] = 0
  tokenizer "tokenizer.json"
  forward(tokens: int[T]) -> f32[T, V] => {
    let x = tok[V: tokens] + place[P: ${choice}]
    memory = memory * 0.5 + mean(x, over: T)
    (x + memory) @ tok
  }
}
`;
const folder = folderOf({ "tokenizer.json": byteTokenizer() });
const cwd = folder.path;
afterAll(() => folder.remove());

async function opened(name: string, choice: string, device: "wasm" | "native"): Promise<Model> {
  writeFileSync(join(cwd, `${name}.moe`), spec(choice));
  const args = ["build", `${name}.moe`, "--random", "3", "--quantization", "f32", "--context", "64"];
  const { code, err } = await moec([...args, "--out", `${name}-${device}`, "--target", device], { cwd });
  expect(code, err).toBe(0);
  return loadModel(Model, join(cwd, `${name}-${device}`), { device, threads: 1 });
}

const full = (limit: number, past: number, asked: number): string =>
  `the context holds ${limit} positions; ${past} are used and ${asked} more were asked for`;

describe.each(["wasm", ...(hasNative ? (["native"] as const) : [])] as const)(
  "a table of positions on %s",
  (device) => {
    it("is the longest that a text becomes, by calls and by generation", async () => {
      using model = await opened("plain", "position(T)", device);
      await model.call("forward", { tokens: [1] });
      for (let past = 1; past < P; past++) await model.extend("forward", { tokens: [past] });
      const refused = model.extend("forward", { tokens: [1] });
      await expect(refused).rejects.toMatchObject({ code: "MOE5320" });
      await expect(refused).rejects.toThrow(full(P, P, 1));
      await expect(model.call("forward", { tokens: new Array<number>(P + 1).fill(1) })).rejects.toThrow(
        full(P, 0, P + 1),
      );
      await model.reset();
      let steps = 0;
      const options = { temperature: 0, maxTokens: 3 * P, onStep: () => steps++ };
      for await (const piece of model.generate([1, 2, 3, 4], options)) void piece;
      // The last token of a full table can still be chosen; it needs no row of its own.
      expect(steps).toBe(P - 4 + 1);
    });
  },
);

it.each([
  ["position(T) + 2", P - 2],
  ["1 + position(T)", P - 1],
])("counts what is added to positions: %s", async (choice, most) => {
  using model = await opened("shifted", choice, "wasm");
  await expect(model.call("forward", { tokens: new Array<number>(most).fill(1) })).resolves.toBeDefined();
  await expect(model.extend("forward", { tokens: [1] })).rejects.toThrow(full(most, most, 1));
});

it("lets positions that stay in the table go on", async () => {
  using model = await opened("bounded", "min(position(T), P - 1)", "wasm");
  await expect(model.call("forward", { tokens: new Array<number>(3 * P).fill(1) })).resolves.toBeDefined();
  await expect(model.extend("forward", { tokens: [1] })).resolves.toBeDefined();
});

it("is as long for `moec verify`, which finds the reference's numbers up to its end", async () => {
  writeFileSync(join(cwd, "verified.moe"), spec("position(T)"));
  const args = [
    "verify",
    "verified.moe",
    "--random",
    "3",
    "--quantization",
    "f32",
    "--context",
    "64",
    "--threads",
    "1",
  ];
  expect(await moec([...args, "--tokens", String(P)], { cwd })).toMatchObject({ code: 0 });
  const { code, err } = await moec([...args, "--tokens", String(P + 1)], { cwd });
  expect([code, err]).toEqual([3, expect.stringContaining(full(P, 0, P + 1))]);
});
