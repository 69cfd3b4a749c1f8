/** Printed CUDA C++ on the CPU: built by g++ with `cuda-cpu.h`, where each thread of a block is a fiber. */
import { execFile } from "node:child_process";
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

/**
 * Builds a library of the kernels, with a function `launch_<kernel>` beside each.
 *
 * @param more C++ behind them.
 * @returns Its path.
 */
export async function buildCudaForCpu(
  kernels: readonly Kernel[],
  target: Target,
  { optimize = "-O1", more = "" } = {},
): Promise<string> {
  const [source, library] = [newPath("cu"), newPath("so")];
  writeFileSync(source, [emitCuda(kernels, target), ...kernels.map(launcher), more, ""].join("\n"));
  const header = fileURLToPath(new URL("cuda-cpu.h", import.meta.url));
  // Libraries of one process keep their variables apart.
  const same = ["-ffp-contract=off", "-fno-strict-aliasing", "-fno-gnu-unique", `-DMOEC_CPU="${header}"`];
  const wide = cpuHas("f16c") ? ["-mf16c"] : [];
  await run("g++", ["-std=c++17", optimize, ...same, ...wide, "-x", "c++", "-shared", "-fPIC", "-o", library, source]);
  return library;
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
