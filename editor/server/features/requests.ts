/** What the editor's commands ask for beside the protocol: a test run, the graph as text, the page of a code. */
import { check } from "../../../compiler/1-check/index.js";
import { buildProgram, printProgram, runTests } from "../../../compiler/2-graph/index.js";
import { explain, explanationText } from "../../../compiler/errors/index.js";
import { refusal, type Shown } from "../kernels/refusal.js";
import type { Workspace } from "../workspace.js";

export interface TestOutcome {
  readonly name: string;
  readonly passed: boolean;
  readonly assertions: number;
  readonly failures: readonly { readonly message: string; readonly line: number }[];
}

/** Runs the tests of a file, or the one with this name, on the reference evaluator. */
export function runFileTests(workspace: Workspace, file: string, name?: string): readonly TestOutcome[] {
  return runTests(workspace.project(file), file)
    .filter((test) => name === undefined || test.name === name)
    .map(({ name: title, passed, assertions, failures, diagnostics }) => {
      const line = (span: { readonly file: string; readonly start: number }): number =>
        workspace.text(span.file).position(span.start).line;
      const said = [...failures, ...diagnostics].map(({ message, span }) => ({ message, line: line(span) }));
      return { name: title, passed, assertions, failures: said };
    });
}

export function graphText(workspace: Workspace, file: string, model?: string): Shown {
  try {
    const program = buildProgram(workspace.project(file), model === undefined ? {} : { model });
    return { ok: true, text: printProgram(program) };
  } catch (error) {
    return { ok: false, text: refusal(error) };
  }
}

/** The explanation of a code as Markdown, or the codes that were perhaps meant. */
export function explanation(code: string): string {
  const found = explain(code);
  if (found.kind === "found") return explanationText(found.entry);
  const codes = found.suggestions.map((entry) => `- ${entry.code}: ${entry.title}`);
  return `There is no code ${found.code}.${codes.length > 0 ? ` Perhaps:\n\n${codes.join("\n")}` : ""}\n`;
}

/** Files of the workspace with what is wrong in each. */
export function checkWorkspace(workspace: Workspace): readonly { readonly uri: string; readonly problems: number }[] {
  const host = { read: workspace.read, resolve: (from: string, to: string) => workspace.host.resolve(from, to) };
  return workspace.host.list().map((file) => ({
    uri: workspace.host.toUri(file),
    problems: check(file, host).files.get(file)?.all.length ?? 0,
  }));
}
