/** Building and running projects from the command line: whole bundles or none, the same bytes each time. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, Model } from "../../runtime/node/index.js";
import { folderOf, moec, type Outcome } from "./io.js";

const place = folderOf({});
const cwd = place.path;
const run = (...args: string[]): Promise<Outcome> => moec(args, { cwd });
const SMALL = ["--random", "1", "--size", "L=1", "--size", "V=256", "--context", "32", "--prefill", "8"];

beforeAll(async () => {
  await run("new", "toy");
});
afterAll(() => place.remove());

function contents(folder: string): Record<string, string> {
  const names = readdirSync(join(cwd, folder)).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(cwd, folder, name)).toString("base64")]));
}

/** Files beside the bundles: a build may leave none behind. */
const leftovers = (): string[] => readdirSync(join(cwd, "out")).filter((name) => name.startsWith("."));

describe("build", () => {
  it("writes a bundle that says what it is, twice the same", async () => {
    const first = await run("build", "toy", "--out", "out/a", "--json", ...SMALL);
    expect(first).toMatchObject({ code: 0, err: "" });
    const result = JSON.parse(first.out) as { ok: boolean; manifest: { name: string; limits: object } };
    expect(result).toMatchObject({ ok: true, manifest: { name: "Toy", limits: { T: 8, context: 32 } } });
    expect((await run("build", "toy", "--out", "out/b", ...SMALL)).code).toBe(0);
    expect(contents("out/b")).toEqual(contents("out/a"));
    expect(leftovers()).toEqual([]);
  });

  it("says which matrices stay f16 because their rows are no whole blocks", async () => {
    const [whole, part] = await Promise.all(
      [64, 72].map((width) =>
        run("build", "toy", "--out", `out/${width}`, ...SMALL, "--size", "C=32", "--size", `F=${width}`),
      ),
    );
    expect(whole!.out).not.toContain("kept f16");
    expect(part!.out).toMatch(/kept f16 +\S+down\S*: rows of no whole blocks of 32/);
  });

  it("replaces a bundle, and nothing else", async () => {
    expect((await run("build", "toy", "--out", "out/a", ...SMALL, "--quantization", "q4_0")).code).toBe(0);
    expect(contents("out/a")).not.toEqual(contents("out/b"));
    mkdirSync(join(cwd, "mine"));
    writeFileSync(join(cwd, "mine/work.txt"), "mine");
    const refused = await run("build", "toy", "--out", "mine", ...SMALL);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain("MOE5311");
    expect(readFileSync(join(cwd, "mine/work.txt"), "utf8")).toBe("mine");
  });

  it("leaves the old bundle when a build fails", async () => {
    const before = contents("out/b");
    cpSync(join(cwd, "toy"), join(cwd, "broken"), { recursive: true });
    const spec = join(cwd, "broken/model.moe");
    writeFileSync(spec, readFileSync(spec, "utf8").replace("norm(layers", "nrm(layers"));
    const { code, err } = await run("build", "broken", "--out", "out/b", ...SMALL);
    expect(code).toBe(1);
    expect(err).toMatch(/error\[MOE2/);
    const missing = await run("build", "toy", "--out", "out/b");
    expect(missing).toMatchObject({ code: 3 });
    expect(missing.err).toContain("MOE5407");
    expect(contents("out/b")).toEqual(before);
    expect(leftovers()).toEqual([]);
  });

  it("waits for nobody: a running build is named, a dead one's lock is taken", async () => {
    writeFileSync(join(cwd, "out/.b.lock"), String(process.pid));
    const { code, err } = await run("build", "toy", "--out", "out/b", ...SMALL);
    expect(code).toBe(3);
    expect(err).toContain("MOE5314");
    // The largest process number of Linux is below this.
    writeFileSync(join(cwd, "out/.b.lock"), "99999999");
    expect((await run("build", "toy", "--out", "out/b", ...SMALL)).code).toBe(0);
  });

  it("refuses weights beyond one memory before any work, with the sizes", async () => {
    const { code, err } = await run("build", "toy", "--out", "out/large", "--random", "1", "--size", "F=4194304");
    expect(code).not.toBe(0);
    expect(err).toMatch(/MOE(5310|3\d{3})/);
    expect(err).toMatch(/\d+(\.\d+)? ?(GiB|MiB|bytes)/);
    expect(existsSync(join(cwd, "out/large"))).toBe(false);
  });
});

describe("a built bundle", () => {
  it("runs, and gives the same logits in one call and token by token", async () => {
    await run("build", "toy", "--out", "out/f32", ...SMALL, "--quantization", "f32");
    using model = await loadModel(Model, join(cwd, "out/f32"), { threads: 1 });
    const ids = Array.from({ length: 20 }, (_, i) => (i * 11) % 256);
    const whole = await model.call("forward", { tokens: ids });
    const all = Object.values(whole.outputs)[0]!;
    expect(all.axes.map(({ size }) => size)).toEqual([20, 256]);
    await model.reset();
    for (const [at, id] of ids.entries()) {
      const step = Object.values((await model.extend("forward", { tokens: [id] })).outputs)[0]!;
      const expected = Float32Array.from(all.data.subarray(at * 256, (at + 1) * 256));
      const scale = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0) / 256);
      const error = Math.max(...Array.from(expected, (value, i) => Math.abs(value - step.data[i]!)));
      // The same sums in another order. A sum of n terms is off by n * 2^-24 of their size; one after the other there are
      // sums over D = 64 (five times), H * C = 64, 32 positions and F = 128, and each norm or softmax may double it.
      const terms = 5 * 64 + 64 + 32 + 128;
      expect(error / scale).toBeLessThan(terms * 2 ** 3 * 2 ** -24);
    }
  });

  it("is refused by `generate` without a tokenizer, by code", async () => {
    cpSync(join(cwd, "toy"), join(cwd, "wordless"), { recursive: true });
    const file = join(cwd, "wordless/moec.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace(/^tokenizer: .*$/m, ""));
    expect((await run("build", "wordless", "--out", "out/wordless", ...SMALL)).code).toBe(0);
    const { code, err } = await run("generate", "out/wordless", "Once");
    expect(code).toBe(3);
    expect(err).toContain("MOE5313");
  });

  it("is not what `inspect` takes", async () => {
    expect((await run("inspect", "out/a")).err).toContain("MOE5403");
  });
});

