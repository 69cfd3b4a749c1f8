/**
 * The example's bundle, opened by a browser from a plain static server: no package, no bundler. Its text is Node's, the
 * page's thread stays free, threads are used where the page may have them.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, Model } from "../../runtime/node/index.js";
import { moec } from "../cli/io.js";
import { longestTask } from "./main-thread.js";
import { ISOLATION, openBrowser, serveFolder, type Site } from "./site.js";

const PROMPT = "In the beginning";
const TOKENS = 24;
const example = new URL("../../examples/tiny-moe", import.meta.url).pathname;

/** A browser without a GPU gives WebGPU by a software driver, when it is told to. */
const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
const browser: Browser | undefined = await openBrowser(SOFTWARE_GPU);
const root = mkdtempSync(join(tmpdir(), "moec-browser-"));
let site: Site;
let isolated: Site;
let expected = "";

/** What a page knows of a loaded bundle; the code in `evaluate` runs there. */
interface Visit {
  readonly text: string;
  readonly report: {
    readonly device: string;
    readonly gpu?: string;
    readonly whyNotWebgpu?: string;
    readonly threads: number;
    readonly whyOneThread?: string;
    readonly storage?: string;
  };
  readonly progress: readonly (readonly [number, number])[];
  readonly pieces: number;
  readonly routes: number;
}

/** The page has begun to import the bundle when it opens. */
interface Opened {
  readonly bundle: Promise<{ readonly TinyMoE: { load(options: object): Promise<Model> } }>;
}

/** Loads the bundle, writes greedily, disposes. */
async function visit(page: Page, device = "auto", count = TOKENS): Promise<Visit> {
  return page.evaluate(
    async ([prompt, maxTokens, device]) => {
      const { TinyMoE } = await (globalThis as unknown as Opened).bundle;
      const progress: [number, number][] = [];
      const model = await TinyMoE.load({
        device,
        onProgress: ({ loaded, total }: { loaded: number; total: number }) => progress.push([loaded, total]),
      });
      let text = "";
      let pieces = 0;
      let routes = 0;
      const options = { temperature: 0, maxTokens, trace: true };
      const onStep = (step: { routes: readonly unknown[] }): void => void (routes += step.routes.length);
      for await (const piece of model.generate(prompt, { ...options, onStep })) {
        text += piece;
        pieces++;
      }
      const { report } = model;
      model.dispose();
      return { text, report, progress, pieces, routes };
    },
    [PROMPT, count, device] as const,
  );
}

beforeAll(async () => {
  if (!browser) return;
  const out = join(root, "tiny");
  const { code, err } = await moec([
    "build",
    example,
    "--out",
    out,
    "--quantization",
    "f16",
    "--target",
    "wasm,webgpu",
  ]);
  expect(err + String(code)).toMatch(/0$/);
  const model = await loadModel(Model, out, { threads: 1 });
  for await (const piece of model.generate(PROMPT, { temperature: 0, maxTokens: TOKENS })) expected += piece;
  model.dispose();
  [site, isolated] = [await serveFolder(root), await serveFolder(root, ISOLATION)];
});
afterAll(async () => {
  await browser?.close();
  if (browser) await Promise.all([site.close(), isolated.close()]);
  rmSync(root, { recursive: true, force: true });
});

