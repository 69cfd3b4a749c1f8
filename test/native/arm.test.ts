/** 64-bit ARM: the kernels compile, and their hot loops have the instructions that they are made for. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { emitLlvm } from "../../compiler/5-emit/llvm/index.js";
import { arm64Dot, lanesOf } from "../../compiler/targets/index.js";
import { seamCases } from "../seams/cases.js";
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
    const kernelsOnly = assembly.slice(0, assembly.indexOf("moec_take:"));
    expect(kernelsOnly).not.toMatch(/\bblr?\s/);
  });
});
