/** From a Hugging Face checkpoint, or a project that was imported from one, to a GGUF file on disk. */
import { statSync } from "node:fs";
import { basename, extname, relative, resolve } from "node:path";
import { check } from "../compiler/1-check/index.js";
import { buildProgram, printProgram } from "../compiler/2-graph/index.js";
import { deriveLastToken } from "../compiler/3-optimize/index.js";
import type { Program } from "../compiler/2-graph/ir.js";
import { ggufModel } from "../compiler/checkpoints/export-gguf/index.js";
import { importModel } from "../compiler/checkpoints/import/index.js";
import type { EncodableType } from "../compiler/checkpoints/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { tokenizerToGguf } from "../runtime/tokenizer/gguf-write.js";
import { openTokenizerSource } from "./convert/tokenizer-source.js";
import { storedBytes } from "./convert/stored-types.js";
import { writeCheckpoint } from "./convert/write.js";
import { buildModel, checkSpec } from "./compile.js";
import { UsageError } from "./failures.js";
import { INDEX } from "./checkpoint-files.js";
import { openImport, type ImportFiles } from "./import-sources.js";
import { isModelFolder } from "./model-files.js";
import type { ProgramOptions } from "./options.js";
import { requireParameters } from "./parameters.js";
import { openSources, type Project } from "./project.js";
import type { Shell } from "./shell.js";
import { runSettings } from "./spec-settings.js";
import { diskHost, named } from "./source-host.js";

export interface ExportedGguf {
  readonly family: string;
  readonly tensors: number;
  readonly quantization: EncodableType;
  /** Tensors in f16 because their rows are no whole blocks. */
  readonly f16: readonly string[];
  readonly bytes: number;
  readonly files: readonly string[];
  /** What readers of the file do otherwise, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Tensors are read, converted and written one after the other; the file appears when it is complete.
 *
 * @param path A project, a folder in Hugging Face's layout, or a safetensors file beside its `config.json`.
 * @param out Absolute path that ends in .gguf.
 * @throws UsageError for weights that are no safetensors; MoecError MOE5125, MOE5126 and MOE5128 for models that GGUF cannot say,
 * MOE5209 for such tokenizers, MOE5407 for a project without weights, MOE5446 for numbers that the type does not hold, and
 * what reading the checkpoint and writing throw.
 */
export async function exportGguf(
  shell: Shell,
  path: string,
  out: string,
  options: ProgramOptions,
  type: EncodableType | undefined,
): Promise<ExportedGguf> {
  if (!out.endsWith(".gguf")) throw new UsageError(`\`${basename(out)}\` does not end in .gguf`);
  const { files, project } = openExport(shell, path, options);
  try {
    if (files.checkpoint.format !== "safetensors") {
      throw new UsageError(`the weights are ${files.checkpoint.format.toUpperCase()}; GGUF is made of safetensors`);
    }
    const model = ggufModel({
      checkpoint: files.checkpoint,
      config: files.config,
      name: files.name,
      encode: storedBytes,
      ...(type === undefined ? {} : { type }),
    });
    const tokenizer = project
      ? runSettings(requireSame(shell, project, files, model.family), project).tokenizer
      : files.tokenizer;
    const source = openTokenizerSource(tokenizer, files.config);
    const vocabulary = tokenizerToGguf(source, model.vocabulary);
    const metadata = new Map([...model.metadata, ...vocabulary.metadata]);
    const written = await writeCheckpoint(out, model.tensors, metadata, {
      signal: shell.io.signal,
      note: (done) => shell.progress.update(`${basename(out)}…`, done),
    });
    shell.progress.clear();
    return {
      family: model.family,
      tensors: model.tensors.length,
      quantization: model.type,
      f16: model.others,
      bytes: written.bytes,
      files: written.files,
      notes: [...model.notes, ...vocabulary.notes],
    };
  } finally {
    files.close();
  }
}

function openExport(
  shell: Shell,
  path: string,
  options: ProgramOptions,
): { readonly files: ImportFiles; readonly project?: Project } {
  const place = resolve(shell.io.cwd, path);
  if (isCheckpoint(place)) {
    if (options.model !== undefined || options.size !== undefined || options.random !== undefined) {
      throw new UsageError("--model, --size and --random are for projects, and this is a checkpoint");
    }
    return { files: openImport(place) };
  }
  const project = openSources(path, shell.io.cwd, options);
  if (project.random !== undefined) throw new UsageError("a GGUF file is made of a checkpoint, not of --random");
  requireParameters(shell, project);
  const [weights, ...more] = project.weights;
  if (weights === undefined || more.length > 0) {
    throw new UsageError("the project lists several shards; name their folder as its weights");
  }
  return { files: openImport(weights), project };
}

/** Files of weights, and folders in Hugging Face's layout that are no project. */
function isCheckpoint(place: string): boolean {
  const stats = statSync(place, { throwIfNoEntry: false });
  if (stats?.isFile()) return [".safetensors", ".gguf", ".onnx"].includes(extname(place)) || basename(place) === INDEX;
  return isModelFolder(place);
}

/** @throws MoecError MOE5126 unless the project's program is the one that the import of its checkpoint gives. */
function requireSame(shell: Shell, project: Project, files: ImportFiles, family: string): Program {
  const program = buildModel(checkSpec(shell, project.spec), project);
  const { checkpoint, config } = files;
  const { spec } = importModel({ checkpoint, config, name: "Imported", source: "checkpoint" });
  const disk = diskHost(shell.io.cwd);
  const file = "imported.moe";
  const checked = check(file, { ...disk, read: (wanted) => (wanted === file ? spec : disk.read(wanted)) });
  const imported = deriveLastToken(buildProgram(checked));
  if (mathOf(program) === mathOf(imported)) return program;
  const place = relative(shell.io.cwd, files.weights) || files.weights;
  const help = `The checkpoint itself can be exported: \`moec export ${place} -o model.gguf\`.`;
  throw moecError("MOE5126", { spec: named(shell.io.cwd, project.spec), family }, undefined, help);
}

/** Everything of a program but its name and what is said about generation. */
const mathOf = (program: Program): string => printProgram({ ...program, name: "model", settings: {} });
