/** Completions for bash, from 3.2 on, which macOS still has. */
import type { CompletedCommand, Value } from "./words.js";

export function bashScript(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# moec completions for bash
_moec_words() {
  COMPREPLY=($(compgen -W "$1" -- "$current"))
}
_moec_list() {
  local before=""
  [[ "$current" == *,* ]] && before="\${current%,*},"
  COMPREPLY=($(compgen -P "$before" -W "$1" -- "\${current##*,}"))
}
_moec_paths() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$current"))
}
_moec() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local place=0 at
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _moec_words "${names}"
    return
  fi
  # In --option=value the sign is a word of its own.
  if [ "$current" = "=" ]; then
    current=""
  elif [ "$previous" = "=" ]; then
    previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  case "\${COMP_WORDS[1]} $previous" in
${commands.flatMap(valueCases).join("\n")}
  esac
  if [[ "$current" == -* ]]; then
    case "\${COMP_WORDS[1]}" in
${commands.map(({ name, options }) => `      ${name}) _moec_words "${options.flatMap(({ flags }) => flags).join(" ")}" ;;`).join("\n")}
    esac
    return
  fi
  # Which argument it is: words before it that are neither options nor their values.
  for ((at = 2; at < COMP_CWORD; at++)); do
    if [ "\${COMP_WORDS[at + 1]}" = "=" ]; then
      at=$((at + 2))
      continue
    fi
    case "\${COMP_WORDS[1]} \${COMP_WORDS[at]}" in
${commands.flatMap(skippedCases).join("\n")}
      *" -"*) ;;
      *) place=$((place + 1)) ;;
    esac
  done
  case "\${COMP_WORDS[1]} $place" in
${commands.flatMap(argumentCases).join("\n")}
  esac
}
complete -F _moec moec
`;
}

function valueCases({ name, options }: CompletedCommand): readonly string[] {
  return options.flatMap(({ flags, value }) =>
    value ? [`    ${flags.map((flag) => `"${name} ${flag}"`).join(" | ")}) ${completed(value.of)}; return ;;`] : [],
  );
}

/** Options that the next word belongs to. */
function skippedCases({ name, options }: CompletedCommand): readonly string[] {
  const flags = options.flatMap((option) => (option.value ? option.flags : []));
  return flags.length === 0 ? [] : [`      ${flags.map((flag) => `"${name} ${flag}"`).join(" | ")}) at=$((at + 1)) ;;`];
}

function argumentCases({ name, arguments: all }: CompletedCommand): readonly string[] {
  return all.map(({ of, repeats }, place) => `    "${name} "${repeats ? "*" : place}) ${completed(of)} ;;`);
}

function completed(value: Value): string {
  switch (value.kind) {
    case "words": {
      const words = value.words.map(({ text }) => text).join(" ");
      return `${value.isList === true ? "_moec_list" : "_moec_words"} "${words}"`;
    }
    case "path":
      return "_moec_paths";
    case "free":
      return ":";
    default:
      return value satisfies never;
  }
}
