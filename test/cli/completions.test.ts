/** Completion scripts, run by each shell that is installed. */
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderOf, moec } from "./io.js";

const { path: cwd, remove } = folderOf({ "my model/model.moe": "", "text.txt": "", wasm: "" });
afterAll(remove);

/** What a line asks for, with the words that must be offered and one that must not. */
const LINES: readonly (readonly [line: string, offered: readonly string[], not: string])[] = [
  ["moec ver", ["verify"], "run"],
  ["moec run --quan", ["--quantization"], "--threads"],
  ["moec run --quantization q", ["q8_0", "q4_0"], "f16"],
  ["moec build --cache ", ["f32", "f16", "bf16", "q8_0"], "text.txt"],
  ["moec run --device ", ["auto", "wasm", "native", "webgpu", "cuda"], "text.txt"],
  ["moec build --target wasm,na", ["wasm,native"], "native"],
  ["moec new x --template ", ["mixture", "dense"], "text.txt"],
  ["moec completions ", ["bash", "zsh", "fish"], "text.txt"],
  ["moec explain MOE53", ["MOE5310", "MOE5323"], "MOE2041"],
  ["moec help con", ["convert"], "run"],
  ["moec usage tex", ["text.txt"], "--out"],
  ["moec run --stop ", [], "text.txt"],
  ["moec build --out my", ["my model"], "text.txt"],
];

const has = (shell: string): boolean => {
  const isThere = spawnSync(shell, ["-c", "exit 0"]).status === 0;
  if (!isThere) console.warn(`skipped: ${shell} is not installed`);
  return isThere;
};

/** What a shell prints for a script: the offered words as it would type them, one a line. */
const SHELLS: Readonly<Record<string, (script: string, line: string) => readonly string[]>> = {
  bash: (script, line) => {
    const code = `source "$1"; read -ra COMP_WORDS <<< "$2"; [[ "$2" == *" " ]] && COMP_WORDS+=("")
      COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _moec; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return lines(execFileSync("bash", ["-c", code, "bash", script, line], { cwd, encoding: "utf8" }));
  },
  fish: (script, line) => {
    const code = 'source $argv[1]; complete -C "$argv[2]"';
    const out = execFileSync("fish", ["--no-config", "-c", code, script, line], { cwd, encoding: "utf8" });
    // Behind a tab stands what a word means.
    return lines(out).map((each) => each.split("\t")[0]!);
  },
  zsh: (script, line) => {
    const out = execFileSync("zsh", ["-f", "-c", ZSH, "zsh", script, line], { cwd, encoding: "utf8" });
    return lines(out.replaceAll("\r", ""));
  },
};

/** Makes `compadd` print what it is given and leave after the first completion. */
const ZSH_SETUP = [
  "PROMPT= ; autoload -U compinit; compinit -D -u",
  "source $MOEC_SCRIPT",
  "bindkey '^I' complete-word; setopt no_beep; stty -echo",
  "compadd() {",
  '  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi',
  '  local -a hits; builtin compadd -A hits "$@"',
  "  local -A given; zparseopts -E -A given P: p:",
  '  for hit in "${hits[@]}"; do print -r -- "offer:$IPREFIX${given[-p]}$hit"; done',
  "}",
  "leave() { print end:; exit }",
  "comppostfuncs=(leave)",
  "print ready:",
];

/** A zsh in a terminal of its own. */
const ZSH = [
  "zmodload zsh/zpty",
  "zpty shell MOEC_SCRIPT=$1 zsh -f -i",
  'zpty -w shell "source $1.setup"',
  "while zpty -r shell text; do [[ $text == *ready:* ]] && break; done",
  "zpty -w -n shell \"$2\"$'\\t'",
  "while zpty -r shell text; do",
  "  [[ $text == *end:* ]] && break",
  '  [[ $text == *offer:* ]] && print -r -- "${text##*offer:}"',
  "done",
].join("\n");

function lines(text: string): readonly string[] {
  return text.split("\n").filter((each) => each !== "");
}

describe.each(Object.entries(SHELLS))("%s", (shell, offers) => {
  const script = join(cwd, `moec.${shell}`);
  beforeAll(async () => {
    const { code, out } = await moec(["completions", shell]);
    expect(code).toBe(0);
    writeFileSync(script, out);
    writeFileSync(`${script}.setup`, ZSH_SETUP.join("\n"));
  });

  describe.skipIf(!has(shell))("offers", () => {
    it.each(LINES)("for %j", (line, offered, not) => {
      // A space as it is typed, a folder's sign.
      const found = offers(script, line).map((word) => word.replaceAll("\\ ", " ").replace(/\/$/, ""));
      expect(found).toEqual(expect.arrayContaining([...offered]));
      expect(found).not.toContain(not);
    });
  });
});
