/** `moec doctor`: what this machine has, and what that means for speed. */
import { accessSync, constants } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { capabilityName } from "../../compiler/5-emit/cuda/flags.js";
import { CudaGpu } from "../../runtime/cuda/gpu.js";
import { nodeHost } from "../../runtime/node/host.js";
import { wasmFeatures } from "../../runtime/wasm/features.js";
import { cacheFolder, NO_CACHE_FOLDER } from "../../runtime/native/cache-folder.js";
import { llvmCompiler } from "../../runtime/native/llvm/compiler.js";
import { missingFeatures, whyNotLevel, whyWithout } from "../../runtime/native/processor.js";
import { EXIT } from "../exit-codes.js";
import { nativeLevels, ownLevel } from "../native-levels.js";
import { nvccPath, nvccVersion } from "../nvcc.js";
import { moecVersion, packageRoot } from "../package-root.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions } from "../shell.js";
import { bytesText } from "../show/units.js";
import { wrapped } from "../show/wrap.js";
import { reasonOf } from "../../compiler/errors/reason.js";

interface Finding {
  readonly name: string;
  readonly state: "good" | "limited" | "absent" | "broken";
  readonly text: string;
}

/** The oldest Node that is tested. */
const OLDEST_NODE = [20, 19] as const;

export const doctorCommand: CommandDefinition = (program, start) =>
  program
    .command("doctor")
    .summary("say what this machine can do")
    .description("Looks at Node, the WebAssembly engine, cores and memory, and says what is missing and what it costs.")
    .action((options: CommonOptions) =>
      start("doctor", options, (shell) => {
        const findings = examine();
        const { added, warning, error, dim, strong } = shell.palette;
        const signs = { good: added("✓"), limited: warning("!"), absent: dim("–"), broken: error("✗") };
        const width = Math.max(...findings.map(({ name }) => name.length)) + 2;
        for (const { name, state, text } of findings) {
          const head = `${signs[state]} ${strong(name.padEnd(width))}`;
          wrapped(text, shell.width - width - 2).forEach((line, at) => {
            const shown = state === "absent" ? dim(line) : line;
            shell.say(at === 0 ? head + shown : " ".repeat(width + 2) + shown);
          });
        }
        const isBroken = findings.some(({ state }) => state === "broken");
        shell.result(!isBroken, { version: moecVersion(), findings });
        return Promise.resolve(isBroken ? EXIT.failed : EXIT.ok);
      }),
    )
    .addHelpText("after", "\nExamples:\n  moec doctor\n  moec doctor --json\n");

function examine(): readonly Finding[] {
  const host = nodeHost();
  host.enableRelaxedSimd();
  const features = wasmFeatures();
  const cores = availableParallelism();
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return [
    { name: "moec", state: "good", text: moecVersion() },
    node(),
    { name: "processor", state: "good", text: `${model}, ${cores} ${cores === 1 ? "core" : "cores"}` },
    { name: "memory", state: "good", text: bytesText(totalmem()) },
    features.simd
      ? { name: "wasm SIMD", state: "good", text: "128-bit vectors" }
      : { name: "wasm SIMD", state: "broken", text: "missing; moec's kernels can't run without it" },
    features.relaxedSimd
      ? { name: "relaxed SIMD", state: "good", text: `fused multiply-add and ${byteProducts(features.quads)}` }
      : { name: "relaxed SIMD", state: "limited", text: "missing; quantized models run at about a third of the speed" },
    threads(features.sharedMemory, cores),
    standardLibrary(),
    ...nativeCode(),
    cudaDriver(),
    nvcc(),
  ];
}

/** What quantized models are multiplied with. */
const byteProducts = (areQuads: boolean): string =>
  areQuads
    ? "exact sums of four products of bytes"
    : "sums of two products of bytes; those of four are not exact in this engine, and may be in Node 24";

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  const wanted = `moec needs ${OLDEST_NODE.join(".")} or newer`;
  return {
    name: "Node",
    state: isOld ? "broken" : "good",
    text: isOld ? `${process.version}; ${wanted}` : process.version,
  };
}

function threads(canShare: boolean, cores: number): Finding {
  if (!canShare) return { name: "threads", state: "limited", text: "off: this engine can't share memory" };
  if (cores === 1) return { name: "threads", state: "limited", text: "off: the machine has one core" };
  return { name: "threads", state: "good", text: `${cores}, on shared memory` };
}

function standardLibrary(): Finding {
  try {
    accessSync(`${packageRoot}/stdlib/std.moe`, constants.R_OK);
    return { name: "library", state: "good", text: "std is there" };
  } catch {
    return { name: "library", state: "broken", text: "the standard library is missing; install moec again" };
  }
}

/** What `--device native` needs. */
function nativeCode(): readonly Finding[] {
  const level = ownLevel();
  const missing = missingFeatures(nativeLevels.at(-1)?.codegen?.needs ?? []);
  const better = nativeLevels.slice(0, level ? nativeLevels.indexOf(level) : 0);
  const reasons = better.map(({ name, codegen }) => `; ${whyNotLevel(name, codegen?.needs ?? [])}`).join("");
  const processor: Finding = level
    ? { name: "native level", state: "good", text: `${level.name}: ${level.doc}${reasons}` }
    : { name: "native level", state: "absent", text: `none; ${whyWithout(missing)}` };
  const folder = cacheFolder();
  const cache: Finding =
    folder === undefined
      ? { name: "cache", state: "absent", text: NO_CACHE_FOLDER }
      : { name: "cache", state: "good", text: folder };
  try {
    const { version, path } = llvmCompiler();
    return [processor, { name: "LLVM", state: "good", text: `${version}, ${path}` }, cache];
  } catch (error) {
    const text = reasonOf(error);
    return [processor, { name: "LLVM", state: "absent", text }, cache];
  }
}

/** What `--device cuda` needs. */
function cudaDriver(): Finding {
  try {
    const { name, capability } = CudaGpu.first();
    return { name: "CUDA", state: "good", text: `${name}, compute capability ${capabilityName(capability)}` };
  } catch (error) {
    return { name: "CUDA", state: "absent", text: reasonOf(error) };
  }
}

/** What compiles CUDA kernels at build time. */
function nvcc(): Finding {
  try {
    const version = /release (\d+\.\d+)/.exec(nvccVersion())?.[1] ?? "found";
    return { name: "nvcc", state: "good", text: `${version}, ${nvccPath()}` };
  } catch {
    return { name: "nvcc", state: "absent", text: "not found; bundles for CUDA get the source only" };
  }
}
