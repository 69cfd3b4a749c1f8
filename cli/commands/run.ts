/** `moec run`: compile what is needed, then write text. */
import { UsageError } from "../failures.js";
import { addModelOptions, addTextOptions, MODEL_OR_BUNDLE, type ModelOptions, type TextOptions } from "../options.js";
import type { CommandDefinition } from "../command.js";

export const runCommand: CommandDefinition = (program, start) => {
  const command = program
    .command("run")
    .summary("compile a model if needed and write on from a prompt")
    .description("Compiles a spec with its weights (once; the result is kept in .moec), then writes on from a prompt.")
    .argument("<model>", MODEL_OR_BUNDLE)
    .argument("[prompt]", "the text to go on from; standard input when it is -")
    .action((model: string, prompt: string | undefined, options: ModelOptions & TextOptions) =>
      start("run", options, async (shell) => {
        const text = prompt === "-" ? await shell.io.readInput() : prompt;
        if (text === undefined) throw new UsageError('a prompt is missing: moec run <model> "Once upon a time"');
        const { runnableBundle } = await import("../load-bundle.js");
        const folder = await runnableBundle(shell, model, options, { tokenizer: true });
        const { writeText } = await import("../write-text.js");
        return writeText(shell, folder, text, options, true);
      }),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec run examples/tiny-moe "In the beginning"
  moec run examples/tiny-moe "declare function " --max-tokens 40 --trace
  moec run tiny.moe "x" --random 1 --size L=2     without weights, for speed and shape
  echo "Once upon" | moec run dist/tiny-moe -
  moec run model.gguf "Once upon a time" --device native
`,
    );
  return addTextOptions(addModelOptions(command));
};
