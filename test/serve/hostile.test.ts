/** Requests that mean harm or make mistakes: a status and a code, and the server goes on. */
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed } from "../fuzz/runs.js";
import { exampleModel, serveModel, type TestServer } from "./server.js";

let all: TestServer;
let port: number;

beforeAll(async () => {
  all = await serveModel(await exampleModel(1), { queue: 2, patience: 1, body: 20_000 });
  port = Number(new URL(all.server.url).port);
}, 120_000);
afterAll(async () => {
  await all.server.close(1);
  all.model.dispose();
});

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
}

async function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${all.server.url}${path}`, { method: "POST", body, headers });
  const text = await response.text();
  const value = text.startsWith("{") ? (JSON.parse(text) as { error?: { code: string } }) : {};
  return { status: response.status, code: value.error?.code };
}

/** What a raw socket gets before it is closed. */
function raw(bytes: string | Buffer, wait = 3000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let got = "";
    socket.on("data", (piece) => (got += piece.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(got));
    setTimeout(() => socket.destroy(), wait);
  });
}

async function works(): Promise<void> {
  const answer = await post("/v1/completions", JSON.stringify({ prompt: "a", max_tokens: 1 }));
  expect(answer.status).toBe(200);
}

const asked = '"messages": [{"role": "user", "content": "a"}]';

describe("wrong requests", () => {
  it.each([
    ["/v1/completions", "", 400, "MOE5514"],
    ["/v1/completions", "{", 400, "MOE5514"],
    ["/v1/completions", "[]", 400, "MOE5514"],
    ["/v1/completions", "null", 400, "MOE5514"],
    ["/v1/completions", `{"prompt": "${"a".repeat(30_000)}"}`, 413, "MOE5513"],
    ["/v1/completions", "[".repeat(10_000), 400, "MOE5514"],
    ["/v1/completions", "{}", 400, "MOE5515"],
    ["/v1/completions", '{"prompt": []}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": [99999999]}', 400, "MOE5321"],
    ["/v1/completions", '{"prompt": [-1]}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "max_tokens": 1e300}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "max_tokens": -1}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "temperature": "hot"}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "n": 100000}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "stop": [""]}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "presence_penalty": 1}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "logprobs": 6}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "echo": true}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "suffix": "b"}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "logit_bias": {"5": -100}}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "grammar": "root ::= [a]"}', 400, "MOE5515"],
    ["/v1/embeddings", '{"input": "a", "dimensions": 8}', 400, "MOE5515"],
    ["/v1/embeddings", '{"input": "a", "encoding_format": "int8"}', 400, "MOE5515"],
    ["/v1/completions", '{"prompt": "a", "__proto__": {"stream": true}}', 400, "MOE5515"],
    ["/v1/chat/completions", '{"messages": []}', 400, "MOE5515"],
    ["/v1/chat/completions", `{${asked}, "tools": [{"type": "function"}]}`, 400, "MOE5515"],
    ["/v1/chat/completions", `{${asked}, "tool_choice": "auto"}`, 400, "MOE5515"],
    ["/v1/chat/completions", `{${asked}, "response_format": {"type": "json_object"}}`, 400, "MOE5515"],
    ["/v1/chat/completions", `{${asked}, "top_logprobs": 2}`, 400, "MOE5515"],
    ["/v1/chat/completions", `{${asked}, "stream_options": {"usage": true}}`, 400, "MOE5515"],
    ["/v1/chat/completions", '{"messages": [{"role": "root", "content": "a"}]}', 400, "MOE5515"],
    ["/v1/chat/completions", '{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}', 400, "MOE5515"],
    ["/v1/embeddings", '{"input": "a"}', 400, "MOE5520"],
    ["/moec/write", '{"prompt": "a"}', 400, "MOE5515"],
    ["/v1/models", "{}", 404, "MOE5518"],
    ["/../../etc/passwd", "{}", 404, "MOE5518"],
    ["/page.css/..%2f..%2fpackage.json", "{}", 404, "MOE5518"],
  ])("POST %s, case %#", async (path, body, status, code) => {
    expect(await post(path, body)).toEqual({ status, code });
  });

  it("of methods and paths that are not there", async () => {
    for (const target of ["GET /../package.json", "DELETE /v1/models", "GET //", "GET http://x/y", "TRACE /"]) {
      expect(await raw(`${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1.1 (404|400|403)/,
      );
    }
    await works();
  });

  it("that are no HTTP", async () => {
    expect(await raw("\0\0\0\0\0\0\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    await raw(Buffer.alloc(100_000, 65));
    await works();
  });

  it("that are too slow", async () => {
    const head = "POST /v1/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 500\r\n\r\n{";
    const answer = await raw(head, 5000);
    expect(answer).toMatch(/^HTTP\/1.1 408/);
    expect(answer).toContain("MOE5522");
    await works();
  });

  it("of any body whatever", async () => {
    const names = [
      "prompt",
      "max_tokens",
      "temperature",
      "stop",
      "n",
      "stream",
      "seed",
      "top_p",
      "top_k",
      "model",
      "x",
    ];
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(0, 1, -1, 1e308, "", "a", [], {}, null, true),
    );
    const body = fc
      .dictionary(fc.constantFrom(...names), value, { maxKeys: 5 })
      .map((one) => ({ ...one, max_tokens: one["max_tokens"] ?? 1 }));
    await fc.assert(
      fc.asyncProperty(body, async (one) => {
        const { status } = await post("/v1/completions", JSON.stringify(one));
        // Large numbers of tokens are no mistake; everything else is answered or refused.
        expect([200, 400, 404]).toContain(status);
      }),
      { numRuns: 60, seed, examples: [[{ max_tokens: 2 }]] },
    );
    expect(all.mistakes).toEqual([]);
    await works();
  }, 60_000);
});

