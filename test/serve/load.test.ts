/** A few seconds of what `bench/serve/load.mjs` does for a minute: many clients at once, of which some go away. */
import { expect, it } from "vitest";
import { exampleModel, serveModel } from "./server.js";

const CLIENTS = 32;

it("loses no request of many clients, and gives back what those that left had", async () => {
  const model = await exampleModel(4);
  const all = await serveModel(model, { queue: CLIENTS });
  const ask = async (client: number, turn: number): Promise<"whole" | "left"> => {
    const leaves = (client + turn) % 5 === 0;
    const abort = new AbortController();
    const body = JSON.stringify({ prompt: `Chapter ${client}. In the`, max_tokens: 12, stream: true });
    const response = await fetch(`${all.server.url}/v1/completions`, { method: "POST", body, signal: abort.signal });
    expect(response.status).toBe(200);
    const reader = response.body!.getReader();
    let text = "";
    for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
      text += new TextDecoder().decode(value);
      if (!leaves) continue;
      abort.abort();
      return "left";
    }
    expect(text.trimEnd().endsWith("[DONE]")).toBe(true);
    return "whole";
  };
  const answers = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => [await ask(client, 0), await ask(client, 1)]),
  );
  const count = answers.flat().filter((answer) => answer === "whole").length;
  expect(count).toBe(2 * CLIENTS - answers.flat().filter((answer) => answer === "left").length);
  expect(count).toBeGreaterThan(CLIENTS);
  await expect.poll(() => all.served.places.busy, { interval: 2, timeout: 5000 }).toBe(0);
  expect(all.served.places.waiting).toBe(0);
  expect(all.mistakes).toEqual([]);
  expect(await all.server.close(5)).toBe(0);
  model.dispose();
}, 120_000);
