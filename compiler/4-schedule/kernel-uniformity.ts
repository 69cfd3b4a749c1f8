/**
 * Which values are the same in all threads of a block, or in all threads that hold a fragment together. A barrier under a
 * condition that differs between threads hangs a GPU, so every `if` and `for` around a barrier must depend on uniform
 * values only; fragments want the same of their smaller groups.
 */
import { fragmentOperands, fragmentThreads, holdsFragments, isFragmentStatement } from "./kernel-fragments.js";
import type { Expression, FragmentStatement, Kernel, Statement } from "./kernel-ir.js";
import { operandsOf } from "./kernel-types.js";

/** Threads that are compared: all of a block, or the neighbours that hold fragments together. */
type Together = "block" | "group";

class Uniformity {
  /** Registers that may differ between threads. */
  readonly divergent = new Set<string>();
  private readonly readOnly: ReadonlySet<string>;
  private changed = true;

  constructor(
    private readonly kernel: Kernel,
    private readonly together: Together,
  ) {
    this.readOnly = new Set(kernel.buffers.filter(({ access }) => access === "read").map(({ name }) => name));
    // Divergence only grows, through assignments in loops, so this ends.
    while (this.changed) {
      this.changed = false;
      this.statements(kernel.body, false);
    }
  }

  differs(expression: Expression): boolean {
    if (expression.kind === "thread") return true;
    if (this.together === "group" && isGroupNumber(expression)) return false;
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
          this.mark(statement.name, statement.op !== "first" || statement.across !== undefined);
          break;
        case "atomic-add":
          if (statement.result !== undefined) this.mark(statement.result, true);
          break;
        case "store":
        case "barrier":
        case "prefetch":
          break;
        default:
          statement satisfies FragmentStatement;
      }
    }
  }

  /** What stands in flow that differs between threads, and fragments whose indices do. */
  problems(statements: readonly Statement[] = this.kernel.body, inside = false): string[] {
    return statements.flatMap((statement) => {
      switch (statement.kind) {
        case "barrier":
        case "block-fold":
          if (this.together === "group") return [];
          return inside ? ["a barrier stands in flow that differs between threads"] : [];
        case "for":
          return this.problems(statement.body, inside || this.differs(statement.from) || this.differs(statement.to));
        case "if": {
          const differs = inside || this.differs(statement.condition);
          return [...this.problems(statement.then, differs), ...this.problems(statement.else, differs)];
        }
        default:
          if (this.together === "block" || !isFragmentStatement(statement)) return [];
          if (inside) return ["a fragment stands in flow that differs between the threads that hold it"];
          return fragmentOperands(statement).some((index) => this.differs(index))
            ? ["the index of a fragment differs between the threads that hold it"]
            : [];
      }
    });
  }
}

/** thread / 32, thread / 64 and so on: the same for neighbours that hold a fragment together. */
function isGroupNumber(expression: Expression): boolean {
  if (expression.kind !== "binary" || expression.op !== "div" || expression.left.kind !== "thread") return false;
  return expression.right.kind === "constant" && expression.right.value % fragmentThreads === 0;
}

/** What is wrong with the flow of a kernel. One thread is always alone and never diverges. */
export function flowProblems(kernel: Kernel): readonly string[] {
  if (kernel.threads === 1) return [];
  const block = new Uniformity(kernel, "block").problems();
  return holdsFragments(kernel.body) ? [...block, ...new Uniformity(kernel, "group").problems()] : block;
}
