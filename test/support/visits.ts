/** Counts the blocks that kernels of attention visit, by a counter written into a copy of the kernels. */
import { visitMark } from "../../compiler/4-schedule/lower/attention-blocks.js";
import type { Kernel, Statement } from "../../compiler/4-schedule/kernel-ir.js";
import { i32 } from "../../compiler/4-schedule/kernel-types.js";
import type { Schedule } from "../../compiler/4-schedule/index.js";
import type { PlanStep } from "../../compiler/4-schedule/plan.js";

/** Buffer of the plan (io, one i32) that counts. */
export const visitCounter = "visits";

function counted(statements: readonly Statement[]): readonly Statement[] {
  return statements.flatMap((statement): readonly Statement[] => {
    if (statement.kind === "for") return [{ ...statement, body: counted(statement.body) }];
    if (statement.kind === "if") {
      return [{ ...statement, then: counted(statement.then), else: counted(statement.else) }];
    }
    const isVisit = statement.kind === "let" && new RegExp(`^${visitMark}(_\\d+)?$`).test(statement.name);
    if (!isVisit) return [statement];
    const zero = { kind: "constant", value: 0, type: i32 } as const;
    const one = { ...zero, value: 1 };
    return [statement, { kind: "atomic-add", buffer: visitCounter, index: zero, value: one }];
  });
}

/** The schedule with a counter of visited blocks. */
export function countVisits({ kernels, plan }: Schedule): Schedule {
  const marked = new Set<string>();
  const withCounter = kernels.map((kernel): Kernel => {
    const body = counted(kernel.body);
    if (JSON.stringify(body) === JSON.stringify(kernel.body)) return kernel;
    marked.add(kernel.name);
    return {
      ...kernel,
      body,
      buffers: [...kernel.buffers, { name: visitCounter, element: "i32", access: "readwrite" }],
    };
  });
  const counterOf = (steps: readonly PlanStep[]): readonly PlanStep[] =>
    steps.map((step): PlanStep => {
      if (step.kind === "loop") return { ...step, steps: counterOf(step.steps) };
      if (!marked.has(step.kernel)) return step;
      return { ...step, buffers: [...step.buffers, { buffer: visitCounter, offset: "0", strides: {} }] };
    });
  const offset = plan.spaces.io;
  return {
    kernels: withCounter,
    plan: {
      ...plan,
      spaces: { ...plan.spaces, io: offset + 64 },
      buffers: [...plan.buffers, { id: visitCounter, space: "io", offset, bytes: 64 }],
      entries: plan.entries.map((entry) => ({ ...entry, steps: counterOf(entry.steps) })),
    },
  };
}
