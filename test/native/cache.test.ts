/** The cache of compiled kernels: damage, two writers, folders that can't be written. */
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { Cache } from "../../runtime/native/cache.js";
import { linkObject } from "../../runtime/native/elf.js";
import { llvmCompiler } from "../../runtime/native/llvm/compiler.js";
import { kernels } from "../runtime/toy-model.js";
import { compileNative, hasNative, levels } from "../support/native.js";

const root = mkdtempSync(join(tmpdir(), "moec-cache-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const content = Uint8Array.from({ length: 500 }, (_, i) => i * 7);

describe("the cache", () => {
  it("gives back what was put in, and nothing else", () => {
    const cache = new Cache("a", undefined, root);
    expect(cache.read("key")).toBeUndefined();
    cache.write("key", content);
    cache.write("key", content);
    expect(cache.read("key")).toEqual(content);
    expect(readdirSync(join(root, "a"))).toEqual(["key"]);
  });

  it("takes a damaged file for none: cut off anywhere, or any byte changed", () => {
    const cache = new Cache("b", undefined, root);
    cache.write("key", content);
    const file = join(root, "b", "key");
    const whole = readFileSync(file);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        writeFileSync(file, whole.subarray(0, at));
        expect(cache.read("key")).toBeUndefined();
        const bytes = Buffer.from(whole);
        bytes[at]! ^= change;
        writeFileSync(file, bytes);
        expect(cache.read("key")).toBeUndefined();
      }),
      { numRuns: 60 },
    );
    cache.write("key", content);
    expect(cache.read("key")).toEqual(content);
  });

  it.runIf(process.getuid?.() === 0)("takes nothing that another user put there: it would be run", () => {
    const cache = new Cache("c", undefined, root);
    cache.write("key", content);
    chownSync(join(root, "c", "key"), 61234, 61234);
    expect(cache.read("key")).toBeUndefined();
    cache.write("key", content);
    expect(cache.read("key")).toEqual(content);
  });

  it("warns once when it can't be written, and goes on", () => {
    writeFileSync(join(root, "file"), "no folder");
    const warnings: string[] = [];
    const cache = new Cache("kind", (message) => warnings.push(message), join(root, "file"));
    cache.write("key", content);
    cache.write("key", content);
    expect(cache.read("key")).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining("ENOTDIR")]);
  });
});

describe.runIf(hasNative)("LLVM", () => {
  it("is verified against: a broken module is refused with its reason", () => {
    const compiler = llvmCompiler();
    const module = { name: "test", architecture: "x86-64", cpu: "x86-64-v3", features: "" } as const;
    const broken = "define i32 @f() {\n  ret i32 %nowhere\n}\n";
    expect(() => compiler.compile({ ...module, text: () => broken })).toThrow(
      expect.objectContaining({ code: "MOE4202", message: expect.stringContaining("nowhere") as string }),
    );
    // It parses, and is wrong: a value is used before its block.
    const unsound =
      "define i32 @f() {\na:\n  br label %b\nb:\n  %x = add i32 %y, 1\n  br label %c\nc:\n  %y = add i32 1, 1\n  ret i32 %x\n}\n";
    expect(() => compiler.compile({ ...module, text: () => unsound })).toThrow(
      expect.objectContaining({ code: "MOE4202", message: expect.stringContaining("dominate") as string }),
    );
  });

  it("gives objects that link, or are refused with a code, whatever is damaged", () => {
    const object = compileNative(kernels, levels[0]!);
    expect([...linkObject(object, "x").symbols.keys()]).toEqual(
      expect.arrayContaining(["append", "score", "moec_run"]),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(object.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (edits) => {
          const bytes = object.slice();
          for (const [at, value] of edits) bytes[at] = value;
          try {
            linkObject(bytes, "x");
          } catch (error) {
            expect(error).toMatchObject({ code: "MOE4206" });
          }
        },
      ),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.nat(object.length - 1), (length) => {
        expect(() => linkObject(object.subarray(0, length), "x")).toThrow(expect.objectContaining({ code: "MOE4206" }));
      }),
      { numRuns: 60 },
    );
  });
});
