/** `moec fmt`: one way to lay out a spec. */
import { relative, resolve } from "node:path";
import { locateDiagnostics } from "../../compiler/errors/located.js";
import type { Diagnostic } from "../../compiler/errors/diagnostic.js";
import { moecError } from "../../compiler/errors/raise.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { showDiagnostics } from "../failures.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions, Shell } from "../shell.js";
import { textDiff } from "../show/text-diff.js";
import { plural } from "../show/units.js";
import { readText } from "../source-host.js";
import { writeTextFiles, type TextFile } from "../write-text-files.js";
import { moeFiles } from "./check.js";

interface FormatOptions extends CommonOptions {
  readonly check?: boolean;
  readonly diff?: boolean;
  readonly stdin?: boolean;
}

export const formatCommand: CommandDefinition = (program, start) =>
  program
    .command("fmt")
    .summary("lay out specs")
    .description("Rewrites .moe files in the one layout of the language. Meaning and comments stay.")
    .argument("[paths...]", "files, or folders whose .moe files are formatted", ["."])
    .option("--check", "change nothing; exit with 1 when a file is not formatted")
    .option("--diff", "change nothing; show what would change, and exit with 1 when something would")
    .option("--stdin", "format standard input to standard output")
    .action((paths: string[], options: FormatOptions) =>
      start("fmt", options, (shell) =>
        options.stdin === true ? formatInput(shell) : formatFiles(shell, paths, options),
      ),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  moec fmt\n  moec fmt --check src\n  moec fmt --diff model.moe | git apply\n  moec fmt --stdin < model.moe\n",
    );

async function formatInput(shell: Shell): Promise<ExitCode> {
  const { formatText } = await import("../format.js");
  const text = await shell.io.readInput();
  const result = await formatText(text, "stdin.moe");
  if (!result.ok) return refuse(shell, result.diagnostics, () => text);
  shell.stream(result.text);
  shell.result(true, { text: result.text });
  return EXIT.ok;
}

async function formatFiles(shell: Shell, paths: readonly string[], options: FormatOptions): Promise<ExitCode> {
  const { formatText } = await import("../format.js");
  const files = paths.flatMap((path) => moeFiles(resolve(shell.io.cwd, path), path));
  const read = (name: string): string | undefined => readText(resolve(shell.io.cwd, name));
  const isDry = options.check === true || options.diff === true;
  const changed: string[] = [];
  const texts: TextFile[] = [];
  const differences: string[] = [];
  const broken: Diagnostic[] = [];
  for (const file of files) {
    const name = relative(shell.io.cwd, file);
    const text = readText(file);
    if (text === undefined) throw moecError("MOE5123", { path: name, reason: "it can't be read" });
    const result = await formatText(text, name);
    if (!result.ok) {
      broken.push(...result.diagnostics);
      continue;
    }
    if (result.text === text) continue;
    changed.push(name);
    if (options.diff === true) differences.push(...textDiff(name, text, result.text, shell.palette));
    texts.push({ path: file, text: result.text });
  }
  if (!isDry) writeTextFiles(texts);
  if (broken.length > 0) return refuse(shell, broken, read);
  const { palette } = shell;
  if (options.diff === true) for (const line of differences) shell.say(line);
  else {
    for (const name of changed) shell.say(`${palette.warning(isDry ? "needs format" : "formatted")} ${name}`);
    if (changed.length === 0) shell.say(`${palette.added("✓")} ${plural(files.length, "file")} formatted`);
  }
  const ok = !isDry || changed.length === 0;
  shell.result(ok, { files: files.length, changed });
  return ok ? EXIT.ok : EXIT.wrongInput;
}

function refuse(
  shell: Shell,
  diagnostics: readonly Diagnostic[],
  read: (name: string) => string | undefined,
): ExitCode {
  showDiagnostics(shell, diagnostics, read);
  shell.result(false, { diagnostics: locateDiagnostics(diagnostics, read) });
  return EXIT.wrongInput;
}
