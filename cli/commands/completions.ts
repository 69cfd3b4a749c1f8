/** `moec completions`: scripts for bash, zsh and fish, made from the commands themselves. */
import { Argument, type Command } from "commander";
import { EXIT } from "../exit-codes.js";
import type { CommandDefinition } from "../program.js";
import type { CommonOptions } from "../shell.js";

interface Completion {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly { readonly long: string; readonly text: string }[];
}

export const completionsCommand: CommandDefinition = (program, start) =>
  program
    .command("completions")
    .summary("print a completion script for a shell")
    .description("Prints a script that completes commands and options.")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .action((shellName: "bash" | "zsh" | "fish", options: CommonOptions) =>
      start("completions", options, (shell) => {
        const script = SCRIPTS[shellName](completionsOf(program));
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

function completionsOf(program: Command): readonly Completion[] {
  return program.commands.map((command) => ({
    name: command.name(),
    summary: command.summary() || command.description(),
    flags: command.options.flatMap(({ long, description }) => (long ? [{ long, text: description }] : [])),
  }));
}

const SCRIPTS: Readonly<Record<"bash" | "zsh" | "fish", (commands: readonly Completion[]) => string>> = {
  bash: (commands) => `# moec completions for bash
_moec() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  local options=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${commands.map(({ name, flags }) => `    ${name}) options="${flags.map(({ long }) => long).join(" ")}" ;;`).join("\n")}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _moec moec
`,
  zsh: (commands) => `#compdef moec
# moec completions for zsh
_moec() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "$words[2]" in
${commands
  .map(({ name, flags }) => {
    const specs = flags.map(({ long, text }) => quote(`${long}[${text.replace(/[[\]:]/g, " ")}]`));
    return `    ${name}) _arguments ${specs.join(" ")} '*:file:_files' ;;`;
  })
  .join("\n")}
  esac
}
_moec "$@"
`,
  fish: (commands) =>
    [
      "# moec completions for fish",
      ...commands.map(
        ({ name, summary }) => `complete -c moec -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
      ),
      ...commands.flatMap(({ name, flags }) =>
        flags.map(
          ({ long, text }) =>
            `complete -c moec -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)} -d ${quote(text)}`,
        ),
      ),
      "",
    ].join("\n"),
};

function quote(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
