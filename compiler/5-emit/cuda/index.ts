/**
 * Kernel IR as one CUDA C++ file. Each kernel is an `extern "C" __global__` function of its buffers, its scalars, and two
 * ints: the number of the first block and the number behind the last one. `cudaLaunch` says how it is launched.
 * Buffers that a kernel writes overlap no other buffer of the launch.
 *
 * The file says what it does on any compiler of CUDA C++: nvcc (with `nvccFlags`), or a host compiler whose `MOEC_CPU`
 * macro names a header that runs threads on a CPU.
 */
import { sharesRegisters } from "../../4-schedule/kernel-fragments.js";
import type { BlockBuffer, BufferParam, Kernel } from "../../4-schedule/kernel-ir.js";
import { moecError } from "../../errors/raise.js";
import type { Target } from "../../targets/index.js";
import { checkBlock, foldsOf, isAlone } from "../lanes/block.js";
import { LaneWriter, Library } from "../lanes/writer.js";
import { cudaDialect, cudaMemory, cudaScalar } from "./dialect.js";
import { cudaPrelude } from "./prelude.js";

export { nvccFlags } from "./flags.js";

function parameter(name: string, { element, access }: BufferParam): string {
  return `${access === "read" ? "const " : ""}${cudaMemory[element]}* __restrict__ ${name}`;
}

/** Memory of the block is declared first, in order, by all threads. */
function blockBuffer(name: string, { element, space, length }: BlockBuffer): string {
  const type = cudaMemory[element];
  return space === "shared" ? `MOEC_SHARED(${type}, ${name}, ${length});` : `${type} ${name}[${length}];`;
}

/** Blocks of one thread that make up one block of CUDA threads. */
const SIDE_BY_SIDE = 128;

/** Registers of a multiprocessor of every generation from 8.0 on, and the most of one thread. */
const REGISTERS = 65536;
const REGISTERS_OF_THREAD = 255;

/** How a kernel is launched. */
export interface CudaLaunch {
  readonly kernel: string;
  /** Threads of one CUDA block. */
  readonly threads: number;
  /** Blocks of the kernel that one CUDA block computes. */
  readonly groupBlocks: number;
}

export function cudaLaunch(kernel: Kernel): CudaLaunch {
  const { name, threads } = kernel;
  return isAlone(kernel)
    ? { kernel: name, threads: SIDE_BY_SIDE, groupBlocks: SIDE_BY_SIDE }
    : { kernel: name, threads, groupBlocks: 1 };
}

const comment = (doc: string): string => doc.replace(/\s+/g, " ").replace(/\\+$/, "");

function emitKernel(kernel: Kernel, library: Library): readonly string[] {
  const writer = new LaneWriter(cudaDialect, library);
  const buffers = kernel.buffers.map((buffer) => {
    const { name } = writer.addBuffer(buffer.name, { ...buffer, space: "global" });
    return parameter(name, buffer);
  });
  const scalars = kernel.scalars.map(({ name, type }) => `const ${cudaScalar[type]} ${writer.names.of(name)}`);
  const parameters = [...buffers, ...scalars, "const int moec_first", "const int moec_end"].join(", ");
  const { threads, groupBlocks } = cudaLaunch(kernel);
  writer.line(`// ${comment(kernel.doc)}`);
  // The assembler would rather spill a few registers of sums than have one block less; as many blocks are enough as fit
  // when each thread has all the registers that it can name.
  const fewest = Math.max(1, Math.floor(REGISTERS / REGISTERS_OF_THREAD / threads));
  const bounds = sharesRegisters(kernel.body) ? `${threads}, ${fewest}` : String(threads);
  writer.line(`extern "C" __global__ void __launch_bounds__(${bounds}) ${kernel.name}(${parameters}) {`);
  writer.indented(() => {
    for (const buffer of kernel.blockBuffers) {
      const { name } = writer.addBuffer(buffer.name, { ...buffer, access: "readwrite" });
      writer.line(blockBuffer(name, buffer));
    }
    const folds = [...foldsOf(kernel).keys()];
    if (folds.length > 0) writer.line(`constexpr int moec_threads = ${kernel.threads};`);
    for (const type of folds) writer.line(`MOEC_SHARED(${cudaScalar[type]}, moec_folded_${type}, moec_threads);`);
    if (groupBlocks === 1) {
      writer.line("const int moec_block = (int)blockIdx.x + moec_first;");
      writer.line("const int moec_thread = (int)threadIdx.x;");
    } else {
      writer.line(`const int moec_block = (int)blockIdx.x * ${groupBlocks} + (int)threadIdx.x + moec_first;`);
      writer.line("const int moec_thread = 0;");
      writer.line("if (moec_block >= moec_end) return;");
    }
    // Many kernels need only one of the two.
    writer.line("(void)moec_block, (void)moec_thread;");
    writer.statements(kernel.body);
  });
  writer.line("}");
  return writer.lines;
}

/** The kernels as one file. They must pass `verifyKernels`. */
export function emitCuda(kernels: readonly Kernel[], target: Target): string {
  if (target.family !== "cuda") throw moecError("MOE4503", { target: target.name, wanted: "cuda" });
  const library = new Library(cudaDialect);
  const bodies = kernels.map((kernel) => {
    checkBlock(kernel, target);
    return emitKernel(kernel, library).join("\n");
  });
  return `${[cudaPrelude, ...library.lines, "", bodies.join("\n\n")].join("\n")}\n`;
}
