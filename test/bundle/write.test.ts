/** What `writeBundle` writes: the same bytes each time, shards that are the weights, a shim with exact types. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { writeBundle, type BundleRuntime, type Manifest } from "../../compiler/6-bundle/index.js";
import { toyFiles, toyInput } from "../runtime/toy-bundle.js";
import { table } from "../runtime/toy-model.js";
import { memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";

const textOf = (files: MemoryFiles, path: string): string => new TextDecoder().decode(files.get(path));

describe("a bundle", () => {
  const files = toyFiles();
  const manifest = JSON.parse(textOf(files, "manifest.json")) as Manifest;

  it("has the same bytes when it is written again", () => {
    const again = toyFiles();
    expect([...again.keys()].sort()).toEqual([...files.keys()].sort());
    for (const [path, bytes] of files)
      expect(Buffer.from(again.get(path)!).equals(Buffer.from(bytes)), path).toBe(true);
  });

  it("lists every file but the manifest", () => {
    expect(manifest.files.map(({ path }) => path).sort()).toEqual(
      [...files.keys()].filter((path) => path !== "manifest.json").sort(),
    );
  });

  it("holds the weights", () => {
    expect(new Float32Array(files.get("weights-0.bin")!.slice().buffer)).toEqual(table);
  });

  it("cuts large weights into shards that join without gaps", () => {
    const written = new Map<string, Uint8Array>();
    const input = toyInput();
    // A gap of 150 MiB between two parameters; the second one crosses no shard's end by chance.
    const far = 150 * 2 ** 20;
    const plan = {
      ...input.plan,
      spaces: { ...input.plan.spaces, weights: far + table.length * 4 },
      buffers: input.plan.buffers.map((buffer) => (buffer.id === "table" ? { ...buffer, offset: far } : buffer)),
    };
    const large = writeBundle({ ...input, plan }, memoryWriter(written));
    expect(large.shards.map(({ bytes }) => bytes)).toEqual([2 ** 26, 2 ** 26, far + table.length * 4 - 2 ** 27]);
    const last = written.get("weights-2.bin")!;
    expect(new Float32Array(last.slice(far - 2 ** 27).buffer)).toEqual(table);
    expect(last.subarray(0, far - 2 ** 27).every((byte) => byte === 0)).toBe(true);
  });

  it("has types that TypeScript accepts and that know the axes", () => {
    const types = textOf(files, "index.d.ts");
    expect(types).toMatchSnapshot();
    const use = `
      import { Toy } from "./index.js";
      async function run() {
        const model = await Toy.load({ threads: 1 });
        const { logits, routes } = await model.forward({ tokens: [1, 2] }, { trace: true });
        const data: Float32Array = logits.data;
        const name: "T" | "V" = logits.axes[0]!.name;
        // @ts-expect-error there is no such input
        await model.forward({ token: [1] });
        // @ts-expect-error there is no such output
        (await model.forward({ tokens: [1] })).logit;
        return [data, name, routes.length];
      }
      run();`;
    expect(problems({ "/toy/index.d.ts": types, "/toy/use.ts": use })).toEqual([]);
  });

  it("has an index.js that parses", () => {
    const source = ts.createSourceFile(
      "index.js",
      textOf(files, "index.js"),
      ts.ScriptTarget.Latest,
      true,
      ts.ScriptKind.JS,
    );
    expect((source as unknown as { parseDiagnostics: unknown[] }).parseDiagnostics).toEqual([]);
    expect(textOf(files, "index.js")).toMatchSnapshot();
  });
});

describe("a model with a name that its module cannot use", () => {
  const names = [
    ...["Model", "MoecError", "loadModel", "joinRoutes", "LoadOptions", "RouteTrace", "ForwardInputs", "ForwardResult"],
    ...["URL", "Promise", "ArrayLike", "Error", "Object", "files", "inNode", "globalThis", "options"],
    ...[
      "class",
      "default",
      "await",
      "enum",
      "let",
      "static",
      "interface",
      "eval",
      "null",
      "any",
      "string",
      "undefined",
    ],
  ];
  const node = [{ path: "runtime-node.js", bytes: new Uint8Array(1) }];
  const browser = [{ path: "runtime.js", bytes: new Uint8Array(1) }];
  const write = (name: string, runtime?: BundleRuntime): { files: MemoryFiles; manifest: Manifest } => {
    const files: MemoryFiles = new Map();
    const { program, ...input } = toyInput();
    const named = { ...input, program: { ...program, name }, ...(runtime ? { runtime } : {}) };
    return { manifest: writeBundle(named, memoryWriter(files)), files };
  };

  it("gets another one", () => {
    const virtual: Record<string, string> = {};
    for (const name of names) {
      const { files, manifest } = write(name);
      expect(manifest.name).toBe(name);
      expect(textOf(files, "index.js")).toContain(`export class ${name}Bundle extends Model {`);
      virtual[`/toy/${name}.d.ts`] = textOf(files, "index.d.ts");
      virtual[`/toy/use-${name}.ts`] =
        `import { ${name}Bundle } from "./${name}.js"; export const load = () => ${name}Bundle.load();`;
    }
    expect(problems(virtual)).toEqual([]);
  });

  it("and all of them are modules that Node reads", () => {
    const runtimes = [undefined, { node }, { node, browser }];
    const modules = [...names, "Toy"].flatMap((name) =>
      runtimes.map((runtime) => textOf(write(name, runtime).files, "index.js")),
    );
    // The last one shows that the program below tells what is no module.
    const texts = [...modules, "export class class extends Object {}"];
    const program = `
      const { SourceTextModule } = require("node:vm");
      const texts = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
      const reads = (text) => { try { return Boolean(new SourceTextModule(text)); } catch { return false; } };
      console.log(JSON.stringify(texts.filter((text) => !reads(text))));`;
    const options = { input: JSON.stringify(texts), encoding: "utf8" } as const;
    const refused = execFileSync(
      process.execPath,
      ["--no-warnings", "--experimental-vm-modules", "-e", program],
      options,
    );
    expect(JSON.parse(refused)).toEqual(texts.slice(-1));
  });
});

describe("a bundle that carries its runtime", () => {
  const file = (path: string): { path: string; bytes: Uint8Array } => ({
    path,
    bytes: new TextEncoder().encode(`export {}; // ${path}\n`),
  });
  const node = [file("runtime-node.js"), file("runtime.d.ts")];
  const write = (runtime: BundleRuntime): { files: MemoryFiles; manifest: Manifest } => {
    const files: MemoryFiles = new Map();
    return { manifest: writeBundle({ ...toyInput(), runtime }, memoryWriter(files)), files };
  };

  it.each([
    ["Node", { node }],
    ["Node and browsers", { node, browser: [file("runtime.js")] }],
  ])("for %s says which module is whose, and lists all of it with its hash", (_, runtime) => {
    const { files, manifest } = write(runtime);
    expect(textOf(files, "index.js")).toMatchSnapshot();
    expect(textOf(files, "index.d.ts").match(/from ".*"/g)).toEqual(['from "./runtime.js"', 'from "./runtime.js"']);
    expect(textOf(files, "index.d.ts")).not.toContain('"moec"');
    for (const { path, bytes } of [...runtime.node, ...("browser" in runtime ? runtime.browser : [])]) {
      expect(Buffer.from(files.get(path)!).equals(bytes), path).toBe(true);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      expect(manifest.files).toContainEqual({ path, bytes: bytes.length, sha256 });
    }
  });
});

/** What TypeScript says about files in memory, with `moec` being the sources of the runtime. */
function problems(virtual: Readonly<Record<string, string>>): readonly string[] {
  const root = new URL("../..", import.meta.url).pathname;
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
    paths: { moec: [`${root}runtime/index.ts`] },
    noUncheckedIndexedAccess: true,
  };
  const host = ts.createCompilerHost(options);
  const disk = ts.createCompilerHost(options);
  host.fileExists = (file) => file in virtual || disk.fileExists(file);
  host.directoryExists = (folder) => folder === "/toy" || ts.sys.directoryExists(folder);
  host.readFile = (file) => virtual[file] ?? disk.readFile(file);
  host.getSourceFile = (file, ...rest) =>
    file in virtual
      ? ts.createSourceFile(file, virtual[file]!, ts.ScriptTarget.ES2022, true)
      : disk.getSourceFile(file, ...rest);
  const program = ts.createProgram(Object.keys(virtual), options, host);
  return Object.keys(virtual).flatMap((file) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(file))
      .map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n")),
  );
}
