/** Printed CUDA C++ on the CPU: built by g++ with `cuda-cpu.h`, where each thread of a block is a fiber. */
import { execFile, execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { cudaLaunch, emitCuda } from "../../compiler/5-emit/cuda/index.js";
import { cudaMemory } from "../../compiler/5-emit/cuda/dialect.js";
import { isAlone } from "../../compiler/5-emit/lanes/block.js";
import type { Target } from "../../compiler/targets/index.js";
import { cpuHas, haveTools, koffi, newPath, scalarBits, type Launch } from "./compiled.js";

const run = promisify(execFile);

/** Whether kernels can be built and called here; the reason is printed when not. */
export const hasCudaCpu = koffi() !== undefined && haveTools("g++");

export const threadOrders = ["forward", "reverse", "random"] as const;
export type ThreadOrder = (typeof threadOrders)[number];

/** A function beside each kernel that takes its arguments the same way for all, and runs it in fibers. */
function launcher(kernel: Kernel): string {
  const { name, buffers, scalars } = kernel;
  const { threads, groupBlocks } = cudaLaunch(kernel);
  const args = [
    ...buffers.map(({ element }, i) => `(${cudaMemory[element]}*)buffers[${i}]`),
    ...scalars.map(({ type }, i) => (type === "i32" ? `scalars[${i}]` : `__int_as_float(scalars[${i}])`)),
    "from, to",
  ].join(", ");
  return `extern "C" void launch_${name}(void** buffers, const int* scalars, int from, int to, int order, int seed) {
  const unsigned blocks = (to - from + ${groupBlocks - 1}) / ${groupBlocks};
  moec_cpu::launch(blocks, ${threads}, ${!isAlone(kernel)}, order, unsigned(seed), [=] { ${name}(${args}); });
}`;
}

interface Build {
  readonly optimize?: string;
  /** C++ behind the kernels. */
  readonly more?: string;
}

/** What g++ is told to build a library of the kernels, with a function `launch_<kernel>` beside each; and its path. */
function buildOf(kernels: readonly Kernel[], target: Target, { optimize = "-O1", more = "" }: Build) {
  const [source, library] = [newPath("cu"), newPath("so")];
  writeFileSync(source, [emitCuda(kernels, target), ...kernels.map(launcher), more, ""].join("\n"));
  const header = fileURLToPath(new URL("cuda-cpu.h", import.meta.url));
  // Libraries of one process keep their variables apart.
  const same = ["-ffp-contract=off", "-fno-strict-aliasing", "-fno-gnu-unique", `-DMOEC_CPU="${header}"`];
  const wide = cpuHas("f16c") ? ["-mf16c"] : [];
  const args = ["-std=c++17", optimize, ...same, ...wide, "-x", "c++", "-shared", "-fPIC", "-o", library, source];
  return { library, args };
}

/** Builds a library of the kernels, and gives its path. */
export async function buildCudaForCpu(kernels: readonly Kernel[], target: Target, build: Build = {}): Promise<string> {
  const { library, args } = buildOf(kernels, target, build);
  await run("g++", args);
  return library;
}

/** Runs kernels over one memory in which buffers have addresses, as tests of schedules do. */
export function cudaLaunchNow(kernels: readonly Kernel[], target: Target, memory: ArrayBuffer) {
  const { library, args } = buildOf(kernels, target, { optimize: "-O0" });
  execFileSync("g++", args);
  const loaded = koffi()!.load(library);
  const byName = new Map(kernels.map((kernel) => [kernel.name, kernel]));
  return (name: string, addresses: readonly number[], scalars: readonly number[], from: number, to: number): void => {
    const call = loaded.func(`void launch_${name}(void**, const int*, int, int, int, int)`);
    const types = byName.get(name)!.scalars;
    const values = scalars.map((value, i) => (types[i]!.type === "f32" ? { f32: value } : value));
    const views = addresses.map((address) => new Uint8Array(memory, address));
    call(views, scalarBits(values), from, to, threadOrders.indexOf("random"), 1);
  };
}

/** The kernels as CUDA C++, compiled for the CPU: one launcher for each order of the threads. */
export async function compileCudaForCpu(
  kernels: readonly Kernel[],
  target: Target,
  optimize = "-O1",
): Promise<Readonly<Record<ThreadOrder, Launch>>> {
  const loaded = koffi()!.load(await buildCudaForCpu(kernels, target, { optimize }));
  const launch = (order: number): Launch => {
    return (kernel, buffers, scalars, from, to) => {
      const call = loaded.func(`void launch_${kernel}(void**, const int*, int, int, int, int)`);
      call([...buffers], scalarBits(scalars), from, to, order, 12345);
    };
  };
  return { forward: launch(0), reverse: launch(1), random: launch(2) };
}
