/**
 * The example's bundle on a page with a strict Content-Security-Policy, from a server that sends it with every file, as
 * workers obey the policy that comes with their own script.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, Model } from "../../runtime/node/index.js";
import { moec } from "../cli/io.js";
import { ISOLATION, openBrowser, serveFolder } from "./site.js";

const browser: Browser | undefined = await openBrowser();
const root = mkdtempSync(join(tmpdir(), "moec-csp-"));
const PROMPT = "In the beginning";
const TOKENS = 12;
let expected = "";

/** What docs/browser.md says a page needs; everything else is forbidden. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

const PAGE = `<!doctype html><meta charset="utf-8"><title>csp</title><script type="module" src="app.js"></script>`;
const APP = `
import { TinyMoE } from "./tiny/index.js";
const said = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => said.push(violatedDirective + " " + blockedURI));
globalThis.outcome = (async () => {
  let text = "";
  try {
    const model = await TinyMoE.load({ device: "wasm", storage: "none" });
    for await (const piece of model.generate(${JSON.stringify(PROMPT)}, { temperature: 0, maxTokens: ${TOKENS} })) text += piece;
    const { threads } = model.report;
    model.dispose();
    return { text, threads, said };
  } catch (error) {
    return { text, error: { code: error.code, message: error.message }, said };
  }
})();
`;

interface Outcome {
  readonly text: string;
  readonly threads?: number;
  readonly error?: { readonly code?: string; readonly message: string };
  readonly said: readonly string[];
}

beforeAll(async () => {
  if (!browser) return;
  const out = join(root, "tiny");
  const { code, err } = await moec([
    "build",
    new URL("../../examples/tiny-moe", import.meta.url).pathname,
    "--out",
    out,
  ]);
  expect(err + String(code)).toMatch(/0$/);
  writeFileSync(join(root, "page.html"), PAGE);
  writeFileSync(join(root, "app.js"), APP);
  const model = await loadModel(Model, out, { threads: 1, device: "wasm" });
  for await (const piece of model.generate(PROMPT, { temperature: 0, maxTokens: TOKENS })) expected += piece;
  model.dispose();
});
afterAll(async () => {
  await browser?.close();
  rmSync(root, { recursive: true, force: true });
});

async function visit(
  headers: Readonly<Record<string, string>>,
): Promise<Outcome & { readonly console: readonly string[] }> {
  const site = await serveFolder(root, headers);
  const page = await browser!.newPage();
  const console: string[] = [];
  page.on("console", (message) => void (message.type() === "error" && console.push(message.text())));
  await page.goto(`${site.url}page.html`);
  await page.waitForFunction(() => "outcome" in globalThis);
  const outcome = await page.evaluate(() => (globalThis as unknown as { outcome: Promise<Outcome> }).outcome);
  await page.context().close();
  await site.close();
  return { ...outcome, console };
}

describe.skipIf(!browser)("a strict Content-Security-Policy", () => {
  it.each([
    ["on one thread", {}],
    ["on threads", ISOLATION],
  ])("lets a bundle write %s, and nothing of it is blocked", async (_, isolation) => {
    const found = await visit({ ...isolation, "Content-Security-Policy": POLICY });
    expect(found).toMatchObject({ text: expected, said: [], console: [] });
    expect(found.threads! > 1).toBe(isolation === ISOLATION);
  });

  it.each([
    ["'wasm-unsafe-eval'", POLICY.replace(" 'wasm-unsafe-eval'", ""), "MOE5309", /Content Security Policy/],
    ["worker-src", POLICY.replace("worker-src 'self'", "worker-src 'none'"), "MOE4301", /script/],
    ["connect-src", POLICY.replace("connect-src 'self'", "connect-src 'none'"), "MOE4304", /manifest\.json.*no answer/],
  ])("without %s is refused by a code that names the cause", async (_, policy, code, message) => {
    const { error, text } = await visit({ "Content-Security-Policy": policy });
    expect(text).toBe("");
    expect(error).toEqual({ code, message: expect.stringMatching(message) as string });
  });
});