describe("access", () => {
  it("is refused to other sites' pages and to other names of this address", async () => {
    expect(await post("/v1/completions", "{}", { origin: "https://example.org" })).toMatchObject({
      status: 403,
      code: "MOE5516",
    });
    expect(await raw("GET /v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 403/,
    );
    const { status } = await fetch(`${all.server.url}/v1/models`, { headers: { origin: all.server.url } });
    expect(status).toBe(200);
  });

  it("needs the key where there is one", async () => {
    const own = await serveModel(all.model, {}, { access: { key: "secret", origins: ["https://app.example"] } });
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${own.server.url}/v1/models`, { headers })).status;
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: "Bearer secre" })).toBe(401);
    expect(await ask({ authorization: "Bearer secret" })).toBe(200);
    expect(await ask({ authorization: "Bearer secret", origin: "https://app.example" })).toBe(200);
    expect(await ask({ authorization: "Bearer secret", origin: "https://other.example" })).toBe(403);
    expect((await fetch(`${own.server.url}/health`)).status).toBe(200);
    expect((await fetch(`${own.server.url}/`)).headers.get("content-security-policy")).toContain("default-src 'none'");
    await own.server.close(1);
  });
});

describe("more requests than there is room for", () => {
  it("wait, and are refused when too many wait; nobody is forgotten", async () => {
    const body = JSON.stringify({ prompt: "In the", max_tokens: 40, temperature: 0 });
    const answers = await Promise.all(Array.from({ length: 8 }, () => post("/v1/completions", body)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200).length).toBe(8 - refused.length);
    expect(refused.length).toBeGreaterThanOrEqual(1);
    for (const { code } of refused) expect(code).toBe("MOE5519");
    expect(all.served.places).toMatchObject({ busy: 0, waiting: 0 });
  });
});

describe("the end", () => {
  it("lets what runs end, refuses what comes, and is one", async () => {
    const own = await serveModel(all.model, {}, {});
    const body = JSON.stringify({ prompt: "In the", max_tokens: 200, temperature: 0 });
    const running = fetch(`${own.server.url}/v1/completions`, { method: "POST", body });
    await expect.poll(() => own.served.places.busy, { interval: 2, timeout: 5000 }).toBe(1);
    const ended = own.server.close(20);
    expect((await running).status).toBe(200);
    expect(await ended).toBe(0);
    await expect(fetch(`${own.server.url}/health`)).rejects.toThrow();
  });
});
