/** Bundles that are not whole: each kind of damage has its code, and nothing else ever comes out. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { plainPath, readManifest } from "../../runtime/bundle/read-manifest.js";
import { loadAs } from "../../runtime/load.js";
import { Model } from "../../runtime/model/model.js";
import { nodeHost } from "../../runtime/node/host.js";
import { memoryFiles, memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";
import { toyFiles } from "../runtime/toy-bundle.js";

const whole = toyFiles();
const copy = (): MemoryFiles => new Map([...whole].map(([path, bytes]) => [path, bytes.slice()]));
const load = (files: MemoryFiles): Promise<Model> => loadAs(Model, memoryFiles(files), nodeHost(), { threads: 1 });
const manifestText = new TextDecoder().decode(whole.get("manifest.json"));

function withManifest(change: (manifest: Record<string, unknown>) => void): MemoryFiles {
  const files = copy();
  const manifest = JSON.parse(manifestText) as Record<string, unknown>;
  change(manifest);
  files.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
  return files;
}

/** Puts a file in with its right hash and size, so that only its content is wrong. */
function withFile(path: string, text: string): MemoryFiles {
  const files = copy();
  const file = memoryWriter(files).open(path);
  file.write(new TextEncoder().encode(text));
  const entry = file.close();
  const manifest = JSON.parse(manifestText) as { files: { path: string }[] };
  manifest.files = manifest.files.map((one) => (one.path === path ? entry : one));
  files.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
  return files;
}

describe("a damaged bundle", () => {
  it("loads when it is whole", async () => {
    (await load(copy())).dispose();
  });

  it.each(
    [...whole.keys()].filter(
      (path) => /^(kernels-relaxed|plan|weights-0|tokenizer)/.test(path) && !path.includes("threads"),
    ),
  )("is refused when %s is missing, cut off, or changed", async (path) => {
    const missing = copy();
    missing.delete(path);
    await expect(load(missing)).rejects.toThrow(expect.objectContaining({ code: "MOE5304" }));
    const short = copy();
    short.set(path, short.get(path)!.slice(0, -1));
    await expect(load(short)).rejects.toThrow(expect.objectContaining({ code: "MOE5305" }));
    const other = copy();
    other.get(path)![5]! ^= 1;
    await expect(load(other)).rejects.toThrow(expect.objectContaining({ code: "MOE5306" }));
  });

  const cases: readonly (readonly [string, string, () => MemoryFiles])[] = [
    ["no manifest", "MOE5301", () => (copy().delete("manifest.json"), new Map())],
    ["another kind of folder", "MOE5301", () => withManifest((manifest) => (manifest["format"] = "zip"))],
    ["another ABI", "MOE5303", () => withManifest((manifest) => (manifest["abi"] = 2))],
    ["an ABI in words", "MOE5303", () => withManifest((manifest) => (manifest["abi"] = "1"))],
    ["a path that climbs out", "MOE5307", () => withManifest((manifest) => (manifest["plan"] = "../plan.json"))],
    ["an absolute path", "MOE5307", () => withManifest((manifest) => (manifest["plan"] = "/etc/passwd"))],
    ["a drive", "MOE5307", () => withManifest((manifest) => (manifest["plan"] = "C:\\plan.json"))],
    ["a protocol", "MOE5307", () => withManifest((manifest) => (manifest["plan"] = "https://example.org/plan.json"))],
    ["a plan that is not listed", "MOE5302", () => withManifest((manifest) => (manifest["plan"] = "other.json"))],
    ["no shards", "MOE5302", () => withManifest((manifest) => (manifest["shards"] = []))],
    ["no device", "MOE5308", () => withManifest((manifest) => (manifest["targets"] = []))],
    ["a plan that is not JSON", "MOE5302", () => withFile("plan.json", "{")],
    ["a plan of another form", "MOE5302", () => withFile("plan.json", "[]")],
    ["kernels that are no module", "MOE5309", () => withFile("kernels-relaxed.wasm", "kernels")],
  ];
  it.each(cases)("is refused for %s (%s)", async (_, code, make) => {
    await expect(load(make())).rejects.toThrow(expect.objectContaining({ code }));
  });

  it("is refused by a code whatever bytes of the manifest change", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(manifestText.length - 1), fc.constantFrom("0", '"', "}", "-", "9e99", "..", "null")), {
          minLength: 1,
          maxLength: 4,
        }),
        (changes) => {
          let text = manifestText;
          for (const [at, put] of changes) text = text.slice(0, at) + put + text.slice(at + 1);
          try {
            readManifest(text, "memory");
          } catch (error) {
            expect(error).toBeInstanceOf(MoecError);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("is refused by a code whatever values of the plan change", async () => {
    const planText = new TextDecoder().decode(whole.get("plan.json"));
    const numbers = [...planText.matchAll(/(?<=[:[,])\d+(?=[,}\]])/g)];
    const texts = [...planText.matchAll(/(?<=:)"[^"]*"/g)];
    const puts = ["0", "1", "-1", "65536", "4e9", "1e300", "null", '"T"', '"past*past"', "[]", '"score"'];
    const choice = fc.tuple(fc.constantFrom(...numbers, ...texts), fc.constantFrom(...puts));
    await fc.assert(
      fc.asyncProperty(choice, async ([match, put]) => {
        const text = planText.slice(0, match.index) + put + planText.slice(match.index + match[0].length);
        try {
          const model = await load(withFile("plan.json", text));
          await model.call("forward", { tokens: [1, 2, 3] });
          model.dispose();
        } catch (error) {
          expect(error).toBeInstanceOf(MoecError);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe("plain paths", () => {
  it.each(["a", "weights-0.bin", "a/b.c", "A_b/c-d.e"])("may be %j", (path) => expect(plainPath(path)).toBe(path));
  it.each(["", "/a", "a//b", "a/", "./a", "a/../b", "..", "a\\b", "c:", "http://a", ".hidden", "a\u0000b", "a\nb"])(
    "may not be %j",
    (path) => expect(() => plainPath(path)).toThrow(expect.objectContaining({ code: "MOE5307" })),
  );
});
