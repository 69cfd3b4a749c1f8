/**
 * A bundle alone: a copy of its folder, run by a plain Node without one package above it, writes what the package's runtime
 * writes, and a program that uses it has its types.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleRuntime } from "../../cli/bundle-runtime.js";
import { writeFolder } from "../../cli/write-folder.js";
import { scratchBytes } from "../../compiler/5-emit/llvm/index.js";
import { platformOf, writeBundle, type BundleInput } from "../../compiler/6-bundle/index.js";
import { loadModel, Model } from "../../runtime/node/index.js";
import { moec } from "../cli/io.js";
import { compileNative, hasNative, levels } from "../support/native.js";
import { toyInput } from "./toy-bundle.js";
import { expectedLogits, kernels, plan } from "./toy-model.js";

const PROMPT = "In the beginning";
const TOKENS = 12;
const moecRoot = fileURLToPath(new URL("../..", import.meta.url));
const root = realpathSync(mkdtempSync(join(tmpdir(), "moec-alone-")));
const built = join(root, "built");
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder with nothing but the bundle, and what is said to lie beside. */
function emptyFolder(name: string, bundle: string, beside: Readonly<Record<string, string>> = {}): string {
  const folder = join(root, name);
  mkdirSync(folder);
  cpSync(bundle, join(folder, "bundle"), { recursive: true });
  for (const [path, text] of Object.entries(beside)) writeFileSync(join(folder, path), text);
  return folder;
}

/** What a program writes, as JSON; what Node says of its own, warnings too, fails. */
function run(folder: string, program: string, env: Readonly<Record<string, string>> = {}): unknown {
  writeFileSync(join(folder, "use.mjs"), program);
  const { NODE_PATH: _, NODE_OPTIONS: __, ...rest } = process.env;
  const options = { cwd: folder, encoding: "utf8", env: { ...rest, ...env } } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ["use.mjs"], options);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

it("lies where no package is found", () => {
  for (let folder = root; folder !== dirname(folder); folder = dirname(folder)) {
    expect(existsSync(join(folder, "node_modules")), folder).toBe(false);
  }
});

