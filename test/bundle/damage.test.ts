/** Bundles that are not whole: each kind of damage has its code, and nothing else ever comes out. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { plainPath, readManifest } from "../../runtime/bundle/read-manifest.js";
import { loadAs } from "../../runtime/load.js";
import { Model } from "../../runtime/model/model.js";
import { folderFiles } from "../../runtime/node/folder-files.js";
import { nodeHost } from "../../runtime/node/host.js";
import { memoryFiles, type MemoryFiles } from "../support/memory-bundle.js";
import { copy, damages, manifestText, weighty, whole, withFile } from "./damages.js";

const load = (files: MemoryFiles): Promise<Model> => loadAs(Model, memoryFiles(files), nodeHost(), { threads: 1 });
const loadFolder = (folder: string): Promise<Model> => loadAs(Model, folderFiles(folder), nodeHost(), { threads: 1 });

describe("a damaged bundle", () => {
  it("loads when it is whole", async () => {
    (await load(copy())).dispose();
  });

  it.each(weighty)("is refused when %s is missing, cut off, or changed", async (path) => {
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

  it.each(damages)("is refused for %s (%s)", async (_, code, make) => {
    await expect(load(make())).rejects.toThrow(expect.objectContaining({ code }));
  });

  it.each(weighty)("is refused when %s is a link or a folder", async (path) => {
    const home = mkdtempSync(join(tmpdir(), "moec-links-"));
    try {
      const folder = join(home, "bundle");
      mkdirSync(folder);
      for (const [name, bytes] of whole) writeFileSync(join(folder, name), bytes);
      (await loadFolder(folder)).dispose();
      renameSync(join(folder, path), join(home, "elsewhere"));
      symlinkSync(join(home, "elsewhere"), join(folder, path));
      await expect(loadFolder(folder)).rejects.toThrow(expect.objectContaining({ code: "MOE5307" }));
      unlinkSync(join(folder, path));
      mkdirSync(join(folder, path));
      await expect(loadFolder(folder)).rejects.toThrow(expect.objectContaining({ code: "MOE5304" }));
      rmSync(join(folder, path), { recursive: true });
      // What the system does not give is there: it is refused with the system's reason.
      symlinkSync(path, join(folder, path));
      const circle = { code: "MOE5460", message: expect.stringContaining("its links lead in a circle") as string };
      await expect(loadFolder(folder)).rejects.toThrow(expect.objectContaining(circle));
    } finally {
      rmSync(home, { recursive: true });
    }
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
