/** Two processes that compile the same module at once, into one cache. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { Cache } from "../../runtime/native/cache.js";
import { hasNative } from "../support/native.js";
import { startWaiting, together } from "../support/waiting-process.js";

const root = mkdtempSync(join(tmpdir(), "moec-two-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Some hundred functions, so that both are at work at the same time. */
const functions = Array.from(
  { length: 300 },
  (_, i) => `define i32 @f${i}(i32 %x) {\n  %y = mul i32 %x, ${i + 3}\n  %z = xor i32 %y, ${i}\n  ret i32 %z\n}\n`,
).join("");
const text = `target triple = "x86_64-unknown-linux-gnu"\n${functions}`;

/** Compiles, and gives the object's hash and the warnings. */
const compile = `
process.env.MOEC_CACHE = ${JSON.stringify(root)};
const { createHash } = await import("node:crypto");
const { compileCached } = await load("runtime/native/llvm/cached.ts");
const text = ${JSON.stringify(text)};
const run = () => {
  const warnings = [];
  const object = compileCached({ name: "two", architecture: "x86-64", cpu: "x86-64-v3", features: "", text: () => text }, (warning) => warnings.push(warning));
  return { hash: createHash("sha256").update(object).digest("hex"), warnings };
};`;

interface Compiled {
  readonly hash: string;
  readonly warnings: readonly string[];
}

it.skipIf(!hasNative)("both get the same object, and the cache holds one whole file", async () => {
  const [first, second] = await together([startWaiting<Compiled>(compile), startWaiting<Compiled>(compile)]);
  expect(first!.hash).toBe(second!.hash);
  expect([...first!.warnings, ...second!.warnings]).toEqual([]);
  const files = readdirSync(join(root, "objects"));
  expect(files).toHaveLength(1);
  expect(new Cache("objects", undefined, root).read(files[0]!)).toBeDefined();
});
