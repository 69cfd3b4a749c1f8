/** `moec import`: a readable spec and a project file from a checkpoint. */
import { relative, resolve } from "node:path";
import { EXIT } from "../exit-codes.js";
import type { CommandDefinition } from "../program.js";
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
        "Qwen3-MoE, DeepSeek-V2 and V3, GPT-OSS, GLM-4.5, Granite MoE, Phi-3.5-MoE, Llama 4, LFM2-MoE,\n" +
        "SmallThinker, DBRX, Arctic, Pangu Pro MoE, JetMoE and BERT.",
    )
    .argument("<checkpoint>", "a .gguf file, a .safetensors file beside its config.json, or a folder")
    .option("--out <folder>", "where to write (default: a folder with the checkpoint's name)")
    .option("--force", "write over files that exist")
    .action((path: string, options: ImportOptions) =>
      start("import", options, async (shell) => {
        const { importProject } = await import("../import-project.js");
        const { countText } = await import("../../compiler/checkpoints/import/index.js");
        const source = resolve(shell.io.cwd, path);
        const chosen = options.out === undefined ? undefined : resolve(shell.io.cwd, options.out);
        const { imported, folder, files, hasTokenizer } = await importProject(source, {
          folder: (stem) => chosen ?? resolve(shell.io.cwd, stem),
          force: options.force ?? false,
        });
        const { family, config, isEncoder, parameters } = imported;
        const { accent, added } = shell.palette;
        const shown = relative(shell.io.cwd, folder) || ".";
        shell.say(`${added("✓")} ${family}, ${countText(parameters.total)} parameters: ${shown}`);
        for (const file of files) shell.say(`  ${file}`);
        if (!hasTokenizer) shell.note("There is no tokenizer beside the weights: the model takes token ids only.");
        const next = isEncoder ? `moec build ${shown}` : `moec run ${shown} "Once upon a time"`;
        shell.say(`\n  ${accent(`moec check ${shown}`)}\n  ${accent(next)}`);
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
      "\nExamples:\n  moec import OLMoE-1B-7B-Q4_0.gguf\n  moec import ./Qwen3-30B-A3B --out qwen3\n",
    );
