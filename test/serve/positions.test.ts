/** A model whose positions choose rows of a table that is shorter than the context: requests end where the table does. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { programOf, specModel } from "../runtime/spec-model.js";
import { serveModel, type TestServer } from "./server.js";

const P = 16;
const SPEC = `
model Short[V = 256, D = 32, P = ${P}] {
  param tok: [V, D]
  param place: [P, D]
  state memory: [D] = 0
  forward(tokens: int[T]) -> [T, V] => {
    let x = tok[V: tokens] + place[P: position(T)]
    memory = memory * 0.5 + mean(x, over: T)
    (x + memory) @ tok
  }
}
`;
let all: TestServer;
beforeAll(async () => {
  all = await serveModel(await specModel(programOf(SPEC), { limits: { T: 64, context: 64 } }));
});
afterAll(async () => {
  await all.server.close(1);
  all.served[Symbol.dispose]();
});

async function complete(prompt: readonly number[]): Promise<Response> {
  const body = JSON.stringify({ prompt, max_tokens: 3 * P, temperature: 0 });
  const headers = { "content-type": "application/json" };
  return fetch(new URL("v1/completions", all.server.url), { method: "POST", headers, body });
}

it("says that a text ended by its length when the table is full", async () => {
  const response = await complete([1, 2, 3, 4]);
  expect(response.status).toBe(200);
  // The last token of a full table can still be chosen; it needs no row of its own.
  expect(await response.json()).toMatchObject({
    choices: [{ finish_reason: "length" }],
    usage: { prompt_tokens: 4, completion_tokens: P - 4 + 1 },
  });
});

it("refuses a longer prompt before anything is written", async () => {
  const response = await complete(new Array<number>(P + 1).fill(1));
  expect(response.status).toBe(400);
  const message = expect.stringMatching(new RegExp(`holds ${P} positions.* ${P + 1} more`)) as string;
  expect(await response.json()).toMatchObject({ error: { code: "MOE5320", message } });
});

it("tells the page how long a text becomes", async () => {
  const model = (await (await fetch(new URL("moec/model", all.server.url))).json()) as { readonly context: number };
  expect(model.context).toBe(P);
});
