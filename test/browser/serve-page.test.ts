/** The page of `moec serve` as a visitor meets it: what runs, a text, a prompt that is too long, a server that goes away. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deviceText } from "../../runtime/device-text.js";
import { exampleModel, serveModel, type TestServer } from "../serve/server.js";
import { openBrowser } from "./site.js";

const browser: Browser | undefined = await openBrowser();
const CONTEXT = 512;
let all: TestServer;
let page: Page;
const wrong: string[] = [];

beforeAll(async () => {
  if (!browser) return;
  all = await serveModel(await exampleModel(1));
  page = await browser.newPage({ viewport: { width: 400, height: 800 } });
  page.on("pageerror", (error) => wrong.push(error.message));
  await page.goto(all.server.url);
});
afterAll(async () => {
  await browser?.close();
  if (!browser) return;
  await all.server.close(1);
  all.served[Symbol.dispose]();
});

const text = (id: string): Promise<string> => page.locator(`#${id}`).innerText();
async function write(prompt: string, tokens: number): Promise<void> {
  await page.fill("#prompt", prompt);
  await page.fill("#tokens", String(tokens));
  await page.click("#write");
}
const ended = (): Promise<unknown> => page.waitForSelector("#stop:disabled");

describe.skipIf(!browser)("the page of moec serve", () => {
  it("says what runs as the command line does", async () => {
    await page.waitForFunction(() => document.querySelector("#facts")?.textContent !== "");
    expect(await text("facts")).toContain(deviceText(all.model.report));
  });

  it("writes, draws the experts, and tells of a token from the keyboard, on a narrow screen", async () => {
    await write("In the beginning", 12);
    await ended();
    expect(await text("speed")).toMatch(/ 12 written · prompt of \d+ in .* · all tokens that were asked for$/);
    await page.focus("#map");
    await page.keyboard.press("Home");
    expect(await text("told")).toMatch(/^Token 0, .* layers\.3\.moe\.experts: \d \(/);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(400);
    // A prompt that is there already is read from its last token on.
    const prompt = Number(/prompt of (\d+) /.exec(await text("speed"))![1]);
    await write(await page.inputValue("#prompt"), 4);
    await ended();
    await page.focus("#map");
    await page.keyboard.press("Home");
    expect(await text("told")).toMatch(new RegExp(`^Token ${prompt - 1}, `));
    expect(await text("experts-note")).toContain(`the first ${prompt - 1} tokens were read before`);
  });

  it("says that the context is full when it has less room than was asked for", async () => {
    await write("In the beginning the light was good. ".repeat(48), 300);
    await ended();
    expect(await text("speed")).toMatch(new RegExp(`the context of ${CONTEXT} tokens is full$`));
    // The long prompt scrolls in its box and leaves the experts in sight.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    expect(height).toBeLessThan(1400);
  });

  it("shows no text of a prompt that was refused", async () => {
    await write("In the beginning the light was good. ".repeat(200), 10);
    await page.waitForSelector("#problem:not([hidden])");
    expect(await text("problem")).toMatch(/512 .*\(MOE5320\)$/);
    expect(await text("text")).toBe("");
    expect(await text("speed")).toBe("");
  });

  it("no longer says that it reads when an error or the end comes before the first token", async () => {
    const error = { code: "MOE5999", message: "the device is lost" };
    for (const [body, problem] of [
      [`data: ${JSON.stringify({ error })}\n\n`, /^the device is lost \(MOE5999\)$/],
      ["", /^The server ended before the text did/],
    ] as const) {
      await page.route("**/moec/write", (route) => route.fulfill({ contentType: "text/event-stream", body }));
      await write("Once", 100);
      await page.waitForSelector("#problem:not([hidden])");
      await ended();
      expect(await text("problem")).toMatch(problem);
      expect(await text("speed")).toBe("");
      await page.unroute("**/moec/write");
    }
  });

  it("says that the server went away in the middle of a text", async () => {
    // The connection ends as it does when the process ends: orderly, without the last event.
    await page.route("**/moec/write", (route) =>
      route.fulfill({
        contentType: "text/event-stream",
        body: 'data: {"piece": "and", "tokens": []}\n\n',
      }),
    );
    await write("Once", 100);
    await page.waitForSelector("#problem:not([hidden])");
    expect(await text("text")).toBe("Onceand");
    expect(await text("problem")).toMatch(/^The server ended before the text did/);
    await page.unroute("**/moec/write");
    await page.route("**/moec/write", (route) => route.abort("connectionrefused"));
    await write("Once", 100);
    await expect.poll(() => text("problem")).toMatch(/can't be reached/);
    expect(await page.isEnabled("#write")).toBe(true);
    expect(wrong).toEqual([]);
  });
});
