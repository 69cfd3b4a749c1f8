/** A page that imports a bundle, packed by bundlers: the files come along, and the text stays the same. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build as viteBuild } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, Model } from "../../runtime/node/index.js";
import { moec } from "../cli/io.js";
import { openBrowser, serveFolder } from "./site.js";

const PROMPT = "In the beginning";
const TOKENS = 6;
const example = new URL("../../examples/tiny-moe", import.meta.url).pathname;
const browser = await openBrowser();
const root = realpathSync(mkdtempSync(join(tmpdir(), "moec-bundlers-")));
const source = join(root, "source");
let expected = "";

const APP = `import { TinyMoE } from "./tiny/index.js";
const model = await TinyMoE.load({ storage: "none" });
let text = "";
for await (const piece of model.generate(${JSON.stringify(PROMPT)}, { temperature: 0, maxTokens: ${TOKENS} })) text += piece;
model.dispose();
globalThis.written = text;
`;

beforeAll(async () => {
  if (!browser) return;
  mkdirSync(source);
  const out = join(source, "tiny");
  const { code, err } = await moec(["build", example, "--out", out, "--quantization", "q8_0"]);
  expect(err + String(code)).toMatch(/0$/);
  writeFileSync(join(source, "app.js"), APP);
  writeFileSync(join(source, "index.html"), '<!doctype html><script type="module" src="./app.js"></script>');
  const model = await loadModel(Model, out, { threads: 1 });
  for await (const piece of model.generate(PROMPT, { temperature: 0, maxTokens: TOKENS })) expected += piece;
  model.dispose();
});
afterAll(async () => {
  await browser?.close();
  rmSync(root, { recursive: true, force: true });
});

interface Stats {
  toString(options: object): string;
}
type Webpack = (options: object, done: (error: Error | null, stats?: Stats) => void) => void;

/** The other bundler has a package of its own: `npm ci --prefix test/browser` brings it. */
const require = createRequire(import.meta.url);
const webpack = existsSync(new URL("node_modules/webpack", import.meta.url))
  ? (require("webpack") as Webpack)
  : undefined;
if (!webpack) console.warn("skipped: webpack is not installed; `npm run browser:install` installs it");

function pack(options: object): Promise<Stats> {
  return new Promise((resolve, reject) =>
    webpack!(options, (error, stats) => (stats ? resolve(stats) : reject(error ?? new Error("webpack says nothing")))),
  );
}

/** What was packed has nothing that is Node's: neither the modules of its runtime nor their imports. */
function hasNothingOfNode(folder: string): void {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"));
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) {
    expect(basename(file)).not.toMatch(/^runtime-node/);
    expect(readFileSync(join(folder, file), "utf8")).not.toMatch(/["']node:/);
  }
}

async function textOf(folder: string): Promise<string> {
  const site = await serveFolder(folder);
  const page = await browser!.newPage();
  try {
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(`${site.url}index.html`);
    await page
      .waitForFunction(() => "written" in globalThis, undefined, { timeout: 60_000 })
      .catch((error: unknown) => {
        throw new Error([String(error), ...problems, ...site.asked].join("\n"));
      });
    return await page.evaluate(() => (globalThis as unknown as { readonly written: string }).written);
  } finally {
    await page.context().close();
    await site.close();
  }
}

describe.skipIf(!browser)("a page with a bundle in it", () => {
  it("works when vite has packed it", async () => {
    const outDir = join(root, "vite");
    await viteBuild({
      root: source,
      base: "./",
      logLevel: "error",
      configFile: false,
      worker: { format: "es" },
      build: { outDir, target: "es2022" },
    });
    hasNothingOfNode(outDir);
    expect(await textOf(outDir)).toBe(expected);
  });

  it.skipIf(!webpack)("works when webpack has packed it", async () => {
    const outdir = join(root, "webpack");
    const stats = await pack({
      mode: "production",
      context: source,
      entry: "./app.js",
      output: { path: outdir, filename: "app.js", publicPath: "auto" },
      performance: false,
      infrastructureLogging: { level: "error" },
    });
    expect(stats.toString({ all: false, errors: true, warnings: true })).toBe("");
    cpSync(join(source, "index.html"), join(outdir, "index.html"));
    hasNothingOfNode(outdir);
    expect(await textOf(outdir)).toBe(expected);
  });

  it("works when esbuild has packed it and the bundle's folder stays beside", async () => {
    const outdir = join(root, "esbuild");
    const fromVite = createRequire(createRequire(import.meta.url).resolve("vite/package.json"));
    const { build } = fromVite("esbuild") as { readonly build: (options: object) => Promise<unknown> };
    await build({
      entryPoints: [join(source, "app.js")],
      outdir,
      bundle: true,
      format: "esm",
      target: "es2022",
      external: ["./tiny/index.js"],
    });
    cpSync(join(source, "tiny"), join(outdir, "tiny"), { recursive: true });
    cpSync(join(source, "index.html"), join(outdir, "index.html"));
    expect(await textOf(outdir)).toBe(expected);
  });
});
