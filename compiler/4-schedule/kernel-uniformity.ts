/**
 * Which values are the same in all threads of a block. A barrier under a condition that differs between threads hangs a
 * GPU, so every `if` and `for` around a barrier must depend on uniform values only.
 */
import type { Expression, Kernel, Statement } from "./kernel-ir.js";
import { operandsOf } from "./kernel-types.js";

class Uniformity {
  /** Registers that may differ between threads. */
  readonly divergent = new Set<string>();
  private readonly readOnly: ReadonlySet<string>;
  private changed = true;

  constructor(kernel: Kernel) {
    this.readOnly = new Set(kernel.buffers.filter(({ access }) => access === "read").map(({ name }) => name));
    // Divergence only grows, through assignments in loops, so this ends.
    while (this.changed) {
      this.changed = false;
      this.statements(kernel.body, false);
    }
  }

  differs(expression: Expression): boolean {
    if (expression.kind === "thread") return true;
    if (expression.kind === "get") return this.divergent.has(expression.name);
    // Other memory may change between the reads of two threads.
    if (expression.kind === "load" && !this.readOnly.has(expression.buffer)) return true;
    return operandsOf(expression).some((operand) => this.differs(operand));
  }

  private mark(name: string, differs: boolean): void {
    if (!differs || this.divergent.has(name)) return;
    this.divergent.add(name);
    this.changed = true;
  }

  private statements(statements: readonly Statement[], inside: boolean): void {
    for (const statement of statements) {
      switch (statement.kind) {
        case "let":
        case "var":
          this.mark(statement.name, this.differs(statement.value));
          break;
        case "assign":
          this.mark(statement.name, inside || this.differs(statement.value));
          break;
        case "for": {
          const differs = this.differs(statement.from) || this.differs(statement.to);
          this.mark(statement.name, differs);
          this.statements(statement.body, inside || differs);
          break;
        }
        case "if": {
          const differs = this.differs(statement.condition);
          this.statements(statement.then, inside || differs);
          this.statements(statement.else, inside || differs);
          break;
        }
        case "block-fold":
          this.mark(statement.name, statement.op !== "first");
          break;
        case "atomic-add":
          if (statement.result !== undefined) this.mark(statement.result, true);
          break;
        case "store":
        case "barrier":
          break;
        default:
          statement satisfies never;
      }
    }
  }

  /** Barriers inside of flow that differs between threads. */
  problems(statements: readonly Statement[], inside: boolean): string[] {
    return statements.flatMap((statement) => {
      switch (statement.kind) {
        case "barrier":
        case "block-fold":
          return inside ? ["a barrier stands in flow that differs between threads"] : [];
        case "for":
          return this.problems(statement.body, inside || this.differs(statement.from) || this.differs(statement.to));
        case "if": {
          const differs = inside || this.differs(statement.condition);
          return [...this.problems(statement.then, differs), ...this.problems(statement.else, differs)];
        }
        default:
          return [];
      }
    });
  }
}

/** What is wrong with the barriers of a kernel. One thread is always alone and never diverges. */
export function barrierProblems(kernel: Kernel): readonly string[] {
  return kernel.threads === 1 ? [] : new Uniformity(kernel).problems(kernel.body, false);
}
