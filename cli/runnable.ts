/** What `moec run` is given: a project, a bundle, or a checkpoint, which becomes a project in the cache folder. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { moecError } from "../compiler/errors/raise.js";
import { cacheFolder, NO_CACHE_FOLDER } from "../runtime/native/cache-folder.js";
import { MoecError } from "../compiler/errors/moec-error.js";
import { missingFeatures, whyWithout } from "../runtime/native/processor.js";
import { fileMark } from "./file-mark.js";
import { isModelFolder, modelFiles, PROJECT_FILE } from "./model-files.js";
import { nativeLevels, ownLevel } from "./native-levels.js";
import type { DeviceOptions, ModelOptions } from "./options.js";
import { openProject, type BundleFolder, type Project } from "./project.js";
import type { Shell } from "./shell.js";

/**
 * @throws MoecError MOE4201, MOE4203 and MOE4204 for `--device native` where native kernels can't be made, and what
 * opening a project or a checkpoint throws.
 */
export async function openRunnable(
  shell: Shell,
  path: string,
  options: ModelOptions & DeviceOptions,
): Promise<Project | BundleFolder> {
  const place = resolve(shell.io.cwd, path);
  const source = isCheckpoint(place) ? await importedProject(shell, place) : path;
  const opened = openProject(source, shell.io.cwd, options);
  return opened.kind === "bundle" ? opened : { ...opened, ...(await targetOf(shell, options.device)) };
}

/** A GGUF file, or a folder of a model that is no project yet. */
function isCheckpoint(place: string): boolean {
  return extname(place) === ".gguf" ? existsSync(place) : isModelFolder(place);
}

/** The kernels that a device needs, for this machine alone. */
async function targetOf(shell: Shell, device: DeviceOptions["device"]): Promise<Partial<Project>> {
  if (device === undefined) return {};
  if (device !== "auto" && device !== "native") return { targets: [device] };
  if (device === "auto" && (await hasCuda())) return { targets: ["cuda"] };
  try {
    // What is missing is said before anything is compiled; for `native` it is an error in its place.
    if (device === "auto") (await import("../runtime/native/llvm/compiler.js")).llvmCompiler();
    return { targets: ["native"], levels: [thisProcessor()] };
  } catch (error) {
    if (device === "native" || !(error instanceof MoecError)) throw error;
    shell.note(shell.notePalette.dim(`wasm: ${error.message}`));
    return { targets: ["wasm"] };
  }
}

async function hasCuda(): Promise<boolean> {
  const { CudaGpu } = await import("../runtime/cuda/gpu.js");
  try {
    CudaGpu.first();
    return true;
  } catch (error) {
    if (error instanceof MoecError) return false;
    throw error;
  }
}

function thisProcessor(): string {
  const own = ownLevel();
  if (own) return own.name;
  const least = nativeLevels.at(-1)?.codegen?.needs ?? [];
  throw moecError("MOE4204", {
    levels: nativeLevels.map(({ name }) => name).join(", "),
    reason: whyWithout(missingFeatures(least)),
  });
}

/** The project of a checkpoint, written once for each state of the files that an import reads. */
async function importedProject(shell: Shell, path: string): Promise<string> {
  const key = createHash("sha256").update(modelFiles(path).map(fileMark).join("\n")).digest("hex").slice(0, 16);
  const cache = cacheFolder();
  if (cache === undefined) throw moecError("MOE5460", { path: "~/.cache/moec", reason: NO_CACHE_FOLDER });
  const folder = join(cache, "models", key);
  if (existsSync(join(folder, PROJECT_FILE))) return folder;
  const { importProject } = await import("./import-project.js");
  shell.progress.update("reading the checkpoint…");
  await importProject(path, { folder: () => folder, force: true, absolute: true });
  return folder;
}
