/** The playground in a browser, from a plain static server: no message on the console, no address but its own. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "vite";
import { openBrowser } from "../browser/site.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const dist = join(root, "playground/dist");
const isInstalled = existsSync(join(root, "playground/node_modules/monaco-editor"));
if (!isInstalled) console.warn("skipped: `npm run playground` installs what the playground is made of");
const browser: Browser | undefined = isInstalled ? await openBrowser() : undefined;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".ttf": "font/ttf",
};

let server: Server;
let url = "";

beforeAll(async () => {
  if (!browser) return;
  await build({ configFile: join(root, "playground/vite.config.mjs"), logLevel: "error" });
  server = createServer((request, response) => {
    const path = normalize(new URL(request.url!, "http://x").pathname);
    const file = join(dist, path === "/" ? "index.html" : path);
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://localhost:${(server.address() as AddressInfo).port}/`;
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** Opens the page; what goes wrong in it is collected in `wrong`. */
async function opened(hash = ""): Promise<{ readonly page: Page; readonly wrong: string[] }> {
  const page = await browser!.newPage({ viewport: { width: 1400, height: 900 } });
  const wrong: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url)) wrong.push(request.url());
  });
  await page.goto(url + hash);
  await page.waitForSelector("body[data-ready]");
  return { page, wrong };
}

const shown = async (page: Page, tab: string): Promise<string> => {
  await page.click(`#tab-${tab}`);
  await page.waitForSelector(`#panel[data-shown=${tab}]:not([aria-busy])`);
  return (await page.textContent("#panel")) ?? "";
};

describe.skipIf(!browser)("the playground", () => {
  it("paints within two seconds, and needs nothing from elsewhere", async () => {
    const { page, wrong } = await opened();
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    expect(paint).toBeLessThan(2_000);
    expect(await page.textContent("#guide h1")).toBe("An expert");
    expect(await page.locator("#lesson option").count()).toBeGreaterThanOrEqual(12);
    expect(wrong).toEqual([]);
    await page.close();
  });

  it("judges a lesson: the start is not done, the solution is", async () => {
    const { page, wrong } = await opened("#lesson=05-router");
    await page.click("text=Check my answer");
    await page.waitForSelector("#verdict.open");
    await page.click("text=Show a solution");
    await page.click("text=Check my answer");
    await page.waitForSelector("#verdict.done");
    expect(wrong).toEqual([]);
    await page.close();
  });

  it("shows a mistake while it is typed, completes, and hovers with the type", async () => {
    const { page, wrong } = await opened("#lesson=03-let");
    await page.waitForSelector("#problems[data-count='0']");
    await page.click(".monaco-editor .view-line:nth-child(1)");
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("fn wrong[D](x: [D]) => nothing\n");
    // Half a word is another mistake, and is shown meanwhile.
    await page.waitForSelector('#problems button:has-text("`nothing`")');
    await page.waitForSelector(".monaco-editor .squiggly-error");
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("End");
    for (let i = 0; i < "nothing".length; i++) await page.keyboard.press("Backspace");
    await page.keyboard.type("soft");
    await page.keyboard.press("Control+Space");
    await page.waitForSelector(".suggest-widget.visible .monaco-list-row >> text=softmax");
    await page.keyboard.press("Escape");
    await page.hover(".monaco-editor .view-line >> text=centered >> nth=0");
    await page.waitForSelector(".monaco-hover:not(.hidden) >> text=f32[T, D]");
    expect(wrong).toEqual([]);
    await page.close();
  });

  it("draws, runs and emits a model; a click on a box leads to its source", async () => {
    const { page, wrong } = await opened("#lesson=12-model");
    await page.click("text=Show a solution");
    await page.waitForSelector("svg.graph .stack");
    expect(await shown(page, "run")).toMatch(/layers\[1\]: experts of each token/);
    expect(await shown(page, "wgsl")).toMatch(/@compute/);
    expect(await shown(page, "cuda")).toMatch(/__global__/);
    expect(await shown(page, "llvm")).toMatch(/define void @/);
    expect(await shown(page, "wasm")).toMatch(/^\(module/);
    expect(await shown(page, "tests")).toMatch(/No tests/);
    await shown(page, "picture");
    await page.locator("svg.graph .stack").first().focus();
    await page.keyboard.press("Enter");
    // The model's line with `layers`: the editor has the focus and the cursor there.
    await page.waitForFunction(() => document.activeElement?.closest("#editor") !== null);
    expect(wrong).toEqual([]);
    await page.close();
  });

  it("shares a text by its address", async () => {
    const { page } = await opened("#lesson=02-shapes");
    await page.click("text=Show a solution");
    await page.click("#share");
    await page.waitForFunction(() => location.hash.includes("code="));
    const { page: other, wrong } = await opened(new URL(page.url()).hash);
    expect(await other.textContent(".monaco-editor .view-lines")).toContain("[D,");
    expect(await other.inputValue("#lesson")).toBe("02-shapes");
    expect(wrong).toEqual([]);
    const { page: damaged } = await opened("#lesson=02-shapes&code=%%%");
    expect(await damaged.textContent("#guide h1")).toBe("Named axes");
    for (const each of [page, other, damaged]) await each.close();
  });

  it("fits a narrow screen: nothing to scroll sideways, no line cut off", async () => {
    const { page } = await opened("#lesson=12-model");
    await page.setViewportSize({ width: 400, height: 800 });
    await page.waitForFunction(() => document.documentElement.scrollWidth <= 400);
    const lines = page.locator("#editor .view-lines");
    await expect.poll(async () => (await lines.boundingBox())!.width).toBeLessThanOrEqual(400);
    await page.close();
  });

  it("is reachable by keyboard: lesson, buttons, editor and back out, tabs by arrows", async () => {
    const { page } = await opened();
    const at = (): Promise<string> =>
      page.evaluate(() => {
        const element = document.activeElement!;
        return element.closest("#editor") ? "editor" : element.id || element.textContent || element.tagName;
      });
    const visited: string[] = [];
    for (let i = 0; i < 7; i++) {
      await page.keyboard.press("Tab");
      visited.push(await at());
    }
    expect(visited).toEqual([
      "lesson",
      "share",
      "Check my answer",
      "Show a solution",
      "Start again",
      "Next lesson",
      "editor",
    ]);
    await page.keyboard.press("Control+M");
    await page.keyboard.press("Tab");
    expect(await at()).toBe("problems");
    await page.keyboard.press("Tab");
    expect(await at()).toBe("tab-picture");
    await page.keyboard.press("ArrowRight");
    expect(await at()).toBe("tab-tests");
    await page.keyboard.press("End");
    expect(await at()).toBe("tab-wasm");
    await page.keyboard.press("Home");
    expect(await at()).toBe("tab-picture");
    await page.close();
  });
});
