/** The bodies of `test` declarations. */
import type { TestDecl } from "../../grammar/tree.js";
import { withAssumptions } from "./check-module.js";
import { at, type Place } from "./context.js";
import { describe } from "./describe.js";
import { runStatements } from "./elaborate/statements.js";
import { evaluate } from "./elaborate/evaluate.js";
import { report } from "./elaborate/tensors.js";
import type { InfoSink } from "./info.js";
import type { LoadedFile } from "./project.js";
import type { Finding } from "./reporter.js";
import { Scope } from "./scope.js";
import type { Walk } from "./context.js";
import type { Value } from "./values.js";

/** Where the statements of a test are evaluated: modules made there are called after their variable. */
export function testPlace(file: Pick<LoadedFile, "file" | "scope">): Place {
  return { scope: new Scope(file.scope), file: file.file, path: "", repetitions: [], batch: [] };
}

export function checkTest(file: LoadedFile, test: TestDecl, info: InfoSink | undefined): readonly Finding[] {
  const root = { file: file.file, start: test.span.start, end: test.span.end };
  const walk = withAssumptions(root, false, info, (current) => {
    const place = testPlace(file);
    current.onAssert = (statement, where) => {
      assertedValue(current, evaluate(current, statement.value, where), at(where, statement.value));
    };
    runStatements(current, test.body.statements, place);
    if (test.body.result) evaluate(current, test.body.result, place);
  });
  return walk.reporter.findings;
}

/** What is asserted is true or false; anything else is said. */
export function assertedValue(walk: Walk, value: Value, span: ReturnType<typeof at>): Value | undefined {
  if (value.kind === "unknown") return undefined;
  if (value.kind === "boolean") return value;
  if (value.kind === "tensor" && value.value.type.kind === "tensor" && value.value.type.dtype === "bool") return value;
  report(walk, "MOE2082", { found: describe(walk, value) }, span);
  return undefined;
}
