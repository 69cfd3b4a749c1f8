/** The model moves to another device under a running server. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../runtime/node/index.js";
import { reference, tinyModel } from "../real/tiny-moe.js";
import { serveModel, type TestServer } from "./server.js";

const [{ prompt, ids }] = reference.greedy as [(typeof reference.greedy)[number]];
const TEXTS = 2;

/** The example, whose bundle says that it has kernels for three devices. */
function withTargets(model: Model): Model {
  const manifest = { ...model.manifest, targets: ["wasm", "interpreter", "cuda"].map((name) => ({ name })) };
  return new Proxy(model, {
    get: (target, key) => {
      if (key === "manifest") return manifest;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

async function load(device: string): Promise<Model> {
  if (device === "cuda") throw new Error("there is no GPU");
  return withTargets(await tinyModel({ storage: "f16", texts: TEXTS, interpreter: device === "interpreter" }));
}

let all: TestServer;
const loaded: string[] = [];

beforeAll(async () => {
  all = await serveModel(await load("wasm"), {}, {}, (device) => {
    loaded.push(device);
    return load(device);
  });
}, 120_000);
afterAll(async () => {
  await all.server.close(1);
  all.served[Symbol.dispose]();
});

async function ask(path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`${all.server.url}${path}`, body === undefined ? {} : init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
async function write(count: number): Promise<string> {
  const { body } = await ask("/v1/completions", { prompt, max_tokens: count, temperature: 0 });
  return (body as { choices: { text: string }[] }).choices[0]!.text;
}
const greedy = (count: number): string => all.model.tokenizer.decode(ids.slice(0, count));
const device = async (): Promise<string> => {
  const { report } = (await ask("/moec/model")).body as { report: { device: string } };
  return report.device;
};
/** Asks for two devices, the second when the server is at work for the first. */
async function inOrder(first: string, second: string) {
  loaded.length = 0;
  const one = ask("/moec/device", { device: first });
  await expect.poll(() => loaded).toContain(first);
  return Promise.all([one, ask("/moec/device", { device: second })]);
}

describe("the device", () => {
  it("is offered by the page's description of the model", async () => {
    expect((await ask("/moec/model")).body["devices"]).toEqual(["wasm", "interpreter", "cuda"]);
    expect(await device()).toBe("wasm");
  });

  it("changes when the texts that are being written have ended; who asks meanwhile is answered there", async () => {
    const { places } = all.served;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const writing = Array.from({ length: TEXTS }, () =>
      places.take(
        () => 0,
        new AbortController().signal,
        () => ended,
      ),
    );
    const order: string[] = [];
    const change = ask("/moec/device", { device: "interpreter" }).finally(() => order.push("change"));
    await expect.poll(() => places.waiting).toBe(TEXTS);
    const after = write(2).finally(() => order.push("text"));
    await expect.poll(() => places.waiting).toBe(TEXTS + 1);
    expect(await device()).toBe("wasm");
    end();
    await Promise.all(writing);
    expect((await change).body).toMatchObject({ report: { device: "interpreter" } });
    expect(await after).toBe(greedy(2));
    expect(order).toEqual(["change", "text"]);
    expect(await device()).toBe("interpreter");
    expect(places.busy).toBe(0);
  });

  it("stays when another does not run here", async () => {
    const [one, two] = await inOrder("cuda", "wasm");
    expect(one).toMatchObject({ status: 400, body: { error: { code: "MOE5520" } } });
    expect(JSON.stringify(one.body)).toContain("there is no GPU");
    expect(two.status).toBe(200);
    expect(loaded).toEqual(["cuda", "interpreter", "wasm"]);
    expect(await write(2)).toBe(greedy(2));
  });

  it("is the one that was asked for last", async () => {
    const answers = await inOrder("interpreter", "wasm");
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await device()).toBe("wasm");
  });

  it("is one of the bundle's", async () => {
    for (const body of [{ device: "tpu" }, { device: 3 }, {}, { device: "wasm", more: 1 }]) {
      expect(await ask("/moec/device", body)).toMatchObject({ status: 400, body: { error: { code: "MOE5515" } } });
    }
  });
});
