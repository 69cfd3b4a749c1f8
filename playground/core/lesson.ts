/**
 * Lessons: a text, a file to begin with, and a task that is written in the language itself. The task is a file of tests
 * that imports what the reader wrote, so the checker and the reference evaluator decide whether it is done.
 */
import { check, type SourceHost } from "../../compiler/1-check/index.js";
import { buildProgram, runTests } from "../../compiler/2-graph/index.js";
import { refusal } from "../../editor/server/kernels/refusal.js";

export interface Lesson {
  /** `01-expert`; also the order. */
  readonly id: string;
  /** Markdown; its first heading is the title. */
  readonly text: string;
  readonly start: string;
  readonly solution: string;
  /** Tests over `./lesson.moe`; a first line `// build: Name` asks that this model can be built. */
  readonly task: string;
}

export interface Verdict {
  readonly done: boolean;
  /** What is still wrong, the most important first. */
  readonly problems: readonly string[];
}

const LESSON = "/lesson.moe";
const TASK = "/task.moe";

/** Judges what the reader wrote. */
export function judge(lesson: Lesson, written: string, host: SourceHost): Verdict {
  const files = new Map([
    [LESSON, written],
    [TASK, lesson.task],
  ]);
  const source: SourceHost = {
    read: (file) => files.get(file) ?? host.read(file),
    resolve: (from, specifier) => host.resolve(from, specifier),
  };
  const own = check(LESSON, source);
  const broken = errorsOf(own.diagnostics);
  if (broken.length > 0) return { done: false, problems: broken };
  const task = check(TASK, source);
  const asked = errorsOf(task.diagnostics);
  if (asked.length > 0) return { done: false, problems: asked };
  const problems = runTests(task, TASK).flatMap(({ name, passed, failures, diagnostics }) =>
    passed ? [] : [`${name}: ${[...failures, ...diagnostics][0]?.message ?? "does not hold"}`],
  );
  const model = /^\/\/ build: (\w+)/.exec(lesson.task)?.[1];
  if (model !== undefined) {
    try {
      buildProgram(own, { model });
    } catch (error) {
      problems.push(refusal(error));
    }
  }
  return { done: problems.length === 0, problems };
}

function errorsOf(
  diagnostics: readonly { readonly severity: string; readonly code: string; readonly message: string }[],
): readonly string[] {
  return diagnostics.filter(({ severity }) => severity === "error").map(({ code, message }) => `${code}: ${message}`);
}

/** The title: the first heading of the text. */
export function titleOf(lesson: Lesson): string {
  return /^# (.*)$/m.exec(lesson.text)?.[1] ?? lesson.id;
}
