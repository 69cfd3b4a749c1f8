/** `moec test`: run the `test` declarations of specs on the reference evaluator. */
import { relative, resolve } from "node:path";
import { Option } from "commander";
import type { CheckedProject } from "../../compiler/1-check/index.js";
import { locateDiagnostics } from "../../compiler/errors/located.js";
import { lineColumn, sourceLines } from "../../compiler/errors/source-lines.js";
import type { DeviceResult } from "../test-device.js";
import { EXIT } from "../exit-codes.js";
import { showDiagnostics } from "../failures.js";
import type { CommandDefinition } from "../command.js";
import type { CommonOptions } from "../shell.js";
import { plural, timeText } from "../show/units.js";
import { moeFiles } from "./check.js";

interface TestOptions extends CommonOptions {
  readonly filter?: string;
  readonly device: string;
}

export const testCommand: CommandDefinition = (program, start) =>
  program
    .command("test")
    .summary("run the tests inside specs")
    .description("Runs the `test` declarations of .moe files on the reference evaluator, or compiled to WebAssembly.")
    .argument("[paths...]", "files, or folders whose .moe files are tested", ["."])
    .option("--filter <text>", "only tests whose name contains this")
    .addOption(
      new Option("--device <name>", "what runs them; tests that it has no kernels for are skipped and say why")
        .choices(["reference", "wasm"])
        .default("reference"),
    )
    .action((paths: string[], options: TestOptions) =>
      start("test", options, async (shell) => {
        const { check } = await import("../../compiler/1-check/index.js");
        const run = await deviceNamed(options.device);
        const { diskHost } = await import("../source-host.js");
        const { palette } = shell;
        const host = diskHost(shell.io.cwd);
        const results: unknown[] = [];
        let passed = 0;
        let failed = 0;
        let skipped = 0;
        for (const path of paths.flatMap((one) => moeFiles(resolve(shell.io.cwd, one), one))) {
          const file = relative(shell.io.cwd, path);
          const project = check(file, host);
          const broken = project.diagnostics.filter(({ severity }) => severity === "error");
          if (broken.length > 0) {
            showDiagnostics(shell, broken, host.read);
            results.push({ file, diagnostics: locateDiagnostics(broken, host.read) });
            failed++;
            continue;
          }
          const lines = sourceLines(host.read(file) ?? "");
          const begun = performance.now();
          const tests = await run(project, ({ name }) => name.includes(options.filter ?? ""));
          if (tests.length > 0)
            shell.say(`${palette.strong(file)} ${palette.dim(timeText(performance.now() - begun))}`);
          for (const test of tests) {
            results.push({ file, ...test });
            if (test.refused !== undefined) {
              skipped++;
              shell.say(`  ${palette.dim("-")} ${test.name} ${palette.dim(`skipped, ${test.refused}`)}`);
              continue;
            }
            if (test.passed) passed++;
            else failed++;
            const count = palette.dim(`(${plural(test.assertions, "assertion")})`);
            shell.say(`  ${test.passed ? palette.added("✓") : palette.error("✗")} ${test.name} ${count}`);
            for (const { span, message, isRefused } of test.failures) {
              const { line, column } = lineColumn(lines, span.start);
              shell.say(`      ${palette.error(isRefused ? "can't be run" : "does not hold")}: ${message}`);
              shell.say(`      ${palette.dim(`${span.file}:${line}:${column}`)}`);
            }
            showDiagnostics(shell, test.diagnostics, host.read);
          }
        }
        if (passed + failed + skipped === 0) shell.say("no tests");
        else {
          const counts = [`${passed} passed`, failed > 0 ? palette.error(`${failed} failed`) : "0 failed"];
          shell.say([...counts, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(", "));
        }
        shell.result(failed === 0, { passed, failed, skipped, results });
        return failed === 0 ? EXIT.ok : EXIT.wrongInput;
      }),
    )
    .addHelpText("after", "\nExamples:\n  moec test\n  moec test stdlib --filter router\n  moec test --device wasm\n");

type RunTests = (
  project: CheckedProject,
  wanted: (test: { readonly name: string }) => boolean,
) => Promise<readonly DeviceResult[]>;

async function deviceNamed(name: string): Promise<RunTests> {
  if (name === "wasm") {
    const { prepareTests } = await import("../../compiler/2-graph/index.js");
    const { runOnWasm } = await import("../test-device.js");
    return async (project, wanted) => {
      const results: DeviceResult[] = [];
      for (const test of prepareTests(project)) if (wanted(test)) results.push(await runOnWasm(test));
      return results;
    };
  }
  const { runTests } = await import("../../compiler/2-graph/index.js");
  return (project, wanted) => Promise.resolve(runTests(project).filter(wanted));
}
