/** Completions for zsh. */
import { quoted } from "./quoted.js";
import type { CompletedCommand, CompletedOption, Value, Word } from "./words.js";

export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef moec
# moec completions for zsh
_moec() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case "$words[1]" in
${commands.map(({ name, ...rest }) => `    ${name}) _arguments ${specsOf(rest).map(quoted).join(" ")} ;;`).join("\n")}
  esac
}
if [ "$funcstack[1]" = "_moec" ]; then
  _moec "$@"
else
  compdef _moec moec
fi
`;
}

function specsOf({ options, arguments: all }: Pick<CompletedCommand, "options" | "arguments">): readonly string[] {
  return [
    ...options.flatMap(optionSpecs),
    ...all.map(({ name, of, repeats }, place) => `${repeats ? "*" : place + 1}:${name}:${action(of)}`),
  ];
}

function optionSpecs({ flags, text, value }: CompletedOption): readonly string[] {
  const shown = `[${text.replace(/[[\]\\]/g, " ")}]`;
  const behind = value ? `:${value.name.replaceAll(":", " ")}:${action(value.of)}` : "";
  // Long options take their value behind a sign too.
  return flags.map((flag) => `${value && flag.startsWith("--") ? `${flag}=` : flag}${shown}${behind}`);
}

function action(value: Value): string {
  switch (value.kind) {
    case "words":
      return value.isList === true
        ? `_sequence compadd - ${value.words.map(({ text }) => text).join(" ")}`
        : `((${value.words.map(described).join(" ")}))`;
    case "path":
      return "_files";
    case "free":
      return " ";
    default:
      return value satisfies never;
  }
}

function described({ text, meaning }: Word): string {
  if (meaning === undefined) return text;
  return `${text}\\:"${meaning.replace(/["\\$`:()]/g, (sign) => (sign === ":" ? "\\\\:" : " "))}"`;
}
