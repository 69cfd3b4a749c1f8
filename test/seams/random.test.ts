/** Random kernels: what LLVM, and CUDA C++ on the CPU, leave in memory equals the interpreter's to the bit. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { memoryBytes } from "../../compiler/4-schedule/kernel-types.js";
import { cuda, x86v3, x86v4, type Target } from "../../compiler/targets/index.js";
import { addresses, difference, fill, memorySize } from "../kernels/memory.js";
import { bufferLength, bufferTypes, randomKernel } from "../kernels/random-kernel.js";
import { compileLlvm, cpuHas, haveTools, koffi, type Launch } from "../support/compiled.js";
import { compileCudaForCpu, hasCudaCpu } from "../support/cuda-cpu.js";

const seed = 20261;

/** Kernels with tapes from one seed. fma is left out: it rounds once here and twice in the interpreter. */
function kernels(count: number): readonly Kernel[] {
  const tape = fc.array(fc.nat(1 << 20), { minLength: 60, maxLength: 400 });
  return fc
    .sample(tape, { seed, numRuns: count })
    .map((numbers, i) => ({ ...randomKernel(numbers, { fma: false, vectors: true }), name: `random_${i}` }));
}

/** One view for each buffer of the random kernels. */
const views = (memory: ArrayBuffer): Uint8Array[] =>
  bufferTypes.map((type, i) => new Uint8Array(memory, addresses[i], bufferLength * memoryBytes[type]));

function agree(all: readonly Kernel[], launch: Launch): void {
  const interpreter = makeInterpreter(all);
  const wrong = all.flatMap(({ name }, i) =>
    [0, 1, 2].flatMap((n) => {
      const [found, wanted] = [new ArrayBuffer(memorySize), new ArrayBuffer(memorySize)];
      for (const memory of [found, wanted]) fill(memory, seed + i + n);
      interpreter.launch(name, wanted, addresses, [n - 1, 1.5], 0, 3);
      launch(name, views(found), [n - 1, { f32: 1.5 }], 0, 3);
      const differs = difference(found, wanted);
      return differs === undefined ? [] : [`${name} (seed ${seed}), n = ${n - 1}: ${differs}`];
    }),
  );
  expect(wrong).toEqual([]);
}

const native = koffi() !== undefined;
const llvm = native && haveTools("llc-14", "ld");
const vectors: readonly [Target, boolean][] = [
  [x86v3, cpuHas("avx2", "fma", "f16c")],
  [x86v4, cpuHas("avx512vl", "avx512bw", "avx512_vnni")],
];

describe("random kernels", () => {
  for (const [target, has] of vectors) {
    it.runIf(llvm && has)(`on LLVM, ${target.name}`, async () => {
      const all = kernels(60);
      agree(all, (await compileLlvm(all, target)).launch);
    });
  }

  it.runIf(hasCudaCpu)("as CUDA C++ on the CPU", async () => {
    const all = kernels(24);
    agree(all, (await compileCudaForCpu(all, cuda)).forward);
  });
});
