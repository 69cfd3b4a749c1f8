/** `moec build`: sources and weights in, a bundle out. */
import { resolve } from "node:path";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { DiagnosticsError, interrupted, report } from "../failures.js";
import { addModelOptions, addTargetOptions, type ModelOptions } from "../options.js";
import type { CommandDefinition } from "../command.js";
import type { Shell } from "../shell.js";
import { bundleSummary } from "../show/bundle-summary.js";
import { plural } from "../show/units.js";
import { named } from "../source-host.js";
import { nextChange } from "../watch-files.js";

interface BuildOptions extends ModelOptions {
  readonly out?: string;
  readonly watch?: boolean;
}

export const buildCommand: CommandDefinition = (program, start) => {
  const command = program
    .command("build")
    .summary("compile a model and its weights into a bundle")
    .description(
      "Compiles a model with its weights into a folder that runs in Node and in browsers without a compiler.",
    )
    .argument("[project]", "a folder with a moec.yaml, that file, or a .moe file", ".")
    .option("-o, --out <folder>", "where the bundle goes; what moec.yaml says when left out")
    .option("-w, --watch", "build again when a source changes")
    .action((project: string, options: BuildOptions) =>
      start("build", options, async (shell) => {
        if (options.watch === true) return watchAndBuild(shell, project, options);
        return (await buildOnce(shell, project, options)).code;
      }),
    )
    .addHelpText(
      "after",
      `
Examples:
  moec build                                  the project in this folder
  moec build examples/tiny-moe --out dist/tiny --quantization q4_0
  moec build spec.moe --random 1 --json
  moec build examples/tiny-moe --target wasm,native,webgpu,cuda
`,
    );
  return addTargetOptions(addModelOptions(command));
};

async function buildOnce(
  shell: Shell,
  path: string,
  options: BuildOptions,
): Promise<{ readonly code: ExitCode; readonly sources: readonly string[] }> {
  const { openSources } = await import("../project.js");
  const { makeBundle } = await import("../make-bundle.js");
  const project = openSources(path, shell.io.cwd, options);
  const out = options.out === undefined ? project.out : resolve(shell.io.cwd, options.out);
  const made = makeBundle(shell, project, out);
  for (const line of bundleSummary(made, named(shell.io.cwd, out), shell.palette)) shell.say(line);
  const { manifest, times, folder, keptInF16 } = made;
  shell.result(true, { folder, times, manifest, keptInF16 });
  const files = [...made.sources, ...(project.file === undefined ? [] : [project.file])];
  return { code: EXIT.ok, sources: files };
}

/** Builds, then again after each change, until Ctrl-C. A build that fails waits for the next change. */
async function watchAndBuild(shell: Shell, path: string, options: BuildOptions): Promise<ExitCode> {
  let sources: readonly string[] = [resolve(shell.io.cwd, path)];
  while (!shell.io.signal.aborted) {
    const begun = Date.now();
    try {
      ({ sources } = await buildOnce(shell, path, options));
    } catch (error) {
      report(shell, error);
      // A file that is wrong may be one that no earlier build has read.
      const wrong = error instanceof DiagnosticsError ? error.diagnostics.map(({ span }) => span.file) : [];
      sources = [...new Set([...sources, ...wrong.map((file) => resolve(shell.io.cwd, file))])];
    }
    shell.note(shell.notePalette.dim(`watching ${plural(sources.length, "file")}…`));
    await nextChange(sources, begun, shell.io.signal);
  }
  return interrupted(shell);
}
