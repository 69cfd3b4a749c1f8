/** The kernels of the seams on the interpreter, on LLVM, and as CUDA C++ on the CPU. */
import { describe, expect, it } from "vitest";
import { compileCuda, VERBOSE } from "../../cli/nvcc.js";
import { readPtxas } from "../../cli/ptxas.js";
import { parseKernels } from "../../compiler/4-schedule/kernel-parse.js";
import { printKernels } from "../../compiler/4-schedule/kernel-print.js";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { emitCuda } from "../../compiler/5-emit/cuda/index.js";
import { cuda, lanesOf, x86v3, x86v4, type Target } from "../../compiler/targets/index.js";
import { compileLlvm, cpuHas, haveTools, koffi } from "../support/compiled.js";
import { compileCudaForCpu, hasCudaCpu, threadOrders } from "../support/cuda-cpu.js";
import { copies, disagreement, mistakes } from "./case.js";
import { seamCases } from "./cases.js";
import { interpreted } from "./interpreted.js";

const onGpu = { threads: 64, lanes: 1 };
const onCpu = { threads: 1, lanes: 8 };

describe("the kernels of the seams", () => {
  it.each([onGpu, onCpu])(
    "are sound and give the references on the interpreter: $threads threads, $lanes lanes",
    (v) => {
      const cases = seamCases(v);
      const kernels = cases.map(({ kernel }) => kernel);
      expect(verifyKernels(kernels)).toEqual([]);
      expect(parseKernels(printKernels(kernels))).toEqual(kernels);
      expect(cases.flatMap((seam) => mistakes(seam, interpreted(seam)))).toEqual([]);
    },
  );

  it("are checked: a changed input is a mistake in every case", () => {
    for (const seam of seamCases(onGpu)) {
      const [first, ...others] = copies(seam);
      first!.forEach((value, i) => (first![i] = value === 1 ? 2 : 1));
      expect(mistakes(seam, interpreted({ ...seam, buffers: [first!, ...others] })).length, seam.title).toBeGreaterThan(
        0,
      );
    }
  });
});

const native = koffi() !== undefined;
const llvm = native && haveTools("llc-14", "ld");
const processors: readonly [Target, boolean][] = [
  [x86v3, cpuHas("avx2", "fma", "f16c")],
  [x86v4, cpuHas("avx512vl", "avx512bw", "avx512_vnni")],
];

describe("LLVM", () => {
  for (const [target, has] of processors) {
    it.runIf(llvm && has)(`gives the references and the interpreter's results on ${target.name}`, async () => {
      const cases = seamCases({ threads: 1, lanes: lanesOf(target, 32) });
      const { launch, assembly } = await compileLlvm(
        cases.map(({ kernel }) => kernel),
        target,
      );
      const wrong = cases.flatMap((seam) => {
        const buffers = copies(seam);
        launch(seam.kernel.name, buffers, seam.scalars, 0, seam.blocks);
        return [...mistakes(seam, buffers), ...disagreement(seam, buffers, interpreted(seam))];
      });
      expect(wrong).toEqual([]);
      const text = await assembly();
      const register = target.vectorBits === 512 ? "zmm" : "ymm";
      expect(text).toMatch(new RegExp(`vfmadd\\d+ps.*${register}`));
      expect(text).toMatch(new RegExp(`vcvtph2ps.*${register}`));
      if (target.dotQuads === "i7") expect(text).toMatch(/vpdpbusd.*zmm/);
      // Nothing is taken from a library: the object has no undefined symbol that a call could name.
      expect(text).not.toMatch(/\bcall/);
    });
  }
});

describe("CUDA C++", () => {
  const cases = seamCases(onGpu);
  const kernels = cases.map(({ kernel }) => kernel);

  it.runIf(hasCudaCpu)("gives the references on the CPU in every order of the threads", async () => {
    const launchers = await compileCudaForCpu(kernels, cuda);
    const wrong = threadOrders.flatMap((order) =>
      cases.flatMap((seam) => {
        const buffers = copies(seam);
        launchers[order](seam.kernel.name, buffers, seam.scalars, 0, seam.blocks);
        return [...mistakes(seam, buffers), ...disagreement(seam, buffers, interpreted(seam))].map(
          (text) => `${order}: ${text}`,
        );
      }),
    );
    expect(wrong).toEqual([]);
  });

  it.runIf(hasCudaCpu)("shows a missing barrier by some order of the threads", async () => {
    const gemm = cases[0]!;
    const withoutBarriers = JSON.parse(
      JSON.stringify(gemm.kernel, (_, value: unknown) =>
        Array.isArray(value) ? value.filter((each) => (each as { kind?: string } | null)?.kind !== "barrier") : value,
      ),
    ) as typeof gemm.kernel;
    const launchers = await compileCudaForCpu([withoutBarriers], cuda);
    const wrong = threadOrders.filter((order) => {
      const buffers = copies(gemm);
      launchers[order](gemm.kernel.name, buffers, gemm.scalars, 0, gemm.blocks);
      return mistakes(gemm, buffers).length > 0;
    });
    expect(wrong.length).toBeGreaterThan(0);
  });

  it("multiplies four bytes in one instruction", () => {
    expect(emitCuda(kernels, cuda)).toMatch(/__dp4a\(reinterpret_cast<const int\*>\(a_\)/);
  });

  const nvcc = haveTools("nvcc");
  it.runIf(nvcc)("compiles for sm_80 and sm_90 without spills", () => {
    const reports = [80, 90].flatMap((capability) => {
      const { report } = compileCuda(emitCuda(kernels, cuda), { kind: "cubin", capability }, { more: VERBOSE });
      return readPtxas(report);
    });
    expect(reports.filter(({ spills }) => spills > 0)).toEqual([]);
    expect(reports).toHaveLength(2 * kernels.length);
  });
});
