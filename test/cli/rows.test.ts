/** Token ids for which a model has no row are refused, by the command line and by the runtime, and never read as zeros. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { byteTokenizer } from "../../cli/byte-tokenizer.js";
import { loadModel, Model } from "../../runtime/node/index.js";
import { folderOf, moec } from "./io.js";

const SPEC = `model Tiny[V = 64, K = 2, D = 32] {
  param tok: [V, D]
  param kind: [K, D]
  forward(tokens: int[T]) -> f32[T, V] => tok[V: tokens] @ tok
  embed(tokens: int[T], kinds: int[T]) -> f32[T, D] => tok[V: tokens] + kind[K: kinds]
}
`;
const PROJECT = "model: tiny.moe\nout: made\n";
const folder = folderOf({ "tiny.moe": SPEC, "moec.yaml": PROJECT });
afterAll(() => folder.remove());
const cwd = folder.path;

it("says how many tokens and how many rows there are", async () => {
  const named = folderOf({
    "tiny.moe": SPEC,
    "moec.yaml": `${PROJECT}tokenizer: tokenizer.json\n`,
    "tokenizer.json": byteTokenizer(),
  });
  try {
    const { code, err } = await moec(["build", "--random", "1"], { cwd: named.path });
    expect(code).toBe(3);
    expect(err).toContain("error[MOE5468]: the tokenizer has 256 tokens, but the model has rows for 64");
    expect((await moec(["build", "--random", "1", "--size", "V=256"], { cwd: named.path })).code).toBe(0);
  } finally {
    named.remove();
  }
});

it("refuses ids without a row before a device sees them", async () => {
  expect((await moec(["build", "--random", "1"], { cwd })).code).toBe(0);
  for (const texts of [1, 2]) {
    const model = await loadModel(Model, pathToFileURL(`${join(cwd, "made")}/`), { texts, threads: 1 });
    try {
      await expect(model.call("forward", { tokens: [1, 63] })).resolves.toBeDefined();
      for (const id of [64, -1, 1e9]) {
        const refused = `id ${id} is not in the table of 64 rows`;
        await expect(model.call("forward", { tokens: [1, id] })).rejects.toThrow(refused);
        await expect(model.read([1, id])).rejects.toThrow(refused);
      }
      // Every input that chooses rows, not the tokens alone.
      const refused = model.call("embed", { tokens: [1, 2], kinds: [0, 2] });
      await expect(refused).rejects.toMatchObject({ code: "MOE5321" });
      await expect(refused).rejects.toThrow("input `kinds` of `embed`: id 2 is not in the table of 2 rows");
      await expect(model.call("embed", { tokens: [1, 2], kinds: [0, 1] })).resolves.toBeDefined();
    } finally {
      model.dispose();
    }
  }
});
