/** The official client of the OpenAI API against the server, unchanged. */
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reference } from "../real/tiny-moe.js";
import { exampleModel, serveModel, type TestServer } from "./server.js";

let all: TestServer;
let client: OpenAI;
const PROMPT = reference.greedy[0]!.prompt;
let greedy: string;

beforeAll(async () => {
  all = await serveModel(await exampleModel(3));
  client = new OpenAI({ baseURL: `${all.server.url}/v1`, apiKey: "none", maxRetries: 0 });
  greedy = all.model.tokenizer.decode(reference.greedy[0]!.ids.slice(0, 12));
}, 120_000);
afterAll(async () => {
  await all.server.close(1);
  all.model.dispose();
});

describe("completions", () => {
  it("are the reference's greedy text, with counts", async () => {
    const answer = await client.completions.create({
      model: "TinyMoE",
      prompt: PROMPT,
      max_tokens: 12,
      temperature: 0,
    });
    expect(answer.choices[0]!.text).toBe(greedy);
    expect(answer.choices[0]!.finish_reason).toBe("length");
    const { length } = reference.greedy[0]!.prompt_ids;
    expect(answer.usage).toMatchObject({ prompt_tokens: length, completion_tokens: 12, total_tokens: length + 12 });
  });

  it("stream the same text", async () => {
    const stream = await client.completions.create({
      model: "TinyMoE",
      prompt: PROMPT,
      max_tokens: 12,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let pieces = 0;
    let tokens = 0;
    for await (const { choices, usage } of stream) {
      text += choices[0]?.text ?? "";
      pieces++;
      tokens += usage?.completion_tokens ?? 0;
    }
    expect(text).toBe(greedy);
    expect(tokens).toBe(12);
    expect(pieces).toBeGreaterThan(6);
  });

  it("end before a stop string, and say so", async () => {
    const stop = greedy.slice(6, 10);
    const answer = await client.completions.create({
      model: "TinyMoE",
      prompt: PROMPT,
      max_tokens: 12,
      temperature: 0,
      stop,
    });
    expect(answer.choices[0]).toMatchObject({ text: greedy.slice(0, greedy.indexOf(stop)), finish_reason: "stop" });
  });

  it("say how likely their tokens are, whole and in pieces alike", async () => {
    const ask = { model: "TinyMoE", prompt: PROMPT, max_tokens: 6, temperature: 0, logprobs: 3 };
    const whole = (await client.completions.create(ask)).choices[0]!;
    const { tokens, token_logprobs: own, top_logprobs: top, text_offset: offsets } = whole.logprobs!;
    expect(tokens!.join("")).toBe(whole.text);
    own!.forEach((logprob, at) => {
      const best = Object.values(top![at]!);
      expect(best.length).toBe(3);
      // Greedy text takes the most likely token; probabilities of three of them are at most 1.
      expect(logprob).toBe(Math.max(...best));
      expect(best.reduce((sum, each) => sum + Math.exp(each), 0)).toBeLessThanOrEqual(1 + 1e-12);
      expect(offsets![at]).toBe(tokens!.slice(0, at).join("").length);
    });
    const pieces: (typeof whole)[] = [];
    for await (const { choices } of await client.completions.create({ ...ask, stream: true })) pieces.push(choices[0]!);
    expect(pieces.flatMap(({ logprobs }) => logprobs?.token_logprobs ?? [])).toEqual(own);
    expect(pieces.flatMap(({ logprobs }) => logprobs?.text_offset ?? [])).toEqual(offsets);
  });

  it("take several prompts and several answers, in order", async () => {
    const prompt = [PROMPT, reference.greedy[1]!.prompt];
    const answer = await client.completions.create({ model: "TinyMoE", prompt, n: 2, max_tokens: 12, temperature: 0 });
    expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(answer.choices[0]!.text).toBe(greedy);
    expect(answer.choices[1]!.text).toBe(greedy);
    expect(answer.choices[2]!.text).toBe(answer.choices[3]!.text);
    expect(answer.choices[2]!.text).not.toBe(greedy);
  });

  it("are the same for equal seeds and others for the answers of one request", async () => {
    const ask = { model: "TinyMoE", prompt: PROMPT, max_tokens: 16, temperature: 1.5, seed: 7, n: 2 };
    const [first, second] = await Promise.all([client.completions.create(ask), client.completions.create(ask)]);
    expect(first.choices.map(({ text }) => text)).toEqual(second.choices.map(({ text }) => text));
    expect(first.choices[0]!.text).not.toBe(first.choices[1]!.text);
  });

  it("are drawn anew without a seed", async () => {
    const ask = { model: "TinyMoE", prompt: PROMPT, max_tokens: 24, temperature: 2, n: 2 };
    const [first, second] = await Promise.all([client.completions.create(ask), client.completions.create(ask)]);
    // Two of 2048^24 texts at nearly even odds.
    expect(new Set([...first.choices, ...second.choices].map(({ text }) => text)).size).toBe(4);
  });
});

describe("chat", () => {
  const messages = [{ role: "user" as const, content: "Say something." }];

  it("answers whole and in pieces alike", async () => {
    const ask = { model: "TinyMoE", messages, max_tokens: 10, temperature: 0 };
    const whole = await client.chat.completions.create(ask);
    const text = whole.choices[0]!.message.content!;
    expect(text.length).toBeGreaterThan(0);
    let pieces = "";
    let reason: string | null = null;
    for await (const { choices } of await client.chat.completions.create({ ...ask, stream: true })) {
      pieces += choices[0]!.delta.content ?? "";
      reason = choices[0]!.finish_reason ?? reason;
    }
    expect(pieces).toBe(text);
    expect(reason).toBe(whole.choices[0]!.finish_reason);
  });

  it("says how likely each token is, with its bytes", async () => {
    const ask = { model: "TinyMoE", messages, max_tokens: 4, temperature: 0, logprobs: true, top_logprobs: 2 };
    const { content } = (await client.chat.completions.create(ask)).choices[0]!.logprobs!;
    expect(content!.length).toBe(4);
    for (const { token, logprob, bytes, top_logprobs: top } of content!) {
      expect(top.map((each) => each.logprob)).toEqual([logprob, top[1]!.logprob]);
      expect(logprob).toBeGreaterThanOrEqual(top[1]!.logprob);
      expect(new TextDecoder().decode(Uint8Array.from(bytes!))).toBe(token);
    }
  });

  it("stops writing when the client goes away", async () => {
    const stream = await client.chat.completions.create({ model: "TinyMoE", messages, max_tokens: 400, stream: true });
    let seen = 0;
    for await (const _ of stream) if (++seen === 3) stream.controller.abort();
    await expect.poll(() => all.served.places.busy, { interval: 5, timeout: 5000 }).toBe(0);
    const written = all.model.tokensOf(0).length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(all.model.tokensOf(0).length).toBe(written);
  });
});

describe("the other routes", () => {
  it("list the model, say that all is well, count", async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["TinyMoE"]);
    expect((await client.models.retrieve("TinyMoE")).id).toBe("TinyMoE");
    await expect(client.models.retrieve("gpt-4/x")).rejects.toMatchObject({ status: 404, code: "MOE5523" });
    expect(await (await fetch(`${all.server.url}/health`)).json()).toEqual({ status: "ok" });
    const metrics = await (await fetch(`${all.server.url}/metrics`)).text();
    expect(metrics).toMatch(/moec_requests_total\{route="\/v1\/completions",status="200"\} \d/);
    expect(metrics).toMatch(/^moec_texts 3$/m);
    // Requests of several answers went on together.
    const steps = (most: number): number =>
      Number(new RegExp(`^moec_texts_per_step_bucket\\{le="${most}"\\} (\\d+)$`, "m").exec(metrics)![1]);
    expect(steps(4)).toBeGreaterThan(steps(1));
    for (const line of metrics.trim().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? [\d.e+-]+)$/);
  });

  it("refuse what the model can't do, in the client's own errors", async () => {
    await expect(client.embeddings.create({ model: "TinyMoE", input: "x" })).rejects.toMatchObject({
      status: 400,
      code: "MOE5520",
    });
    const other = client.completions.create({ model: "gpt-4", prompt: "x" });
    await expect(other).rejects.toMatchObject({ status: 404, code: "MOE5523", param: "model" });
    const long = client.completions.create({ model: "TinyMoE", prompt: "word ".repeat(2000) });
    await expect(long).rejects.toMatchObject({ status: 400, code: "MOE5320" });
  });

  it("tell the page which experts took which token", async () => {
    const response = await fetch(`${all.server.url}/moec/write`, {
      method: "POST",
      body: JSON.stringify({ prompt: PROMPT, maxTokens: 5, temperature: 0 }),
    });
    const events = (await response.text())
      .split("\n\n")
      .filter((part) => part !== "")
      .map(
        (part) => JSON.parse(part.slice(6)) as { tokens: { layers: [number, number][][] }[] | number; done?: boolean },
      );
    const tokens = events.flatMap((event) => (Array.isArray(event.tokens) ? event.tokens : []));
    expect(tokens.length).toBeGreaterThanOrEqual(5);
    // Named once, by the path of their experts.
    const named = events.flatMap((event) => ("layers" in event ? [event.layers] : []));
    expect(named).toEqual([
      [0, 1, 2, 3].map((layer) => expect.stringMatching(new RegExp(`^layers\\.${layer}\\.\\S+$`)) as string),
    ]);
    for (const { layers } of tokens) {
      expect(layers.length).toBe(4);
      for (const taken of layers) {
        expect(taken.length).toBe(2);
        expect(taken[0]![1] + taken[1]![1]).toBeCloseTo(1, 2);
      }
    }
    expect(events.at(-1)).toMatchObject({ done: true, reason: "length" });
    expect(all.mistakes).toEqual([]);
  });
});
