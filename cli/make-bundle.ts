/** From a project to a bundle on disk. */
import { resolve } from "node:path";
import { writeBundle, type Manifest } from "../compiler/6-bundle/index.js";
import type { KernelModule, QuadKernels, WebGpuKernels } from "../compiler/6-bundle/index.js";
import type { Program } from "../compiler/2-graph/ir.js";
import { scratchBytes, wasmModule } from "../compiler/5-emit/wasm/index.js";
import { emitWgslPrograms } from "../compiler/5-emit/wgsl/module.js";
import type { Kernel } from "../compiler/4-schedule/kernel-ir.js";
import { isBlocked } from "../compiler/4-schedule/layout/layouts.js";
import type { Plan } from "../compiler/4-schedule/plan.js";
import { wasmQuads, wasmRelaxed, wasmSimd, webgpu } from "../compiler/targets/index.js";
import { buildOptimized, checkSpec, keptInF16, scheduleFor, scheduleProject } from "./compile.js";
import { bundleRuntime } from "./bundle-runtime.js";
import { UsageError } from "./failures.js";
import { cudaKernels } from "./cuda-kernels.js";
import { compileLevels } from "./native-kernels.js";
import { levelsOf } from "./native-levels.js";
import { moecVersion } from "./package-root.js";
import { openParameters, requireParameters } from "./parameters.js";
import type { Project } from "./project.js";
import type { Shell } from "./shell.js";
import { runSettings } from "./spec-settings.js";
import { tokenizerCompanions, tokenizerText, tokenRows } from "./tokenizer-files.js";
import { rememberVerified } from "../runtime/native/verified.js";
import { refuseForeign, writeFolder } from "./write-folder.js";

/** Milliseconds of a stage, for people and `--json`. */
export interface StageTime {
  readonly stage: string;
  readonly milliseconds: number;
}

export interface MadeBundle {
  readonly manifest: Manifest;
  readonly folder: string;
  readonly times: readonly StageTime[];
  readonly kernels: number;
  /** Paths of matrices that are f16 because their rows are no whole blocks. */
  readonly keptInF16: readonly string[];
  /** Absolute paths of the `.moe` files that the model is made of, and of its tokenizer. */
  readonly sources: readonly string[];
  /** Absolute paths of what else went into it: the checkpoint's files, and what may lie beside the tokenizer. */
  readonly companions: readonly string[];
}

/**
 * Checks, compiles and packs a project into `folder`.
 *
 * @throws DiagnosticsError for a wrong spec, MoecError for everything else that a user can cause.
 */
