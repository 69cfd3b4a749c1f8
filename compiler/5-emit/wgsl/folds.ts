/** What the threads of a workgroup bring, folded: functions and memory for the printed kernel. */
import type { FoldOp, Kernel } from "../../4-schedule/kernel-ir.js";
import { foldParts, foldsOf } from "../lanes/block.js";

/** Two values folded. NaN wins where numbers are compared, which the functions of f32 see to. */
export const joined: Readonly<Record<Exclude<FoldOp, "first">, (type: string, a: string, b: string) => string>> = {
  add: (_, a, b) => `${a} + ${b}`,
  min: (type, a, b) => (type === "f32" ? `moec_min(${a}, ${b})` : `min(${a}, ${b})`),
  max: (type, a, b) => (type === "f32" ? `moec_max(${a}, ${b})` : `max(${a}, ${b})`),
};

/** The value of thread 0, which steers control flow around barriers. */
export function firstFold(type: "f32" | "i32"): readonly string[] {
  const first = `moec_first_${type}`;
  return [
    `var<workgroup> ${first}: ${type};`,
    `fn moec_fold_first_${type}(value: ${type}, thread: i32) -> ${type} {`,
    `  if (thread == 0) { ${first} = value; }`,
    `  return workgroupUniformLoad(&${first});`,
    "}",
  ];
}

/**
 * A fold in two steps: some threads fold a part each, then all threads the parts. A next fold writes a part only after
 * its first barrier, when all threads have read those of this one.
 */
export function foldFunctions(kernel: Kernel): readonly string[] {
  const { threads } = kernel;
  const parts = foldParts(threads);
  const each = threads / parts;
  return [...foldsOf(kernel)].flatMap(([type, ops]) => {
    const lines: string[] = [];
    const names = { all: `moec_folded_${type}`, parts: `moec_parts_${type}` };
    const folds = [...ops].filter((op) => op !== "first");
    if (folds.length > 0) {
      lines.push(`var<workgroup> ${names.all}: array<${type}, ${threads}>;`);
      lines.push(`var<workgroup> ${names.parts}: array<${type}, ${parts}>;`);
    }
    if (ops.has("first")) lines.push(...firstFold(type));
    for (const op of folds) {
      const join = (a: string, b: string): string => joined[op](type, a, b);
      lines.push(
        `fn moec_fold_${op}_${type}(value: ${type}, thread: i32) -> ${type} {`,
        `  ${names.all}[thread] = value;`,
        "  workgroupBarrier();",
        `  if (thread < ${parts}) {`,
        `    var part = ${names.all}[thread * ${each}];`,
        `    for (var i = 1; i < ${each}; i++) { part = ${join("part", `${names.all}[thread * ${each} + i]`)}; }`,
        `    ${names.parts}[thread] = part;`,
        "  }",
        "  workgroupBarrier();",
        `  var whole = ${names.parts}[0];`,
        `  for (var i = 1; i < ${parts}; i++) { whole = ${join("whole", `${names.parts}[i]`)}; }`,
        "  return whole;",
        "}",
      );
    }
    return lines;
  });
}
