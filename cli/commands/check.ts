/** `moec check`: everything that is wrong with a spec, without building anything. */
import { readdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Diagnostic } from "../../compiler/errors/diagnostic.js";
import { locateDiagnostics } from "../../compiler/errors/located.js";
import { moecError } from "../../compiler/errors/raise.js";
import { NOT_PLAIN, systemReason } from "../../runtime/node/system-errors.js";
import { fixFiles, type FixedFiles } from "../check/apply-fixes.js";
import { EXIT } from "../exit-codes.js";
import { showDiagnostics } from "../failures.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions } from "../shell.js";
import { plural, timeText } from "../show/units.js";
import { writeTextFiles } from "../write-text-files.js";

interface CheckOptions extends CommonOptions {
  readonly fix?: boolean;
  readonly warningsAsErrors?: boolean;
}

export const checkCommand: CommandDefinition = (program, start) =>
  program
    .command("check")
    .summary("find what is wrong with specs")
    .description("Parses and checks .moe files with everything they import. Builds nothing.")
    .argument("[paths...]", "files, or folders whose .moe files are checked", ["."])
    .option("--fix", "make the changes that errors offer, where there is only one to choose from")
    .option("--warnings-as-errors", "exit with 1 on warnings too")
    .action((paths: string[], options: CheckOptions) =>
      start("check", options, async (shell) => {
        const { check } = await import("../../compiler/1-check/index.js");
        const { diskHost } = await import("../source-host.js");
        const begun = performance.now();
        const host = diskHost(shell.io.cwd);
        const files = paths.flatMap((path) => moeFiles(resolve(shell.io.cwd, path), path));
        const diagnose = (texts: ReadonlyMap<string, string>): readonly Diagnostic[] => {
          const read = (file: string): string | undefined => texts.get(file) ?? host.read(file);
          const names = files.map((file) => relative(shell.io.cwd, file));
          return once(names.flatMap((name) => check(name, { ...host, read }).diagnostics));
        };
        const fixed = options.fix === true ? fixFiles(diagnose, host.read, mayChange(shell.io.cwd)) : NOTHING_FIXED;
        writeTextFiles([...fixed.texts].map(([file, text]) => ({ path: resolve(shell.io.cwd, file), text })));
        for (const { file, title } of fixed.made) shell.say(`${shell.palette.added("fixed")} ${file}: ${title}`);
        const found = diagnose(new Map());
        const errors = found.filter(({ severity }) => severity === "error").length;
        const isWrong = errors > 0 || (options.warningsAsErrors === true && found.length > 0);
        showDiagnostics(shell, found, host.read);
        if (!isWrong) {
          const time = timeText(performance.now() - begun);
          if (files.length === 0) shell.say(`– there is no .moe file in ${paths.join(", ")}`);
          else shell.say(`${shell.palette.added("✓")} ${plural(files.length, "file")} checked in ${time}`);
        }
        shell.result(!isWrong, {
          files: files.length,
          ...(options.fix === true ? { fixed: fixed.made } : {}),
          diagnostics: locateDiagnostics(found, host.read),
        });
        return isWrong ? EXIT.wrongInput : EXIT.ok;
      }),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec check                       all .moe files below this folder
  moec check --fix                 and mends what has one way to mend it
  moec check model.moe --json      for editors and scripts
`,
    );

const NOTHING_FIXED: FixedFiles = { texts: new Map(), made: [] };

/** A file that several others import is reported once. */
function once(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const byKey = new Map<string, Diagnostic>();
  for (const one of diagnostics) {
    const key = `${one.code} ${one.span.file} ${one.span.start} ${one.message}`;
    if (!byKey.has(key)) byKey.set(key, one);
  }
  return [...byKey.values()];
}

/** Only files below the working folder: the library's files and files elsewhere stay as they are. */
function mayChange(cwd: string): (file: string) => boolean {
  return (file) => {
    const path = relative(cwd, resolve(cwd, file));
    return path !== "" && !path.startsWith("..") && !path.split(/[\\/]/).includes("node_modules");
  };
}

/** The `.moe` files that a path means. */
export function moeFiles(place: string, path: string): readonly string[] {
  const stats = statSync(place, { throwIfNoEntry: false });
  if (!stats) throw moecError("MOE5123", { path, reason: "there is no such file or folder" });
  if (stats.isFile()) return [place];
  if (!stats.isDirectory()) throw moecError("MOE5123", { path, reason: systemReason({ code: NOT_PLAIN }) });
  return readdirSync(place, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) {
        const isHidden = entry.name.startsWith(".") || entry.name === "node_modules" || entry.name === "dist";
        return isHidden ? [] : moeFiles(join(place, entry.name), path);
      }
      return entry.name.endsWith(".moe") ? [join(place, entry.name)] : [];
    });
}
