/** Runs engines in processes of their own, all under the same rules, and reads the JSON line that each prints last. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("./", import.meta.url));

/** V8 compiles WebAssembly with its optimizing compiler before the first call, for every engine: no tier is warmed up. */
export const OPTIMIZED = ["--no-liftoff", "--no-wasm-tier-up"];

/** No engine may hang a benchmark. */
const TIMEOUT_MILLISECONDS = 300_000;

/** What the script printed, or `{ absent: reason }`. */
export function engine(script, ...args) {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...OPTIMIZED, `${here}${script}`, ...args.map(String)],
    { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: TIMEOUT_MILLISECONDS, maxBuffer: 1 << 26 },
  );
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (status === 0 && line.startsWith("{")) return JSON.parse(line);
  const reason = stderr
    .trim()
    .split("\n")
    .find((text) => /Error|error|rror:/.test(text));
  return { absent: reason ?? (signal ? `it was ended by ${signal}` : `it ended with code ${status}`) };
}

/** Whether a package of `bench/peers` is installed. */
export const hasPeer = (name) => existsSync(`${here}peers/node_modules/${name}`);

/** Whether ONNX Runtime for Node, of `bench/onnxruntime`, is installed. */
export const hasOnnxRuntime = () => existsSync(`${here}onnxruntime/node_modules/onnxruntime-node`);

/** The browser of benches. */
export const chromium = () => process.env.MOEC_CHROMIUM ?? "/usr/bin/chromium";

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