export function makeBundle(shell: Shell, project: Project, folder: string): MadeBundle {
  const times: StageTime[] = [];
  const stage = <T>(name: string, work: () => T): T => {
    shell.progress.update(`${name}…`);
    const start = performance.now();
    const result = work();
    times.push({ stage: name, milliseconds: performance.now() - start });
    return result;
  };
  // What can be known early is said early: kernels take seconds, native ones many.
  if (project.targets.length === 0) throw new UsageError("a bundle needs at least one target");
  if (project.targets.includes("native") && levelsOf(project).length === 0) {
    throw new UsageError("a bundle with the target native needs at least one level");
  }
  refuseForeign(folder);
  requireParameters(shell, project);
  const checked = stage("check", () => checkSpec(shell, project.spec));
  const { built, optimized } = stage("optimize", () => buildOptimized(checked, project));
  const parameters = openParameters(shell, built, project);
  try {
    const settings = runSettings(built, project);
    const tokenizer = tokenizerText(settings.tokenizer, parameters.checkpoint, tokenRows(built));
    const hasWasm = project.targets.includes("wasm");
    const wasm = hasWasm ? stage("schedule", () => scheduleProject(optimized, project)) : undefined;
    const modules = wasm ? stage("emit", () => emitModules(wasm.kernels)) : [];
    const quads = wasm && stage("quads", () => quadKernels(wasm.plan, optimized, project));
    const native = project.targets.includes("native")
      ? stage("native", () => compileLevels(shell, optimized, project))
      : [];
    const gpu = project.targets.includes("webgpu")
      ? stage("webgpu", () => webGpuKernels(optimized, project))
      : undefined;
    const cuda = project.targets.includes("cuda")
      ? stage("cuda", () => cudaKernels(shell, optimized, project))
      : undefined;
    // Without wasm the best level's plan is that of the bundle.
    const plan = wasm?.plan ?? native[0]?.plan ?? gpu?.plan ?? cuda?.plan;
    if (!plan) throw new TypeError("targets were checked before, and each has a plan");
    const manifest = stage("pack", () =>
      writeFolder(folder, (writer) =>
        writeBundle(
          {
            program: built,
            plan,
            modules,
            ...(quads ? { quads } : {}),
            native,
            ...(gpu ? { webgpu: gpu } : {}),
            ...(cuda ? { cuda } : {}),
            scratchBytes: wasm ? scratchBytes(wasm.kernels) : 0,
            parameters: parameters.source,
            ...(tokenizer === undefined ? {} : { tokenizer }),
            generation: settings.generation,
            runtime: bundleRuntime(hasWasm || gpu !== undefined),
            compiler: moecVersion(),
            onProgress: (done, total) => shell.progress.update("packing weights", done / total),
          },
          writer,
        ),
      ),
    );
    const specs = [...checked.project.files.keys()].map((file) => resolve(shell.io.cwd, file));
    const tokenizers = settings.tokenizer === undefined ? [] : [settings.tokenizer];
    const sources = [...specs, ...tokenizers];
    const companions = [...parameters.files, ...tokenizers.flatMap(tokenizerCompanions)];
    if (native.length > 0) rememberWeights(manifest, folder);
    const levels = native.reduce((sum, level) => sum + level.kernels, 0);
    const kernels = (wasm?.kernels.length ?? 0) + levels + (gpu?.programs.length ?? 0) + (cuda?.launches.length ?? 0);
    return { manifest, folder, times, kernels, keptInF16: keptInF16(optimized, project), sources, companions };
  } finally {
    parameters.close();
    shell.progress.clear();
  }
}

/** The weights were hashed while they were written: the first start need not do it again. */
function rememberWeights({ files, shards, targets }: Manifest, folder: string): void {
  const levels = targets.flatMap((target) => (target.name === "native" ? target.levels : []));
  const used = new Map([...shards, ...levels.flatMap((level) => level.shards)].map((shard) => [shard.file, shard]));
  rememberVerified(
    [...used.values()].map(({ file, offset, bytes }) => {
      const { sha256 } = files.find(({ path }) => path === file)!;
      return { path: resolve(folder, file), offset, bytes, sha256 };
    }),
  );
}

function webGpuKernels(program: Program, project: Project): WebGpuKernels {
  const { kernels, plan } = scheduleFor(program, project, webgpu);
  return { plan, programs: emitWgslPrograms(kernels, plan, webgpu) };
}

/** Kernels for engines with exact products of bytes; none where no weights are bytes. */
function quadKernels({ weights }: Plan, program: Program, project: Project): QuadKernels | undefined {
  if (!weights.some(({ storage }) => isBlocked(storage))) return undefined;
  const { kernels, plan } = scheduleFor(program, project, wasmQuads);
  const module = wasmModule(kernels, wasmQuads);
  const modules = [true, false].map((threads) => ({ threads, bytes: module.bytes(threads) }));
  return { plan, modules, scratchBytes: scratchBytes(kernels) };
}

/** Kernels with and without relaxed SIMD, for shared and for unshared memory: a host takes what it can run. */
function emitModules(kernels: readonly Kernel[]): readonly KernelModule[] {
  return [true, false].flatMap((relaxedSimd) => {
    const module = wasmModule(kernels, relaxedSimd ? wasmRelaxed : wasmSimd);
    return [true, false].map((threads) => ({ relaxedSimd, threads, bytes: module.bytes(threads) }));
  });
}
