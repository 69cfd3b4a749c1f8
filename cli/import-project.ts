/** From a checkpoint to a project: a readable spec and a `moec.yaml`, written side by side. */
import { existsSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { stringify } from "yaml";
import { fileStem, importModel, modelName, type ImportedModel } from "../compiler/checkpoints/import/index.js";
import { keptAs, type Checkpoint } from "../compiler/checkpoints/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { formatText } from "./format.js";
import { openImport } from "./import-sources.js";
import { PROJECT_FILE } from "./model-files.js";
import type { ProjectFile } from "./project-file.js";
import { tokenizerText } from "./tokenizer-files.js";
import { writeTextFiles, type TextFile } from "./write-text-files.js";

export interface ImportPlace {
  /** Where the project goes, by the checkpoint's name as a file name. */
  folder(stem: string): string;
  /** Write over files that exist. */
  readonly force: boolean;
  /** Write absolute paths of the weights, for projects that lie far from them. */
  readonly absolute?: boolean;
  /** Absolute path of a `tokenizer.json` in place of the checkpoint's own. */
  readonly tokenizer?: string;
}

export interface ImportedProject {
  readonly imported: ImportedModel;
  readonly folder: string;
  readonly files: readonly string[];
  readonly hasTokenizer: boolean;
  /** The checkpoint comes with a way to make one vector of a text, which the spec of a model that writes text does not have. */
  readonly leavesPooling: boolean;
}

/**
 * @param path Absolute path of a checkpoint: a file, or a folder in Hugging Face's layout.
 * @throws MoecError MOE5404 when a file is there and `force` is not set, and what reading the checkpoint throws.
 */
export async function importProject(path: string, place: ImportPlace): Promise<ImportedProject> {
  const files = openImport(path, place.tokenizer);
  try {
    const stem = fileStem(files.name, "model");
    const folder = place.folder(stem);
    const fromHere = (file: string): string =>
      place.absolute === true ? file : relative(folder, file).split(sep).join("/");
    const source = basename(path);
    const imported = importModel({
      checkpoint: files.checkpoint,
      config: files.config,
      name: modelName(files.name, "Model"),
      source,
      generate: files.generate,
      sentences: files.sentences,
      ...(files.tokenizer === undefined ? {} : { tokenizer: fromHere(files.tokenizer) }),
    });
    const hasTokenizer = tokenizerText(files.tokenizer, files.checkpoint, imported.vocabulary) !== undefined;
    const formatted = await formatText(imported.spec, `${stem}.moe`);
    if (!formatted.ok) throw new Error(`the spec of ${path} does not parse:\n${imported.spec}`);
    const texts = [
      { path: `${stem}.moe`, text: formatted.text },
      {
        path: PROJECT_FILE,
        text: projectText(imported, files.checkpoint.format, `${stem}.moe`, fromHere(files.weights), source),
      },
    ];
    writeAll(folder, texts, place.force);
    const leavesPooling = files.hasPooling && !imported.isEncoder;
    return { imported, folder, files: texts.map(({ path: file }) => file), hasTokenizer, leavesPooling };
  } finally {
    files.close();
  }
}

/** Longest context of the written project; caches of a whole long context would not fit most machines. */
const MOST_CONTEXT = 2048;
const PREFILL = 256;

function projectText(
  imported: ImportedModel,
  format: Checkpoint["format"],
  model: string,
  weights: string,
  source: string,
): string {
  const { storage, isEncoder } = imported;
  const context = Math.min(imported.context, MOST_CONTEXT);
  const project: ProjectFile = {
    model,
    weights,
    // As the checkpoint has them: nothing is lost, and nothing pretends to be finer than it is. GGUF files mix formats.
    quantization: format === "gguf" ? "file" : keptAs(storage),
    context,
    // An encoder reads the whole text at once.
    prefill: isEncoder ? context : Math.min(context, PREFILL),
  };
  const printable = source.replace(/[^\x20-\x7e]+/g, "?");
  return `# From ${printable}, by \`moec import\`.\n${stringify(project)}`;
}

/**
 * Writes all files or none.
 *
 * @throws MoecError MOE5404 when one exists and `force` is not set.
 */
function writeAll(folder: string, files: readonly TextFile[], force: boolean): void {
  const taken = files.find(({ path }) => existsSync(join(folder, path)));
  if (taken && !force) {
    const help = "Give another folder with --out, or write over it with --force.";
    throw moecError("MOE5404", { path: join(folder, taken.path) }, undefined, help);
  }
  writeTextFiles(files.map(({ path, text }) => ({ path: join(folder, path), text })));
}
