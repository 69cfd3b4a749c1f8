/** Libraries that are no LLVM for this machine. */
import { afterEach, expect, it, vi } from "vitest";
import { hasNative } from "../support/native.js";

afterEach(() => vi.unstubAllEnvs());

it.runIf(hasNative)(
  "a library that generates no code for this machine is refused before anything is compiled",
  async () => {
    vi.stubEnv("MOEC_LLVM", "libc.so.6");
    vi.resetModules();
    const { llvmCompiler } = await import("../../runtime/native/llvm/compiler.js");
    const message = expect.stringMatching(/generates no code for .*: .*LLVM/) as string;
    expect(() => llvmCompiler()).toThrow(expect.objectContaining({ code: "MOE4201", message }));
  },
);