describe("the example's bundle alone", () => {
  let expected: { readonly ids: readonly number[]; readonly text: string };
  beforeAll(async () => {
    const example = join(moecRoot, "examples/tiny-moe");
    const { code, err } = await moec(["build", example, "--out", built, "--quantization", "q8_0"]);
    expect(err + String(code)).toMatch(/0$/);
    const model = await loadModel(Model, built, { threads: 1, device: "wasm" });
    let text = "";
    for await (const piece of model.generate(PROMPT, { temperature: 0, maxTokens: TOKENS })) text += piece;
    expected = { ids: model.tokens, text };
    model.dispose();
  });

  const program = (threads: number): string => `
    import { TinyMoE } from "./bundle/index.js";
    const model = await TinyMoE.load({ threads: ${threads} });
    let text = "";
    for await (const piece of model.generate(${JSON.stringify(PROMPT)}, { temperature: 0, maxTokens: ${TOKENS} })) text += piece;
    const { device, threads } = model.report;
    console.log(JSON.stringify({ text, ids: model.tokens, device, threads, read: model.tokenizer.encode(text).length > 0 }));
    model.dispose();`;

  it.each([1, 2])("writes the same ids on threads: %i", (threads) => {
    const folder = emptyFolder(`threads-${threads}`, built);
    expect(run(folder, program(threads))).toEqual({ ...expected, device: "wasm", threads, read: true });
  });

  it("is a module in a project of CommonJS, too", () => {
    const folder = emptyFolder("commonjs", built, { "package.json": '{ "type": "commonjs" }' });
    expect(run(folder, program(1))).toMatchObject(expected);
  });

  it("draws the same ids from the same seed as the package's runtime", async () => {
    const options = { temperature: 0.9, seed: 7, maxTokens: TOKENS };
    const model = await loadModel(Model, built, { threads: 1, device: "wasm" });
    for await (const piece of model.generate(PROMPT, options)) expect(piece).not.toBe("");
    const folder = emptyFolder("seed", built);
    const ids = run(
      folder,
      `import { TinyMoE } from "./bundle/index.js";
      using_(await TinyMoE.load({ threads: 1 }));
      async function using_(model) {
        for await (const _ of model.generate(${JSON.stringify(PROMPT)}, ${JSON.stringify(options)}));
        console.log(JSON.stringify(model.tokens));
      }`,
    );
    expect(ids).toEqual(model.tokens);
    expect(ids).not.toEqual(expected.ids);
    model.dispose();
  });

  it("refuses by codes: kernels that it lacks, and files that changed", () => {
    const folder = emptyFolder("refuses", built);
    const said = run(
      folder,
      `import { appendFileSync } from "node:fs";
      import { MoecError, TinyMoE } from "./bundle/index.js";
      const refusal = (options) => TinyMoE.load(options).catch((error) => [error instanceof MoecError, error.code]);
      const device = await refusal({ device: "native" });
      appendFileSync("bundle/weights-0.bin", "x");
      console.log(JSON.stringify([device, await refusal({})]));`,
    );
    expect(said).toEqual([
      [true, "MOE5308"],
      [true, "MOE5305"],
    ]);
  });

  const USE = `
    import { joinRoutes, MoecError, TinyMoE, type ForwardResult } from "./bundle/index.js";
    import type { GenerateOptions, Snapshot } from "./bundle/runtime.js";
    const options: GenerateOptions = { maxTokens: 4, temperature: 0.5 };
    using model = await TinyMoE.load({ threads: 2, device: "wasm", onProgress: ({ loaded }) => loaded.toFixed() });
    const written: string[] = [];
    for await (const piece of model.generate("In", options)) written.push(piece);
    const { result, routes }: ForwardResult = await model.forward({ tokens: [1, 2] }, { trace: true });
    const axis: "T" | "V" = result.axes[0]!.name;
    const data: Float32Array = result.data;
    const saved: Snapshot = await model.save();
    const joined: string = joinRoutes(routes).label;
    const ids: number[] = model.tokenizer.encode("In");
    // @ts-expect-error there is no such input
    await model.forward({ token: [1] });
    // @ts-expect-error there is no such device
    await TinyMoE.load({ device: "abacus" });
    // @ts-expect-error a model is loaded, not made
    new TinyMoE();
    export const code = (error: unknown): string | undefined => (error instanceof MoecError ? error.code : undefined);
    export const all = [axis, data, saved, joined, ids, written];`;

  it.each([
    ["of a module in Node", { module: "nodenext" }],
    ["of a module that a bundler packs", { module: "esnext", moduleResolution: "bundler" }],
    ["that knows of no disposal", { module: "nodenext", lib: ["es2022", "dom"] }],
  ])("has all types for a program %s", (name, options) => {
    const config = { compilerOptions: { strict: true, target: "es2022", types: [], noEmit: true, ...options } };
    const files = { "use.mts": USE, "tsconfig.json": JSON.stringify({ ...config, files: ["use.mts"] }) };
    const folder = emptyFolder(`types ${name}`, built, files);
    const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});

describe.runIf(hasNative)("a bundle with native kernels, copied away", () => {
  const toy = join(root, "toy");
  const native = join(root, "native-only");
  const tokens = [3, 1, 4];
  beforeAll(() => {
    const target = levels[0]!;
    const level = {
      level: target.name,
      platform: platformOf[target.codegen!.architecture],
      needs: target.codegen!.needs,
      ...{ plan, object: compileNative(kernels, target), scratchBytes: scratchBytes(kernels) },
    };
    const write = (folder: string, input: BundleInput): void =>
      void writeFolder(folder, (writer) => writeBundle(input, writer));
    write(toy, { ...toyInput(), native: [level], runtime: bundleRuntime(true) });
    write(native, { ...toyInput(), modules: [], native: [level], runtime: bundleRuntime(false) });
  });

  const program = `
    import { Toy } from "./bundle/index.js";
    const use = async (options) => {
      try {
        const model = await Toy.load({ threads: 1, ...options });
        const { logits } = await model.forward({ tokens: ${JSON.stringify(tokens)} });
        const { device, whyNotNative } = model.report;
        model.dispose();
        return { device, logits: [...logits.data], whyNotNative };
      } catch (error) {
        return { code: error.code, message: error.message };
      }
    };
    console.log(JSON.stringify([await use({}), await use({ device: "native" }), await use({ device: "wasm" })]));`;
  const logits: unknown = expect.toSatisfy((all: number[]) => {
    expect(all.slice(-expectedLogits(tokens).length)).toEqual(expectedLogits(tokens));
    return true;
  });
  const onWasm = { device: "wasm", logits };
  const onNative = { device: "native", logits };
  const env = { MOEC_CACHE: join(root, "cache") };
  const refused = { code: "MOE4203", message: expect.stringMatching(/koffi/) as unknown };

  it("runs on wasm, says why, and refuses native by a code", () => {
    const said = run(emptyFolder("native-alone", toy), program, env);
    expect(said).toEqual([{ ...onWasm, whyNotNative: refused.message }, refused, onWasm]);
  });

  it("without other kernels is refused by a code", () => {
    const lacks = expect.objectContaining({ code: "MOE5308" }) as unknown;
    expect(run(emptyFolder("native-only-alone", native), program, env)).toEqual([refused, refused, lacks]);
  });

  it.each([
    ["the package", "moec", moecRoot],
    ["koffi", "koffi", join(moecRoot, "node_modules/koffi")],
  ])("runs native code where %s is installed", (_, name, place) => {
    const folder = emptyFolder(`native-${name}`, toy);
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(place, join(folder, "node_modules", name));
    expect(run(folder, program, env)).toEqual([onNative, onNative, onWasm]);
  });
});
