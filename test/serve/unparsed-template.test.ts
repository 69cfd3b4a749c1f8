/** A chat template that does not parse: it is said at the start, chats are refused by a code, and all else is served. */
import { afterEach, expect, it } from "vitest";
import { byteTokenizer } from "../../cli/byte-tokenizer.js";
import { runCli } from "../../cli/program.js";
import { folderOf, silentIo } from "../cli/io.js";
import { exampleModel, serveModel } from "./server.js";

const UNPARSED = "{{ messages | foo";
const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

it("refuses chats and serves completions", async () => {
  const config = JSON.stringify({ chat_template: UNPARSED });
  const all = await serveModel(await exampleModel(1), {}, {}, undefined, config);
  ends.push(() => all.model.dispose());
  const post = async (path: string, body: object): Promise<Response> =>
    fetch(`${all.server.url}${path}`, { method: "POST", body: JSON.stringify({ ...body, max_tokens: 2 }) });
  const refused = await post("/v1/chat/completions", { messages: [{ role: "user", content: "hi" }] });
  const written = await post("/v1/completions", { prompt: "In the" });
  const body: unknown = await refused.json();
  await all.server.close(1);
  expect(refused.status).toBe(501);
  expect(body).toMatchObject({ error: { code: "MOE5525", type: "server_error" } });
  expect((body as { error: { message: string } }).error.message).toMatch(
    /^the chat template of TinyMoE does not parse, so chats are refused: \S/,
  );
  expect(written.status).toBe(200);
  expect(all.mistakes).toEqual([]);
}, 120_000);

it("is a warning of `moec serve`, which goes on", async () => {
  const place = folderOf({
    "small.moe": `model Small[V = 257, D = 4] {
  param tok: [V, D]
  forward(tokens: int[T]) -> f32[T, V] => tok[V: tokens] @ tok
}
`,
    "moec.yaml": "model: small.moe\ntokenizer: tokenizer.json\n",
    "tokenizer.json": byteTokenizer(),
    "chat_template.jinja": UNPARSED,
  });
  ends.push(place.remove);
  const interrupt = new AbortController();
  let said = "";
  const code = await runCli(["serve", ".", "--random", "1", "--port", "0", "--device", "wasm", "--threads", "1"], {
    ...silentIo({ cwd: place.path }),
    signal: interrupt.signal,
    out: (text) => {
      if (text.includes("Ctrl-C ends")) interrupt.abort();
    },
    err: (text) => {
      said += text;
    },
  });
  expect(said).toContain("warning[MOE5525]: the chat template of Small does not parse, so chats are refused: ");
  expect(said).toContain("moec explain MOE5525");
  expect(code).toBe(0);
}, 120_000);
