/** The documentation site as a reader uses it: links, search, copying and the theme. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, serveFolder, type Site } from "./site.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const browser: Browser | undefined = await openBrowser();
const folder = mkdtempSync(join(tmpdir(), "moec-docs-"));
let site: Site;
let page: Page;
const wrong: string[] = [];

beforeAll(async () => {
  const made = spawnSync("node", ["scripts/docs.mjs", folder], { cwd: root, encoding: "utf8" });
  expect(made.status, made.stderr).toBe(0);
  site = await serveFolder(folder);
  if (!browser) return;
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.message));
});
afterAll(async () => {
  await browser?.close();
  await site.close();
  rmSync(folder, { recursive: true });
});

it("has no link within the site that leads nowhere", () => {
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".html"));
  const texts = new Map(pages.map((path) => [join(folder, path), readFileSync(join(folder, path), "utf8")]));
  const dead: string[] = [];
  let links = 0;
  for (const [path, text] of texts) {
    for (const [, href] of text.matchAll(/ href="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(href!)) continue;
      links++;
      const [to, anchor] = href!.split("#") as [string, string?];
      const file = to === "" ? path : join(dirname(path), decodeURIComponent(to));
      const target = texts.get(file);
      const isThere = target === undefined ? existsSync(file) : !anchor || target.includes(`id="${anchor}"`);
      if (!isThere) dead.push(`${path.slice(folder.length + 1)}: ${href}`);
    }
  }
  expect(links).toBeGreaterThan(1000);
  expect([...new Set(dead)]).toEqual([]);
});

describe.skipIf(!browser)("in a browser", () => {
  it("finds a declaration from the keyboard", async () => {
    await page.goto(`${site.url}docs/cli.html`);
    await page.keyboard.press("/");
    await page.keyboard.type("sinkhorn");
    const hits = page.locator(".hits a");
    expect(await hits.first().textContent()).toMatch(/^Sinkhorn/);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/#Sinkhorn\w*$/);
    const name = new URL(page.url()).hash.slice(1);
    expect(await page.locator(`#${name}`).isVisible()).toBe(true);
  });

  it("shows nothing for words that stand nowhere, and forgets them on Escape", async () => {
    await page.fill("#search", "qqqqzz");
    expect(await page.locator(".hits a").count()).toBe(0);
    await page.locator("#search").press("Escape");
    expect(await page.inputValue("#search")).toBe("");
  });

  it("copies code as it is in the file", async () => {
    const block = page.locator("section.decl pre").filter({ visible: true }).first();
    const code = await block.locator("code").textContent();
    await block.hover();
    await block.locator("button").click();
    await expect.poll(() => block.locator("button").textContent()).toBe("copied");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);
  });

  it("keeps the theme that the reader chose", async () => {
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const before = await back();
    await page.click("#theme");
    const after = await back();
    expect(after).not.toBe(before);
    await page.goto(`${site.url}index.html`);
    expect(await back()).toBe(after);
  });

  it("shows where the reader is, and says aloud what the search finds", async () => {
    await page.goto(`${site.url}stdlib/schedules.html`);
    const here = page.locator("nav [aria-current=page]");
    expect(await here.textContent()).toBe("schedules");
    const [place, contents] = [(await here.boundingBox())!, (await page.locator("nav").boundingBox())!];
    expect(place.y).toBeGreaterThan(contents.y);
    expect(place.y + place.height).toBeLessThan(contents.y + contents.height);
    await page.fill("#search", "sinkhorn");
    expect(await page.textContent("#found")).toMatch(/^\d+ found/);
    await page.locator("#search").press("ArrowDown");
    expect(await page.textContent("#found")).toMatch(/^Sinkhorn.*, 1 of \d+$/);
    await page.fill("#search", "qqqqzz");
    expect(await page.textContent("#found")).toBe("nothing found");
  });

  it("has its contents one step away on a narrow screen, and the text first for the keyboard", async () => {
    const narrow = await page.context().newPage();
    await narrow.setViewportSize({ width: 400, height: 800 });
    await narrow.goto(`${site.url}docs/cli.html`);
    expect(await narrow.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
    await narrow.keyboard.press("Tab");
    expect(await narrow.evaluate(() => document.activeElement!.textContent)).toBe("To the text");
    await narrow.keyboard.press("Enter");
    expect(await narrow.evaluate(() => document.activeElement!.id)).toBe("main");
    await narrow.click("header >> text=Contents");
    await narrow.click("nav >> text=Serving a model");
    await narrow.waitForURL(/serve\.html$/);
    await narrow.close();
  });

  it("says nothing on the console", () => {
    expect(wrong).toEqual([]);
  });
});
