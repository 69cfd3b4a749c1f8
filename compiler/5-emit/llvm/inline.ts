/** The body of a small function of the kernel library in the place of a call. */
import type { FunctionBody } from "../../4-schedule/kernel-functions.js";
import { emitExpression } from "./expressions.js";
import type { LlvmFunction, Value } from "./function.js";
import { emitStatements } from "./statements.js";

/** Its registers are bound anew each time, so the names of two calls do not meet. */
export function inline(f: LlvmFunction, { parameter, body, result }: FunctionBody, argument: Value): Value {
  return f.scoped(() => {
    f.bind(parameter, argument);
    emitStatements(f, body);
    return emitExpression(f, result);
  });
}