describe.skipIf(!browser)("the example's bundle in a browser", () => {
  async function open(url: string): Promise<Page> {
    const page = await browser!.newPage();
    await page.goto(url);
    return page;
  }

  it("writes Node's text on one thread, says why, and keeps the weights for the next visit", async () => {
    const page = await open(site.url);
    const first = await visit(page);
    expect(first.text).toBe(expected);
    expect(first.pieces).toBeGreaterThan(5);
    expect(first.routes).toBe(TOKENS);
    expect(first.report.threads).toBe(1);
    expect(first.report.whyOneThread).toMatch(/cross-origin isolated/);
    const [loaded, total] = first.progress.at(-1)!;
    expect(loaded).toBe(total);
    const asked = site.asked.filter((path) => path.endsWith(".bin")).length;
    expect(asked).toBeGreaterThan(0);
    const second = await visit(page);
    expect(second.text).toBe(expected);
    expect(second.report.storage).toMatch(/^1 of 1 /);
    expect(site.asked.filter((path) => path.endsWith(".bin"))).toHaveLength(asked);
    await page.context().close();
  });

  it("shares memory between threads on a page that is isolated", async () => {
    const page = await open(isolated.url);
    const cores = await page.evaluate(() => navigator.hardwareConcurrency);
    const { text, report } = await visit(page);
    expect(text).toBe(expected);
    expect(report.threads).toBe(cores);
    await page.context().close();
  });

  it("leaves the page's thread free while it loads and writes", async () => {
    // A fresh page each time, from its opening on. What the page itself has to do is as long each time; the rest is chance
    // (a collection, a neighbour's load).
    const times = [];
    for (let turn = 0; turn < 3; turn++) {
      const fresh = await browser!.newPage();
      const work = async (): Promise<unknown> => {
        await fresh.goto(site.url);
        return visit(fresh);
      };
      times.push(await longestTask(browser!, fresh, work));
      await fresh.context().close();
    }
    const longest = Math.min(...times);
    console.log(`longest task of the page's thread: ${longest.toFixed(1)} ms of processor time`);
    expect(longest).toBeLessThan(50);
    // The measure sees tasks that are long.
    const page = await open(site.url);
    const busy = await longestTask(browser!, page, () =>
      page.evaluate(() => {
        let sum = 0;
        for (let turn = 0; turn < 3e8; turn++) sum += Math.sqrt(sum + 1);
        return sum;
      }),
    );
    expect(busy).toBeGreaterThan(50);
    await page.context().close();
  });

  it("writes the same text on WebGPU, which is not chosen when its driver is software", async () => {
    const page = await open(site.url);
    const hasGpu = await page.evaluate(async () => {
      const { gpu } = navigator as { readonly gpu?: { requestAdapter(): Promise<unknown> } };
      return Boolean(await gpu?.requestAdapter());
    });
    if (!hasGpu) return console.warn("skipped: this browser gives no WebGPU adapter");
    const { text, report } = await visit(page, "webgpu", 8);
    expect(report.device).toBe("webgpu");
    expect(expected.startsWith(text) && text.length > 8).toBe(true);
    const chosen = await visit(page, "auto", 1);
    expect(chosen.report.device).toBe("wasm");
    expect(chosen.report.whyNotWebgpu).toMatch(/processor/);
    await page.context().close();
  });

  it("aborts, refuses with codes, and ends its worker", async () => {
    const page = await open(site.url);
    const outcome = await page.evaluate(async (prompt) => {
      const { TinyMoE } = await (globalThis as unknown as Opened).bundle;
      const controller = new AbortController();
      const model = await TinyMoE.load({});
      const found: string[] = [];
      const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? error);
      try {
        for await (const piece of model.generate(prompt, { temperature: 0, maxTokens: 400, signal: controller.signal }))
          if (piece !== "") controller.abort("enough");
      } catch (reason) {
        found.push(codeOf(reason));
      }
      await model.call("backward", {}).catch((error: unknown) => found.push(codeOf(error)));
      const { outputs } = await model.call("forward", { tokens: [1, 2, 3] });
      found.push(
        Object.values(outputs)[0]!
          .axes.map((axis) => axis.size)
          .join("x"),
      );
      model.dispose();
      await model.reset().catch((error: unknown) => found.push(codeOf(error)));
      return found;
    }, PROMPT);
    expect(outcome).toEqual(["enough", "MOE5322", "3x2048", "MOE5324"]);
    await expect.poll(() => page.workers().length).toBe(0);
    await page.context().close();
  });

  it("fetches a kept shard again when it has changed in the browser's storage", async () => {
    const page = await open(site.url);
    await visit(page, "auto", 2);
    const before = site.asked.filter((path) => path.endsWith(".bin")).length;
    const changed = await page.evaluate(async () => {
      const store = await caches.open("moec-weights");
      const kept = await store.keys();
      for (const request of kept) {
        const bytes = new Uint8Array(await (await store.match(request))!.arrayBuffer());
        bytes[1000]! ^= 1;
        await store.put(request, new Response(bytes));
      }
      return kept.length;
    });
    expect(changed).toBeGreaterThan(0);
    const again = await visit(page);
    expect(again.text).toBe(expected);
    expect(again.report.storage).toMatch(/^0 of 1 /);
    expect(site.asked.filter((path) => path.endsWith(".bin"))).toHaveLength(before + 1);
    // What was fetched is kept in its place.
    expect((await visit(page, "auto", 2)).report.storage).toMatch(/^1 of 1 /);
    expect(site.asked.filter((path) => path.endsWith(".bin"))).toHaveLength(before + 1);
    await page.context().close();
  });

  it("fetches shards when a model is loaded, not before, and tells how far it is", async () => {
    const start = site.asked.length;
    const page = await open(site.url);
    await page.evaluate(() => (globalThis as unknown as Opened).bundle);
    expect(site.asked.slice(start).filter((path) => path.endsWith(".bin"))).toEqual([]);
    const { progress } = await visit(page, "auto", 1);
    expect(site.asked.slice(start).filter((path) => path.endsWith(".bin"))).toHaveLength(1);
    const loaded = progress.map(([bytes]) => bytes);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(progress.at(-1)![0]).toBe(progress.at(-1)![1]);
    await page.context().close();
  });

  it("says which file has changed on the server", async () => {
    const page = await open(site.url);
    await page.route("**/weights-0.bin", async (route) => {
      const response = await route.fetch();
      const body = await response.body();
      body[1000]! ^= 1;
      await route.fulfill({ response, body });
    });
    await expect(visit(page)).rejects.toThrow(/weights-0\.bin/);
    await page.context().close();
  });
});
