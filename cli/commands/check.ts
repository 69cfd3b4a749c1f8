/** `moec check`: everything that is wrong with a spec, without building anything. */
import { readdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Diagnostic } from "../../compiler/errors/diagnostic.js";
import { locateDiagnostics } from "../../compiler/errors/located.js";
import { moecError } from "../../compiler/errors/raise.js";
import { EXIT } from "../exit-codes.js";
import { showDiagnostics } from "../failures.js";
import type { CommandDefinition } from "../program.js";
import type { CommonOptions } from "../shell.js";
import { plural, timeText } from "../show/units.js";

interface CheckOptions extends CommonOptions {
  readonly warningsAsErrors?: boolean;
}

export const checkCommand: CommandDefinition = (program, start) =>
  program
    .command("check")
    .summary("find what is wrong with specs")
    .description("Parses and checks .moe files with everything they import. Builds nothing.")
    .argument("[paths...]", "files, or folders whose .moe files are checked", ["."])
    .option("--warnings-as-errors", "exit with 1 on warnings too")
    .action((paths: string[], options: CheckOptions) =>
      start("check", options, async (shell) => {
        const { check } = await import("../../compiler/1-check/index.js");
        const { diskHost } = await import("../source-host.js");
        const begun = performance.now();
        const host = diskHost(shell.io.cwd);
        const files = paths.flatMap((path) => moeFiles(resolve(shell.io.cwd, path), path));
        const seen = new Set<string>();
        const found: Diagnostic[] = [];
        for (const file of files) {
          for (const diagnostic of check(relative(shell.io.cwd, file), host).diagnostics) {
            // A file that several others import is reported once.
            const key = `${diagnostic.code} ${diagnostic.span.file} ${diagnostic.span.start} ${diagnostic.message}`;
            if (!seen.has(key)) found.push(diagnostic);
            seen.add(key);
          }
        }
        const errors = found.filter(({ severity }) => severity === "error").length;
        const isWrong = errors > 0 || (options.warningsAsErrors === true && found.length > 0);
        showDiagnostics(shell, found, host.read);
        if (!isWrong) {
          const time = timeText(performance.now() - begun);
          shell.say(`${shell.palette.added("✓")} ${plural(files.length, "file")} checked in ${time}`);
        }
        shell.result(!isWrong, { files: files.length, diagnostics: locateDiagnostics(found, host.read) });
        return isWrong ? EXIT.wrongInput : EXIT.ok;
      }),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec check                       all .moe files below this folder
  moec check model.moe --json      for editors and scripts
`,
    );

/** The `.moe` files that a path means. */
export function moeFiles(place: string, path: string): readonly string[] {
  const stats = statSync(place, { throwIfNoEntry: false });
  if (!stats) throw moecError("MOE5123", { path, reason: "there is no such file or folder" });
  if (!stats.isDirectory()) return [place];
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
