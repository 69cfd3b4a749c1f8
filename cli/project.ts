/** From what a user names (a spec, a folder, a moec.yaml, a bundle) to a project with absolute paths. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import type { CacheStorage } from "../compiler/4-schedule/options.js";
import type { MoecError } from "../compiler/errors/moec-error.js";
import { moecError } from "../compiler/errors/raise.js";
import { DiagnosticsError } from "./failures.js";
import { isModelFolder, PROJECT_FILE } from "./model-files.js";
import type { ModelOptions } from "./options.js";
import { readProjectFile, type ProjectFile, type Quantization, type TargetName } from "./project-file.js";
import { named, readText } from "./source-host.js";

export interface Project {
  readonly kind: "project";
  /** Folder that relative paths of the project file start from. */
  readonly folder: string;
  /** The project file, when there is one. */
  readonly file?: string;
  /** Absolute path of the spec. */
  readonly spec: string;
  readonly modelName?: string;
  readonly sizes: Readonly<Record<string, number>>;
  /** Absolute paths of checkpoint files or one folder; empty without weights. */
  readonly weights: readonly string[];
  /** Seed of random parameters, instead of weights. */
  readonly random?: number;
  readonly tokenizer?: string;
  readonly quantization: Quantization;
  readonly cache: CacheStorage;
  readonly context: number;
  readonly prefill: number;
  readonly targets: readonly TargetName[];
  /** Levels of processors for native kernels; those that moec builds by itself when left out. */
  readonly levels?: readonly string[];
  readonly out: string;
  readonly generate: NonNullable<ProjectFile["generate"]>;
}

export interface BundleFolder {
  readonly kind: "bundle";
  readonly folder: string;
}

const DEFAULT_CONTEXT = 512;
const DEFAULT_PREFILL = 256;

/**
 * Finds out what `path` is.
 *
 * @throws DiagnosticsError for a wrong project file, MoecError MOE5403 when it is nothing that moec can run.
 */
export function openProject(path: string, cwd: string, options: ModelOptions = {}): Project | BundleFolder {
  const place = resolve(cwd, path);
  const stats = statSync(place, { throwIfNoEntry: false });
  if (!stats) throw moecError("MOE5403", { path, reason: "there is no such file or folder" });
  if (stats.isDirectory()) {
    if (existsSync(join(place, PROJECT_FILE))) return fromProjectFile(join(place, PROJECT_FILE), cwd, options);
    if (existsSync(join(place, "manifest.json"))) return { kind: "bundle", folder: place };
    if (isModelFolder(place)) throw needsSpec(path);
    if (readdirSync(place).some((name) => name.endsWith(".safetensors"))) {
      const reason = "the folder has weights, but no config.json that says what they are for, and no moec.yaml";
      throw moecError("MOE5403", { path, reason });
    }
    throw moecError("MOE5403", { path, reason: "the folder has no moec.yaml and is no bundle" });
  }
  if (basename(place) === "manifest.json") return { kind: "bundle", folder: dirname(place) };
  switch (extname(place)) {
    case ".moe":
      return fromSpec(place, cwd, options);
    case ".yaml":
    case ".yml":
      return fromProjectFile(place, cwd, options);
    case ".safetensors":
    case ".gguf":
    case ".onnx":
      throw needsSpec(path);
    default:
      throw moecError("MOE5403", { path, reason: "it is neither a .moe file nor a moec.yaml" });
  }
}

function needsSpec(path: string): MoecError {
  const help = "`moec import` writes one for the families that it knows.";
  return moecError("MOE5403", { path, reason: "a checkpoint needs a spec beside it" }, undefined, help);
}

/** A path of a project file. One that was written on Windows means the same file elsewhere. */
function below(folder: string, path: string): string {
  const place = resolve(folder, path);
  if (sep === "\\" || !path.includes("\\") || existsSync(place)) return place;
  return resolve(folder, path.replaceAll("\\", "/"));
}

/** Like `openProject`, for commands that need sources. */
export function openSources(path: string, cwd: string, options: ModelOptions = {}): Project {
  return sourcesOf(openProject(path, cwd, options), path);
}

/** @throws MoecError MOE5403 for a bundle. */
export function sourcesOf(opened: Project | BundleFolder, path: string): Project {
  if (opened.kind === "project") return opened;
  throw moecError("MOE5403", { path, reason: "it is a bundle; this command needs its sources" });
}

/** A spec uses the project file beside it when that names this spec. */
function fromSpec(spec: string, cwd: string, options: ModelOptions): Project {
  const file = join(dirname(spec), PROJECT_FILE);
  if (existsSync(file)) {
    const project = fromProjectFile(file, cwd, options);
    if (project.spec === spec) return project;
  }
  return assemble({ model: basename(spec) }, dirname(spec), undefined, options);
}

function fromProjectFile(file: string, cwd: string, options: ModelOptions): Project {
  const name = named(cwd, file);
  const read = readProjectFile(readText(file) ?? "", name);
  if (!read.ok) throw new DiagnosticsError(read.diagnostics, (wanted) => readText(resolve(cwd, wanted)));
  return assemble(read.project, dirname(file), file, options);
}

function assemble(project: ProjectFile, folder: string, file: string | undefined, options: ModelOptions): Project {
  const spec = below(folder, project.model);
  if (!existsSync(spec)) {
    throw moecError("MOE5403", { path: relative(process.cwd(), spec) || spec, reason: "there is no such spec" });
  }
  const modelName = options.model ?? project.name;
  const weights = options.random === undefined ? [project.weights ?? []].flat() : [];
  const context = options.context ?? project.context ?? DEFAULT_CONTEXT;
  const stem = basename(spec, ".moe");
  return {
    kind: "project",
    folder,
    ...(file === undefined ? {} : { file }),
    spec,
    ...(modelName === undefined ? {} : { modelName }),
    sizes: { ...project.sizes, ...options.size },
    weights: weights.map((path) => below(folder, path)),
    ...(options.random === undefined ? {} : { random: options.random }),
    ...(project.tokenizer === undefined ? {} : { tokenizer: below(folder, project.tokenizer) }),
    quantization: options.quantization ?? project.quantization ?? "f16",
    cache: options.cache ?? project.cache ?? "f32",
    context,
    prefill: Math.min(context, options.prefill ?? project.prefill ?? DEFAULT_PREFILL),
    targets: options.target ?? project.targets ?? ["wasm"],
    ...(options.level === undefined ? {} : { levels: options.level }),
    out: resolve(folder, project.out ?? join("dist", stem)),
    generate: project.generate ?? {},
  };
}
