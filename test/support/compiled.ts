/** Builds shared libraries of printed kernels in a folder of this process and calls them through koffi. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { emitLlvm, scratchBytes } from "../../compiler/5-emit/llvm/index.js";
import type { Target } from "../../compiler/targets/index.js";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "moec-compiled-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let count = 0;
export const newPath = (ending: string): string => join(folder, `${count++}.${ending}`);

/** Runs blocks from..to of a kernel over buffers (in order) and scalars. */
export type Launch = (
  kernel: string,
  buffers: readonly ArrayBufferView[],
  scalars: readonly (number | { readonly f32: number })[],
  from: number,
  to: number,
) => void;

interface NativeLibrary {
  func(prototype: string): (...args: readonly unknown[]) => unknown;
}
interface Koffi {
  load(path: string): NativeLibrary;
}

/** koffi, or undefined where it has no build; it is an optional dependency. */
export function koffi(): Koffi | undefined {
  try {
    return createRequire(import.meta.url)("koffi") as Koffi;
  } catch {
    console.warn("skipped: koffi is not installed");
    return undefined;
  }
}

/** Whether all these programs start; prints the first that does not. */
export function haveTools(...names: readonly string[]): boolean {
  const missing = names.find((name) => {
    try {
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return false;
    } catch {
      return true;
    }
  });
  if (missing !== undefined) console.warn(`skipped: ${missing} is not installed`);
  return missing === undefined;
}

/** Features of this machine's processor, as Linux names them. */
export function cpuHas(...features: readonly string[]): boolean {
  try {
    const flags = new Set(execFileSync("grep", ["-m1", "^flags", "/proc/cpuinfo"], { encoding: "utf8" }).split(/\s+/));
    return features.every((feature) => flags.has(feature));
  } catch {
    return false;
  }
}

export function scalarBits(scalars: Parameters<Launch>[2]): Int32Array {
  const bits = new Int32Array(Math.max(1, scalars.length));
  const floats = new Float32Array(bits.buffer);
  scalars.forEach((scalar, i) => {
    if (typeof scalar === "number") bits[i] = scalar;
    else floats[i] = scalar.f32;
  });
  return bits;
}

/** The kernels compiled by LLVM, at once. */
export function compileLlvmNow(kernels: readonly Kernel[], target: Target): Launch {
  const [text, object, library] = [newPath("ll"), newPath("o"), newPath("so")];
  writeFileSync(text, emitLlvm(kernels, target));
  execFileSync("llc-14", ["-O3", "-filetype=obj", "-relocation-model=pic", "-o", object, text]);
  execFileSync("ld", ["-shared", "-o", library, object]);
  return launcher(library, kernels);
}

function launcher(library: string, kernels: readonly Kernel[]): Launch {
  const loaded = koffi()!.load(library);
  const scratch = new Uint8Array(scratchBytes(kernels) + 64);
  return (kernel, buffers, scalars, from, to) => {
    const call = loaded.func(`void ${kernel}(void**, const int*, void*, int, int)`);
    call([...buffers], scalarBits(scalars), scratch, from, to);
  };
}

/** The kernels compiled by LLVM, and the assembly of the same object. */
export async function compileLlvm(
  kernels: readonly Kernel[],
  target: Target,
): Promise<{ readonly launch: Launch; readonly assembly: () => Promise<string> }> {
  const [text, object, library] = [newPath("ll"), newPath("o"), newPath("so")];
  writeFileSync(text, emitLlvm(kernels, target));
  await run("llc-14", ["-O3", "-filetype=obj", "-relocation-model=pic", "-o", object, text]);
  await run("ld", ["-shared", "-o", library, object]);
  return {
    launch: launcher(library, kernels),
    assembly: async () => (await run("llc-14", ["-O3", "-o", "-", text], { maxBuffer: 1 << 28 })).stdout,
  };
}
