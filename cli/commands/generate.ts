/** `moec generate`: write text from a bundle; the text and nothing else goes to standard output. */
import { UsageError } from "../failures.js";
import { addTextOptions, type TextOptions } from "../options.js";
import type { CommandDefinition } from "../command.js";

export const generateCommand: CommandDefinition = (program, start) => {
  const command = program
    .command("generate")
    .summary("write on from a prompt with a built bundle")
    .description("Writes on from a prompt with a bundle that `moec build` made. Needs no compiler and no sources.")
    .argument("<bundle>", "the folder of a bundle")
    .argument("[prompt]", "the text to go on from; standard input when it is - or left out")
    .action((bundle: string, prompt: string | undefined, options: TextOptions) =>
      start("generate", options, async (shell) => {
        const { openProject } = await import("../project.js");
        const opened = openProject(bundle, shell.io.cwd);
        if (opened.kind !== "bundle") {
          throw new UsageError(`\`${bundle}\` is no bundle; use \`moec run\` for sources, or \`moec build\` first`);
        }
        const text = prompt === undefined || prompt === "-" ? await shell.io.readInput() : prompt;
        const { writeText } = await import("../write-text.js");
        return writeText(shell, opened.folder, text, options, false);
      }),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec generate dist/tiny-moe "Once upon a time" --temperature 0.8 --seed 7
  moec generate dist/tiny-moe --json < prompt.txt
`,
    );
  return addTextOptions(command);
};
