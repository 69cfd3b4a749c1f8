/** 64-bit ARM: the kernels compile, and their hot loops have the instructions that they are made for. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { emitLlvm } from "../../compiler/5-emit/llvm/index.js";
import { arm64Dot, lanesOf } from "../../compiler/targets/index.js";
import { loopsIn } from "../native-kernels/assembly.js";
import { seamCases } from "../seams/cases.js";
import { copies, disagreement, mistakes } from "../seams/case.js";
import { interpreted } from "../seams/interpreted.js";
import { compileArm, hasArm } from "../support/arm.js";
import { haveTools } from "../support/compiled.js";

describe("aarch64", () => {
  it.runIf(haveTools("llc-14"))("multiplies bytes and floats in one instruction, and calls nothing", () => {
    const kernels = seamCases({ threads: 1, lanes: lanesOf(arm64Dot, 32) }).map(({ kernel }) => kernel);
    const text = emitLlvm(kernels, arm64Dot, { pool: true });
    const assembly = execFileSync("llc-14", ["-O3", "-relocation-model=pic", "-o", "-"], {
      input: text,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    expect(assembly).toMatch(/\bsdot\s+v\d+\.4s, v\d+\.16b, v\d+\.16b/);
    expect(assembly).toMatch(/\bfmla\s+v\d+\.4s/);
    expect(assembly).toMatch(/\bfcvtl2?\s+v\d+\.4s/);
    // What the code has, a processor must have.
    expect(assembly).toMatch(/\bldaddal\b/);
    expect(arm64Dot.codegen!.needs).toContain("atomics");
    const kernelsOnly = assembly.slice(0, assembly.indexOf("moec_take:"));
    expect(kernelsOnly).not.toMatch(/\bblr?\s/);
  });

  it.runIf(hasArm() && haveTools("llc-14"))(
    "gives the references and the interpreter's results, run by qemu, and keeps sums in registers",
    () => {
      const cases = seamCases({ threads: 1, lanes: lanesOf(arm64Dot, 32) });
      const { launch, assembly } = compileArm(
        cases.map(({ kernel }) => kernel),
        arm64Dot,
      );
      const wrong = cases.flatMap((seam) => {
        const buffers = copies(seam);
        launch(seam.kernel.name, buffers, seam.scalars, 0, seam.blocks);
        return [...mistakes(seam, buffers), ...disagreement(seam, buffers, interpreted(seam))];
      });
      expect(wrong).toEqual([]);
      const text = assembly();
      for (const instruction of ["fmla", "sdot"]) {
        const loops = loopsIn(text, "aarch64").filter((loop) => new RegExp(`\\t${instruction}\\t`).test(loop));
        expect(loops.length, instruction).toBeGreaterThan(0);
        for (const loop of loops) expect(loop).not.toMatch(/\t(str|ldr|stp|ldp|st1|ld1)\s+.*\b[qv]\d+.*\[sp/);
      }
    },
  );
});
