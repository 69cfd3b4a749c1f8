/** `moec import`: a readable spec and a project file from a checkpoint. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve, sep } from "node:path";
import { stringify } from "yaml";
import type { ImportedModel } from "../../compiler/checkpoints/import/index.js";
import { moecError } from "../../compiler/errors/raise.js";
import { EXIT } from "../exit-codes.js";
import type { CommandDefinition } from "../program.js";
import { QUANTIZATIONS, type ProjectFile } from "../project-file.js";
import type { CommonOptions } from "../shell.js";

interface ImportOptions extends CommonOptions {
  readonly out?: string;
  readonly force?: boolean;
}

export const importCommand: CommandDefinition = (program, start) =>
  program
    .command("import")
    .summary("write a spec for a checkpoint")
    .description(
      "Reads the config and the tensor names of a GGUF file or a Hugging Face folder and writes a .moe spec with a\n" +
        "moec.yaml. The weights stay where they are. Families: Llama, Qwen2, Qwen3, Mixtral, OLMoE, Qwen2-MoE,\n" +
        "Qwen3-MoE and BERT.",
    )
    .argument("<checkpoint>", "a .gguf file, a .safetensors file beside its config.json, or a folder")
    .option("--out <folder>", "where to write (default: a folder with the checkpoint's name)")
    .option("--force", "write over files that exist")
    .action((path: string, options: ImportOptions) =>
      start("import", options, async (shell) => {
        const { openImport } = await import("../import-sources.js");
        const { countText, fileStem, importModel, modelName } =
          await import("../../compiler/checkpoints/import/index.js");
        const { formatText } = await import("../format.js");
        const { tokenizerText } = await import("../tokenizer-files.js");
        const files = openImport(resolve(shell.io.cwd, path));
        try {
          const stem = fileStem(files.name, "model");
          const folder = resolve(shell.io.cwd, options.out ?? stem);
          const fromHere = (file: string): string => relative(folder, file).split(sep).join("/");
          const imported = importModel({
            checkpoint: files.checkpoint,
            config: files.config,
            name: modelName(files.name, "Model"),
            source: basename(path === "." ? files.name : path),
            generate: files.generate,
            ...(files.tokenizer === undefined ? {} : { tokenizer: fromHere(files.tokenizer) }),
          });
          const hasTokenizer = tokenizerText(files.tokenizer, files.checkpoint) !== undefined;
          const formatted = await formatText(imported.spec, `${stem}.moe`);
          if (!formatted.ok) throw new Error(`the spec of ${path} does not parse:\n${imported.spec}`);
          const texts = [
            { path: `${stem}.moe`, text: formatted.text },
            { path: "moec.yaml", text: projectText(imported, `${stem}.moe`, fromHere(files.weights), basename(path)) },
          ];
          writeAll(folder, texts, options.force ?? false);
          const { config, parameters } = imported;
          const { accent, added } = shell.palette;
          const shown = relative(shell.io.cwd, folder) || ".";
          shell.say(`${added("✓")} ${config.family}, ${countText(parameters.total)} parameters: ${shown}`);
          for (const { path: file } of texts) shell.say(`  ${file}`);
          if (!hasTokenizer) shell.note("There is no tokenizer beside the weights: the model takes token ids only.");
          const next = config.family === "bert" ? `moec build ${shown}` : `moec run ${shown} "Once upon a time"`;
          shell.say(`\n  ${accent(`moec check ${shown}`)}\n  ${accent(next)}`);
          const record = { family: config.family, parameters, config, tokenizer: hasTokenizer };
          shell.result(true, { folder, files: texts.map(({ path: file }) => file), ...record });
          return EXIT.ok;
        } finally {
          files.close();
        }
      }),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  moec import OLMoE-1B-7B-Q4_0.gguf\n  moec import ./Qwen3-30B-A3B --out qwen3\n",
    );

/** Longest context of the written project; caches of a whole long context would not fit most machines. */
const MOST_CONTEXT = 2048;
const PREFILL = 256;

function projectText(imported: ImportedModel, model: string, weights: string, source: string): string {
  const { config, storage } = imported;
  const context = Math.min(config.context, MOST_CONTEXT);
  const project: ProjectFile = {
    model,
    weights,
    // As the checkpoint has them: nothing is lost, and nothing pretends to be finer than it is.
    quantization: QUANTIZATIONS.find((format) => format === storage) ?? "f16",
    context,
    // An encoder reads the whole text at once.
    prefill: config.family === "bert" ? context : Math.min(context, PREFILL),
  };
  const printable = source.replace(/[^\x20-\x7e]+/g, "?");
  return `# From ${printable}, by \`moec import\`.\n${stringify(project)}`;
}

interface TextFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Writes all files or none: each beside its place first, then all are moved.
 *
 * @throws MoecError MOE5404 when one exists and `force` is not set.
 */
function writeAll(folder: string, files: readonly TextFile[], force: boolean): void {
  const taken = files.find(({ path }) => existsSync(join(folder, path)));
  if (taken && !force) {
    const help = "Give another folder with --out, or write over it with --force.";
    throw moecError("MOE5404", { path: join(folder, taken.path) }, undefined, help);
  }
  mkdirSync(folder, { recursive: true });
  const aside = (path: string): string => join(folder, `.${path}.${process.pid}`);
  try {
    for (const { path, text } of files) writeFileSync(aside(path), text, { flag: "wx" });
    for (const { path } of files) renameSync(aside(path), join(folder, path));
  } finally {
    for (const { path } of files) rmSync(aside(path), { force: true });
  }
}
