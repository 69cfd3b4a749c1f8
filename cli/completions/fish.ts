/** Completions for fish. */
import { quoted } from "./quoted.js";
import type { CompletedCommand, CompletedOption, Value } from "./words.js";

export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c moec -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
    ...command.options.map((option) => optionLine(command.name, option)),
    ...argumentLines(command),
  ]);
  return `# moec completions for fish\n${lines.join("\n")}\n`;
}

function optionLine(command: string, { flags, text, value }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [
    "complete -c moec",
    seen(command),
    ...names,
    `-d ${quoted(text)}`,
    ...(value ? [taken(value.of)] : ["-f"]),
  ].join(" ");
}

/** Arguments are not told apart by their places: the first one with words offers them. */
function argumentLines({ name, arguments: all }: CompletedCommand): readonly string[] {
  const takesPaths = all.some(({ of }) => of.kind === "path");
  const words = all.flatMap(({ of }) => (of.kind === "words" ? of.words : []));
  const head = `complete -c moec ${seen(name)}`;
  return [
    ...(takesPaths ? [] : [`${head} -f`]),
    ...words.map(({ text, meaning }) => `${head} -a ${text}${meaning === undefined ? "" : ` -d ${quoted(meaning)}`}`),
  ];
}

function seen(command: string): string {
  return `-n '__fish_seen_subcommand_from ${command}'`;
}

function taken(value: Value): string {
  switch (value.kind) {
    case "words": {
      const words = value.words.map(({ text }) => text);
      return value.isList === true
        ? `-x -a ${quoted(`(__fish_complete_list , "printf \\"%s\\n\\" ${words.join(" ")}")`)}`
        : `-x -a ${quoted(words.join(" "))}`;
    }
    case "path":
      return "-r -F";
    case "free":
      return "-x";
    default:
      return value satisfies never;
  }
}
