/** Statements of kernel IR as LLVM IR. */
import type { Statement } from "../../4-schedule/kernel-ir.js";
import { emitExpression } from "./expressions.js";
import { emitFragment } from "./fragments.js";
import type { LlvmFunction } from "./function.js";
import { elementPointer, emitPrefetch, emitStore } from "./memory.js";

export function emitStatements(f: LlvmFunction, statements: readonly Statement[]): void {
  for (const statement of statements) emitStatement(f, statement);
}

function emitStatement(f: LlvmFunction, statement: Statement): void {
  switch (statement.kind) {
    case "let":
    case "var":
    case "assign":
      return f.bind(statement.name, emitExpression(f, statement.value));
    case "store":
      return emitStore(f, statement, emitExpression);
    case "for": {
      const [from, to] = [emitExpression(f, statement.from), emitExpression(f, statement.to)];
      return f.loop(from, to, statement.step, statement.body, (index) => {
        f.bind(statement.name, index);
        emitStatements(f, statement.body);
      });
    }
    case "if":
      return f.branch(emitExpression(f, statement.condition), statement.then, statement.else, emitStatements);
    case "barrier":
      // A block has one thread, which never waits.
      return;
    case "prefetch":
      return emitPrefetch(f, statement, emitExpression);
    case "block-fold":
      return f.bind(statement.name, emitExpression(f, statement.value));
    case "atomic-add": {
      const pointer = elementPointer(f, statement.buffer, "i32", statement.index, emitExpression);
      const value = emitExpression(f, statement.value);
      const old = f.value("i32", `atomicrmw add i32* ${pointer}, i32 ${value.text} monotonic`, "old");
      if (statement.result !== undefined) f.bind(statement.result, old);
      return;
    }
    default:
      return emitFragment(f, statement, emitExpression);
  }
}
