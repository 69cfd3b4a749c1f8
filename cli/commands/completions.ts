/** `moec completions`: scripts for bash, zsh and fish, made from the commands themselves. */
import { Argument } from "commander";
import { bashScript } from "../completions/bash.js";
import { fishScript } from "../completions/fish.js";
import { completedCommands, type CompletedCommand } from "../completions/words.js";
import { zshScript } from "../completions/zsh.js";
import { EXIT } from "../exit-codes.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions } from "../shell.js";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Readonly<
  Record<string, (commands: readonly CompletedCommand[]) => string>
>;

export const completionsCommand: CommandDefinition = (program, start) =>
  program
    .command("completions")
    .summary("print a completion script for a shell")
    .description("Prints a script that completes commands, options and their values.")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SCRIPTS)))
    .action((shellName: keyof typeof SCRIPTS, options: CommonOptions) =>
      start("completions", options, (shell) => {
        const script = SCRIPTS[shellName](completedCommands(program));
        shell.stream(script);
        shell.result(true, { shell: shellName, script });
        return Promise.resolve(EXIT.ok);
      }),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec completions bash > ~/.local/share/bash-completion/completions/moec
  moec completions zsh > ~/.zfunc/_moec
  moec completions fish > ~/.config/fish/completions/moec.fish
`,
    );
