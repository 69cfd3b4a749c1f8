/** `moec import`: a readable spec and a project file from a checkpoint. */
import { extname, relative, resolve } from "node:path";
import { EXIT, type ExitCode } from "../exit-codes.js";
import type { CommandDefinition } from "../command.js";
import { UsageError } from "../failures.js";
import type { CommonOptions, Shell } from "../shell.js";
import { tableLines } from "../show/table.js";
import { plural, shellWord } from "../show/units.js";

interface ImportOptions extends CommonOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly tokenizer?: string;
}

export const importCommand: CommandDefinition = (program, start) =>
  program
    .command("import")
    .summary("write a spec for a checkpoint")
    .description(
      "Reads the config and the tensor names of a GGUF file or a Hugging Face folder and writes a .moe spec with a " +
        "moec.yaml. The weights stay where they are. Families: Llama, Qwen2, Qwen3, Mixtral, OLMoE, Qwen2-MoE, " +
        "Qwen3-MoE, DeepSeek-V2 and V3, GPT-OSS, GLM-4.5, Granite MoE, Phi-3.5-MoE, Llama 4, LFM2-MoE, " +
        "SmallThinker, DBRX, Arctic, Pangu Pro MoE, JetMoE and BERT. " +
        "Of an ONNX file it lists the tensors that the `weights onnx` block of a spec can name.",
    )
    .argument("<checkpoint>", "a .gguf file, a .safetensors file beside its config.json, a folder, or an .onnx file")
    .option("--out <folder>", "where to write (default: a folder with the checkpoint's name)")
    .option(
      "--tokenizer <file>",
      "a tokenizer.json in place of the checkpoint's own, with tokenizer_config.json beside it",
    )
    .option("--force", "write over files that exist")
    .action((path: string, options: ImportOptions) =>
      start("import", options, async (shell) => {
        const source = resolve(shell.io.cwd, path);
        if (extname(source) === ".onnx") return listOnnx(shell, source, options);
        const { importProject } = await import("../import-project.js");
        const { countText } = await import("../../compiler/checkpoints/import/index.js");
        const chosen = options.out === undefined ? undefined : resolve(shell.io.cwd, options.out);
        const { imported, folder, files, hasTokenizer, leavesPooling } = await importProject(source, {
          folder: (stem) => chosen ?? resolve(shell.io.cwd, stem),
          force: options.force ?? false,
          ...(options.tokenizer === undefined ? {} : { tokenizer: resolve(shell.io.cwd, options.tokenizer) }),
        });
        const { family, config, isEncoder, parameters } = imported;
        const { accent, added } = shell.palette;
        const shown = relative(shell.io.cwd, folder) || ".";
        shell.say(`${added("✓")} ${family}, ${countText(parameters.total)} parameters: ${shown}`);
        for (const file of files) shell.say(`  ${file}`);
        if (!hasTokenizer)
          shell.note(
            "There is no tokenizer with the weights, so the model takes token ids only: " +
              "put `tokenizer: path/to/tokenizer.json` into moec.yaml to run it on text.",
          );
        if (leavesPooling)
          shell.note(
            "The folder says how one vector is made of those of the tokens (1_Pooling), which is imported for BERT alone: " +
              "the spec has the model that writes text.",
          );
        const word = shellWord(shown);
        const next = isEncoder || !hasTokenizer ? `moec build ${word}` : `moec run ${word} "Once upon a time"`;
        shell.say(`\n  ${accent(`moec check ${word}`)}\n  ${accent(next)}`);
        shell.result(true, {
          folder,
          files,
          family,
          parameters,
          ...(config ? { config } : {}),
          tokenizer: hasTokenizer,
        });
        return EXIT.ok;
      }),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  moec import OLMoE-1B-7B-Q4_0.gguf\n  moec import ./Qwen3-30B-A3B --out qwen3\n  moec import encoder.onnx\n",
    );

/** An ONNX file keeps no config: its graph is not read, and the spec is written by hand. */
async function listOnnx(shell: Shell, path: string, options: ImportOptions): Promise<ExitCode> {
  if (options.out !== undefined || options.force === true || options.tokenizer !== undefined) {
    throw new UsageError("an ONNX file gives no spec to write: --out, --force and --tokenizer are for one");
  }
  const { onnxContents } = await import("../import-onnx.js");
  const { countText } = await import("../../compiler/checkpoints/import/index.js");
  const { tensors, unread, values } = onnxContents(path);
  const columns = [{ title: "tensor" }, { title: "shape" }, { title: "type" }, { title: "layers", align: "right" }] as const; // prettier-ignore
  const rows = tensors.map(({ pattern, shape, type, count }) => [
    pattern,
    `[${shape.join(", ")}]`,
    type,
    count === 1 ? "" : String(count),
  ]);
  for (const line of tableLines(columns, rows, shell.palette.accent)) shell.say(line);
  shell.say(
    `\n${countText(values)} numbers. A spec names them in its \`weights onnx\` block; docs/import.md shows how.`,
  );
  if (unread.length > 0)
    shell.note(`Not read: ${plural(unread.length, "tensor")} of other types (${unread.join("; ")}).`);
  shell.result(true, { format: "onnx", tensors, unread, values });
  return EXIT.ok;
}
