/** The packaged extension in a real VS Code workbench: what a person does with it, on a desktop's host and in a browser's. */
import { cpSync, existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Browser, Frame, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { format } from "../../grammar/index.js";
import { openBrowser } from "../browser/site.js";
import { root } from "../editor/client.js";
import { command, freePort, hasTerminals, missing, openFile, Workbench } from "./workbench.js";

const why = missing();
if (why !== undefined) console.warn(`skipped: ${why}`);
const browser: Browser | undefined = why === undefined ? await openBrowser() : undefined;

const model = readFileSync(join(root, "examples/tiny-moe/tiny-moe.moe"), "utf8");
const files = {
  "tiny-moe.moe": model,
  "wrong.moe": model.replace("h + moe(norm2(h))", "h + moe(norm3(h))").replace("let h = x +", "let  h =  x +"),
  "tests.moe": `import { RMSNorm } from "std"

test "holds" {
  let x: [D = 4] = [1, 2, 3, 4]
  assert all(RMSNorm[D]()(x) < 2, over: D)
}

test "does not hold" {
  let x: [D = 4] = [1, 2, 3, 4]
  assert all(x < 4, over: D)
}
`,
};

afterAll(() => browser?.close());

/** A line of the open file by what it says. */
const line = (page: Page, text: string) => page.locator(".monaco-editor .view-line", { hasText: text }).first();

/** The page inside of a webview that has an element for `selector`. */
async function webview(page: Page, selector: string): Promise<Frame> {
  for (let tries = 0; tries < 300; tries++) {
    for (const frame of page.frames()) {
      // Frames come and go while the webview is made.
      if (await frame.$(selector).catch(() => null)) return frame;
    }
    await page.waitForTimeout(200);
  }
  throw new Error(`no webview has ${selector}`);
}

const colorOf = (page: Page, text: string): Promise<string | undefined> =>
  page.evaluate((wanted) => {
    const spans = [...document.querySelectorAll(".view-line span span")];
    const found = spans.find(({ textContent }) => textContent?.trim() === wanted);
    return found && getComputedStyle(found).color;
  }, text);

describe.skipIf(!browser).each([
  { host: "a desktop's", web: false, dark: false },
  { host: "a browser's", web: true, dark: true },
])("the extension on $host extension host", ({ web, dark }) => {
  let workbench: Workbench;
  let page: Page;
  let port: number;
  const picture = (name: string): Promise<unknown> => {
    const folder = process.env["MOEC_PICTURES"];
    return folder === undefined
      ? Promise.resolve()
      : page.screenshot({ path: join(folder, `vscode-${dark ? "dark" : "light"}-${name}.png`) });
  };

  beforeAll(async () => {
    port = await freePort();
    const settings = {
      "moec.command": [process.execPath, join(root, "dist/cli/main.js")],
      "moec.preview.port": port,
      "moec.target": "webgpu",
      // The page of the preview opens without a question.
      "workbench.trustedDomains.promptInTrustedWorkspace": false,
    };
    workbench = await Workbench.start({ files, settings, web, dark });
    page = await workbench.open(browser!, "tiny-moe.moe");
  });
  // A picture of where it stopped says more than the name of what did not come.
  afterEach(({ task }) => (task.result?.state === "fail" ? picture(`failed-${task.name.slice(0, 20)}`) : undefined));
  afterAll(async () => {
    await page?.close();
    workbench?.close();
  });

  it("colours words by their meaning, shows shapes and costs, and nothing wrong", async () => {
    await page.waitForSelector(".codelens-decoration:has-text('7.6 M parameters')");
    await page.waitForSelector(".view-line:has-text(': f32[T, D]')");
    const colors = await Promise.all(["import", "RMSNorm", "1e-5", '"std"'].map((text) => colorOf(page, text)));
    expect(new Set(colors.filter(Boolean)).size).toBeGreaterThanOrEqual(3);
    expect(await page.locator(".squiggly-error").count()).toBe(0);
    await page.waitForSelector(".statusbar-item:has-text('moec: webgpu')");
    await picture("open");
  });

  it("shows the graph; a box leads to its line, a line to its boxes, and edits redraw it", async () => {
    await command(page, "moec: Show the graph of the model");
    const graph = await webview(page, "svg.graph .router");
    expect(await graph.locator("svg.graph .shape", { hasText: "f32[T, D=256]" }).count()).toBeGreaterThan(3);
    await picture("graph");
    await graph
      .locator("svg.graph .stack")
      .first()
      .click({ position: { x: 8, y: 8 } });
    await page.waitForSelector(".statusbar-item:has-text('Ln 20')");
    await graph.waitForSelector(".stack.here");
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("// An edit above.\n");
    await graph.waitForSelector(".stack[data-line='20']");
    await command(page, "File: Revert File");
    await graph.waitForSelector(".stack[data-line='19']");
  });

  it("shows the kernels beside the source, linked both ways", async () => {
    await line(page, "use moe").click({ position: { x: 40, y: 8 } });
    await command(page, "moec: Show the kernels beside the source");
    await page.waitForSelector(".tab:has-text('Decoder.wgsl')");
    const lenses = page.locator(".codelens-decoration a", { hasText: /^\w+\.moe:/ }).filter({ visible: true });
    await lenses.first().waitFor();
    // The line with the experts marks their kernels, and shows the first of them.
    await line(page, "use moe").click({ position: { x: 40, y: 8 } });
    await page.locator(".view-line", { hasText: "@compute" }).filter({ visible: true }).first().waitFor();
    await page.waitForSelector(".cdr[class*='ced-']", { state: "attached" });
    await picture("kernels");
    // From a kernel to the source.
    await lenses.filter({ hasText: "routers.moe" }).first().click();
    await page.waitForSelector(".tab.active:has-text('routers.moe')");
  });

  it("underlines a mistake, and mends it by a quick fix; the file is laid out when it is saved", async () => {
    await openFile(page, "wrong.moe");
    await page.waitForSelector(".squiggly-error");
    await page.keyboard.press("Control+Shift+M");
    await page.waitForSelector(".markers-panel .monaco-list-row:has-text('MOE2001')");
    await picture("problem");
    await line(page, "norm3").locator("span", { hasText: "norm3" }).last().click();
    await page.keyboard.press("Control+.");
    const fix = page.locator(".action-widget .monaco-list-row", { hasText: "norm1" }).first();
    await fix.waitFor();
    await picture("fix");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".squiggly-error", { state: "detached" });
    await page.keyboard.press("Control+s");
    await expect
      .poll(() => readFileSync(join(workbench.folder, "wrong.moe"), "utf8"), { timeout: 20_000 })
      .toBe(await format(model.replace("moe(norm2(h))", "moe(norm1(h))")));
  });

  it("renames a name everywhere in the file", async () => {
    // Costs come above the line as soon as nothing is wrong any more, and move it down.
    await page.waitForSelector(".codelens-decoration:has-text('7.6 M parameters')");
    await line(page, "block Decoder").locator("span", { hasText: "Decoder" }).last().click();
    await page.keyboard.press("F2");
    await page.locator(".rename-box input").fill("Layer");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".view-line:has-text('L of Layer[')");
    await page.waitForSelector(".view-line:has-text('block Layer[')");
    await page.keyboard.press("Control+s");
    await expect
      .poll(() => readFileSync(join(workbench.folder, "wrong.moe"), "utf8"), { timeout: 20_000 })
      .toMatch(/^block Layer\[/m);
  });

  it("runs tests: those that hold, and one that does not with its line", async () => {
    await openFile(page, "tests.moe");
    await page.locator(".codelens-decoration a", { hasText: "run test" }).first().waitFor();
    await command(page, "Test: Run All Tests");
    await page.waitForSelector(".testing-run-glyph.codicon-testing-passed-icon, .codicon-testing-passed-icon");
    await page.waitForSelector(".codicon-testing-failed-icon, .codicon-testing-error-icon");
    await command(page, "Testing: Focus on Test Explorer View");
    await page.waitForSelector(".test-explorer .monaco-list-row:has-text('tests.moe')");
    await page.waitForSelector(".test-explorer:has-text('1/2')");
    await picture("tests");
  });

  it("shows the cost of a file and the explanation of an error as pages", async () => {
    await openFile(page, "tiny-moe.moe");
    await page.waitForSelector(".codelens-decoration:has-text('7.6 M parameters')");
    await command(page, "moec: Show the cost of the file");
    const cost = await webview(page, "h1:has-text('Cost of tiny-moe.moe')");
    expect(await cost.textContent("table")).toMatch(/TinyMoE/);
    await picture("cost");
    await command(page, "moec: Explain an error code");
    await page.waitForSelector(".quick-input-widget input:visible");
    await page.keyboard.type("MOE2041");
    await page.keyboard.press("Enter");
    await webview(page, "h1:has-text('MOE2041')");
  });

  it.skipIf(web || !hasTerminals)("builds a bundle by a task, and serves a preview whose page opens", async () => {
    const example = join(root, "examples/tiny-moe");
    const isInput = (path: string): boolean => ![".moec", "val", "dist"].includes(basename(path));
    cpSync(example, join(workbench.folder, "tiny"), { recursive: true, filter: isInput });
    await openFile(page, "moec.yaml");
    await command(page, "moec: Build the bundle");
    await page.waitForSelector(".terminal-tabs-entry, .single-terminal-tab", { state: "attached" });
    const bundle = join(workbench.folder, "tiny/dist/tiny-moe");
    await expect.poll(() => existsSync(join(bundle, "manifest.json")), { timeout: 120_000 }).toBe(true);
    const { targets } = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8")) as {
      targets: { name: string }[];
    };
    expect(targets.map(({ name }) => name)).toEqual(["wasm", "webgpu"]);
    const opened = page.context().waitForEvent("page", { timeout: 120_000 });
    await command(page, "moec: Start a preview");
    const preview = await opened;
    // A workbench in a browser leads to ports of its machine by an address of its own, which its larger server answers.
    expect(preview.url()).toContain(`${port}/`);
    await preview.goto(`http://127.0.0.1:${port}/`);
    await preview.click("#write");
    await preview.waitForSelector("#experts:visible");
    await picture("preview");
    await preview.close();
  });
});
