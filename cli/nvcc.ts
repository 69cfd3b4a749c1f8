/** NVIDIA's compiler, where it is installed: CUDA C++ to machine code and PTX, and what its assembler says of it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nvccFlags } from "../compiler/5-emit/cuda/index.js";
import { cudaArchitecture } from "../compiler/5-emit/cuda/flags.js";
import type { CudaModule } from "../compiler/6-bundle/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { shortReasonOf } from "../compiler/errors/reason.js";
import { Cache, hashOf } from "../runtime/native/cache.js";

/** The compiler of the environment, or the one on the path. */
export const nvccPath = (): string => process.env["MOEC_NVCC"] || "nvcc";

/**
 * What the compiler says of itself, which decides with the source what it makes.
 *
 * @throws MoecError MOE4235 when it can't be started.
 */
export function nvccVersion(tool = nvccPath()): string {
  try {
    return execFileSync(tool, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    throw moecError("MOE4235", {
      tool,
      reason: shortReasonOf(error),
    });
  }
}

/** Compute capabilities that the compiler makes code for, as `major * 10 + minor`; [] of one too old to list them. */
export function nvccCapabilities(tool = nvccPath()): readonly number[] {
  try {
    const list = execFileSync(tool, ["--list-gpu-arch"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return [...list.matchAll(/compute_(\d+)/g)].map(([, capability]) => Number(capability));
  } catch {
    return [];
  }
}

/** Makes the assembler speak of each kernel. */
export const VERBOSE: readonly string[] = ["-Xptxas", "-v"];

export interface CompiledCuda {
  readonly bytes: Uint8Array;
  /** What the assembler says of registers, spills and shared memory when it is asked (`VERBOSE`). */
  readonly report: string;
}

/** @throws MoecError MOE4236 when the compiler refuses the source. */
export function compileCuda(
  source: string,
  module: Pick<CudaModule, "kind" | "capability">,
  { tool = nvccPath(), more = [] as readonly string[] } = {},
): CompiledCuda {
  const folder = mkdtempSync(join(tmpdir(), "moec-cuda-"));
  const architecture = cudaArchitecture(module);
  try {
    const [input, output] = [join(folder, "kernels.cu"), join(folder, `kernels.${module.kind}`)];
    writeFileSync(input, source);
    const args = [...nvccFlags, `-arch=${architecture}`, `-${module.kind}`, ...more, "-o", output, input];
    // The assembler writes to either stream; a shell joins them.
    const report = execFileSync("sh", ["-c", '"$@" 2>&1', "sh", tool, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 2 ** 28,
    });
    return { bytes: readFileSync(output), report };
  } catch (error) {
    const said = (error as { readonly stdout?: unknown }).stdout;
    const lines = (typeof said === "string" ? said : String(error)).split("\n");
    const reason = lines.find((line) => /error|fatal/i.test(line)) ?? lines[0]!;
    throw moecError("MOE4236", { tool, architecture, reason: reason.replaceAll(`${folder}/`, "") });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * As `compileCuda`, from the cache where the same source was compiled before.
 *
 * @param version What `nvccVersion` says.
 * @throws MoecError MOE4236
 */
export function compileCudaCached(
  source: string,
  module: Pick<CudaModule, "kind" | "capability">,
  version: string,
  warn: (message: string) => void,
): Uint8Array {
  const cache = new Cache("cuda", warn);
  const key = hashOf(source, module.kind, String(module.capability), version, nvccFlags.join(" ")).toString("hex");
  const kept = cache.read(key);
  if (kept) return kept;
  const { bytes } = compileCuda(source, module);
  cache.write(key, bytes);
  return bytes;
}
