/** `moec test`: run the `test` declarations of specs on the reference evaluator. */
import { relative, resolve } from "node:path";
import { locateDiagnostics } from "../../compiler/errors/located.js";
import { lineColumn, sourceLines } from "../../compiler/errors/source-lines.js";
import { EXIT } from "../exit-codes.js";
import { showDiagnostics } from "../failures.js";
import type { CommandDefinition } from "../program.js";
import type { CommonOptions } from "../shell.js";
import { plural, timeText } from "../show/units.js";
import { moeFiles } from "./check.js";

interface TestOptions extends CommonOptions {
  readonly filter?: string;
}

export const testCommand: CommandDefinition = (program, start) =>
  program
    .command("test")
    .summary("run the tests inside specs")
    .description("Runs the `test` declarations of .moe files on the reference evaluator.")
    .argument("[paths...]", "files, or folders whose .moe files are tested", ["."])
    .option("--filter <text>", "only tests whose name contains this")
    .action((paths: string[], options: TestOptions) =>
      start("test", options, async (shell) => {
        const { check } = await import("../../compiler/1-check/index.js");
        const { runTests } = await import("../../compiler/2-graph/index.js");
        const { diskHost } = await import("../source-host.js");
        const { palette } = shell;
        const host = diskHost(shell.io.cwd);
        const results: unknown[] = [];
        let passed = 0;
        let failed = 0;
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
          const tests = runTests(project).filter(({ name }) => name.includes(options.filter ?? ""));
          if (tests.length > 0)
            shell.say(`${palette.strong(file)} ${palette.dim(timeText(performance.now() - begun))}`);
          for (const test of tests) {
            if (test.passed) passed++;
            else failed++;
            const count = palette.dim(plural(test.assertions, "assertion"));
            shell.say(`  ${test.passed ? palette.added("✓") : palette.error("✗")} ${test.name} ${count}`);
            for (const { span, message } of test.failures) {
              const { line, column } = lineColumn(lines, span.start);
              shell.say(`      ${palette.error("does not hold")}: ${message}`);
              shell.say(`      ${palette.dim(`${span.file}:${line}:${column}`)}`);
            }
            showDiagnostics(shell, test.diagnostics, host.read);
            results.push({ file, ...test });
          }
        }
        if (passed + failed === 0) shell.say("no tests");
        else shell.say(`${passed} passed, ${failed > 0 ? palette.error(`${failed} failed`) : "0 failed"}`);
        shell.result(failed === 0, { passed, failed, results });
        return failed === 0 ? EXIT.ok : EXIT.wrongInput;
      }),
    )
    .addHelpText("after", "\nExamples:\n  moec test\n  moec test stdlib --filter router\n");
