/** A CUDA driver for tests: the kernels of a plan on the CPU, behind the functions of `libcuda` and NVRTC. */
import { fileURLToPath } from "node:url";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { cudaLaunch } from "../../compiler/5-emit/cuda/index.js";
import { cuda } from "../../compiler/targets/index.js";
import type { DriverCall } from "../../runtime/cuda/driver.js";
import { koffi } from "./compiled.js";
import { buildCudaForCpu } from "./cuda-cpu.js";

export interface FakeDriver {
  /** What stands for `libcuda.so.1` and for NVRTC. */
  readonly path: string;
  /** How often a function was called. */
  calls(name: DriverCall | "nvrtcCompileProgram"): number;
  /** The next call of a function gives this error. */
  fail(name: DriverCall | "nvrtcCompileProgram", status: number): void;
  set(what: "order" | "capability" | "devices" | "memory", value: number): void;
  /** How many things were taken and not given back. */
  held(): number;
}

/** Puts the driver where the runtime looks for CUDA, until the process ends or another one is put there. */
export function install({ path }: FakeDriver): void {
  process.env["MOEC_LIBCUDA"] = path;
  process.env["MOEC_NVRTC"] = path;
}

/** What the kernels take to run is less than what it takes to optimize them. */
export async function fakeDriver(kernels: readonly Kernel[], optimize = "-O0"): Promise<FakeDriver> {
  const header = fileURLToPath(new URL("fake-cuda.h", import.meta.url));
  const rows = kernels.map((kernel) => {
    const { name, buffers, scalars } = kernel;
    const { threads, groupBlocks } = cudaLaunch(kernel);
    return `  {"${name}", ${buffers.length}, ${scalars.length}, ${threads}, ${groupBlocks}, launch_${name}},`;
  });
  const more = `
namespace moec_fake {
struct Kernel {
  const char* name;
  int buffers, scalars, threads, groupBlocks;
  void (*launch)(void**, const int*, int, int, int, int);
};
constexpr int kernelCount = ${kernels.length};
inline const Kernel kernels[] = {
${rows.join("\n")}
};
}  // namespace moec_fake
#include "${header}"`;
  const path = await buildCudaForCpu(kernels, cuda, { optimize, more });
  const library = koffi()!.load(path);
  const calls = library.func("int moec_fake_calls(const char*)");
  const fail = library.func("void moec_fake_fail(const char*, int)");
  const set = library.func("void moec_fake_set(const char*, int)");
  const held = library.func("int moec_fake_held()");
  return {
    path,
    calls: (name) => calls(name) as number,
    fail: (name, status) => void fail(name, status),
    set: (what, value) => void set(what, value),
    held: () => held() as number,
  };
}
