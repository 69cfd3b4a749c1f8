/** Builds shared libraries of printed kernels in a folder of this process and calls them through koffi. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { emitCuda, nvccFlags } from "../../compiler/5-emit/cuda/index.js";
import { emitLlvm, scratchBytes } from "../../compiler/5-emit/llvm/index.js";
import type { Target } from "../../compiler/targets/index.js";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "moec-compiled-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const newPath = (ending: string): string => join(folder, `${count++}.${ending}`);

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

function scalarBits(scalars: Parameters<Launch>[2]): Int32Array {
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

export const threadOrders = ["forward", "reverse", "random"] as const;
export type ThreadOrder = (typeof threadOrders)[number];

/** A function beside each kernel that takes its arguments the same way for all, and runs it in fibers. */
function cpuLauncher({ name, buffers, scalars, threads }: Kernel): string {
  const types = { f32: "float", f16: "__half", bf16: "unsigned short", i32: "int", i16: "short" } as const;
  const bytes = { i8: "signed char", u8: "unsigned char" } as const;
  const all = { ...types, ...bytes };
  const args = [
    ...buffers.map(({ element }, i) => `(${all[element]}*)buffers[${i}]`),
    ...scalars.map(({ type }, i) => (type === "i32" ? `scalars[${i}]` : `__int_as_float(scalars[${i}])`)),
    "from",
  ].join(", ");
  return `extern "C" void launch_${name}(void** buffers, const int* scalars, int from, int to, int order, int seed) {
  moec_cpu::launch(unsigned(to - from), ${threads}, order, unsigned(seed), [=] { ${name}(${args}); });
}`;
}

/** The kernels as CUDA C++, compiled for the CPU: one launcher for each order of the threads. */
export async function compileCudaForCpu(
  kernels: readonly Kernel[],
  target: Target,
  optimize = "-O1",
): Promise<Readonly<Record<ThreadOrder, Launch>>> {
  const [source, library] = [newPath("cu"), newPath("so")];
  writeFileSync(source, `${emitCuda(kernels, target)}\n${kernels.map(cpuLauncher).join("\n")}\n`);
  const header = fileURLToPath(new URL("cuda-cpu.h", import.meta.url));
  const flags = ["-std=c++17", optimize, "-ffp-contract=off", "-fno-strict-aliasing", `-DMOEC_CPU="${header}"`];
  const wide = cpuHas("f16c") ? ["-mf16c"] : [];
  await run("g++", [...flags, ...wide, "-x", "c++", "-shared", "-fPIC", "-o", library, source]);
  const loaded = koffi()!.load(library);
  const launch = (order: number): Launch => {
    return (kernel, buffers, scalars, from, to) => {
      const call = loaded.func(`void launch_${kernel}(void**, const int*, int, int, int, int)`);
      call([...buffers], scalarBits(scalars), from, to, order, 12345);
    };
  };
  return { forward: launch(0), reverse: launch(1), random: launch(2) };
}

/** What ptxas says about each kernel. */
export interface CubinReport {
  readonly kernel: string;
  readonly registers: number;
  /** Bytes of spill stores and loads. */
  readonly spills: number;
}

/** The kernels compiled by nvcc for one architecture, such as `sm_80`. */
export async function compileCubin(
  kernels: readonly Kernel[],
  target: Target,
  architecture: string,
): Promise<readonly CubinReport[]> {
  const [source, cubin] = [newPath("cu"), newPath("cubin")];
  writeFileSync(source, emitCuda(kernels, target));
  const flags = [...nvccFlags, `-arch=${architecture}`, "-cubin", "-Xptxas", "-v"];
  const { stderr, stdout } = await run("nvcc", [...flags, "-o", cubin, source]);
  const report = stderr + stdout;
  return kernels.map(({ name }) => {
    const part = new RegExp(`Compiling entry function '${name}'[^]*?Used (\\d+) registers`).exec(report);
    if (!part) throw new Error(`ptxas says nothing about ${name}:\n${report}`);
    const spills = [...part[0].matchAll(/(\d+) bytes spill/g)].map((match) => Number(match[1]));
    if (spills.length !== 2) throw new Error(`ptxas says nothing about the spills of ${name}:\n${report}`);
    return { kernel: name, registers: Number(part[1]), spills: spills[0]! + spills[1]! };
  });
}