describe("inspect", () => {
  it.each(["--graph", "--kernels", "--memory", "--cost", "--ops", "--ir=build", "--ir=all"])(
    "%s shows something",
    async (view) => {
      const text = await run("inspect", "toy", view, ...SMALL.slice(2));
      expect(text).toMatchObject({ code: 0, err: "" });
      expect(text.out.split("\n").length).toBeGreaterThan(5);
      const { out } = await run("inspect", "toy", view, "--json");
      expect(JSON.parse(out)).toMatchObject({ schema: 1, ok: true });
    },
  );

  it("--memory says how large caches are in their format", async () => {
    const state = async (cache: string): Promise<number> => {
      const { out } = await moec(["inspect", "examples/tiny-moe", "--memory", "--json", "--cache", cache]);
      const { views } = JSON.parse(out) as { views: { data: { spaces: { state: number } } }[] };
      return views[0]!.data.spaces.state;
    };
    const floats = await state("f32");
    expect(await state("f16")).toBe(floats / 2);
    expect(await state("q8_0")).toBe((floats * 34) / 128);
  });

  it("names the passes when one is unknown", async () => {
    const { code, err } = await run("inspect", "toy", "--ir=nothing");
    expect(code).toBe(2);
    expect(err).toContain("canonicalize");
  });

  it("writes a page that needs nothing else", async () => {
    await run("inspect", "toy", "--html", "toy.html");
    const page = readFileSync(join(cwd, "toy.html"), "utf8");
    expect(page).toContain("<!doctype html>");
    expect(page).not.toMatch(/src=|href="http/);
    // Every link has its target, within what unfolds; no pass has a box with nothing in it.
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!);
    expect(targets).toContain("kernels");
    for (const id of targets) expect(page).toMatch(new RegExp(`<(pre|h2) id="${id}"`));
    expect(page).not.toMatch(/<pre[^>]*><\/pre>/);
    expect(page).toContain("nothing but the numbers of values");
  });
});
