/** Two processes that compile the same module at once, into one cache. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { Cache } from "../../runtime/native/cache.js";
import { hasNative } from "../support/native.js";

const root = mkdtempSync(join(tmpdir(), "moec-two-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Some hundred functions, so that both are at work at the same time. */
const text = Array.from(
  { length: 300 },
  (_, i) => `define i32 @f${i}(i32 %x) {\n  %y = mul i32 %x, ${i + 3}\n  %z = xor i32 %y, ${i}\n  ret i32 %z\n}\n`,
).join("");

/** Compiles when a line comes in, and prints the object's hash and the warnings. */
const program = `
const { createHash } = await import("node:crypto");
const { runnerImport } = await import("vite");
const { module } = await runnerImport(${JSON.stringify(fileURLToPath(new URL("../../runtime/native/llvm/cached.ts", import.meta.url)))});
process.stdout.write("ready\\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
const warnings = [];
const text = ${JSON.stringify(text)};
const object = module.compileCached({ name: "two", architecture: "x86-64", cpu: "x86-64-v3", features: "", text: () => text }, (warning) => warnings.push(warning));
process.stdout.write(JSON.stringify({ hash: createHash("sha256").update(object).digest("hex"), warnings }) + "\\n");
process.exit(0);
`;

interface Child {
  readonly ready: Promise<void>;
  go(): void;
  readonly result: Promise<{ readonly hash: string; readonly warnings: readonly string[] }>;
}

function start(): Child {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    env: { ...process.env, MOEC_CACHE: root },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  let isReady: () => void;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  const result = new Promise<{ hash: string; warnings: string[] }>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      out += data.toString();
      if (out.startsWith("ready")) isReady();
    });
    child.on("close", (code) => {
      isReady();
      if (code === 0) resolve(JSON.parse(out.slice("ready\n".length)) as { hash: string; warnings: string[] });
      else reject(new Error(`exit ${code}: ${err}`));
    });
  });
  return { ready, go: () => void child.stdin.write("go\n"), result };
}

it.skipIf(!hasNative)("both get the same object, and the cache holds one whole file", async () => {
  const children = [start(), start()];
  await Promise.all(children.map(({ ready }) => ready));
  for (const child of children) child.go();
  const [first, second] = await Promise.all(children.map(({ result }) => result));
  expect(first!.hash).toBe(second!.hash);
  expect([...first!.warnings, ...second!.warnings]).toEqual([]);
  const files = readdirSync(join(root, "objects"));
  expect(files).toHaveLength(1);
  expect(new Cache("objects", undefined, root).read(files[0]!)).toBeDefined();
});
