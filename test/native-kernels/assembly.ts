/** Looks at the code that LLVM made: the innermost loops of a function that hold a certain instruction. */

export interface Loop {
  readonly text: string;
  /** How often an instruction occurs with such an operand. */
  count(instruction: string, operand: string): number;
  /** Instructions that move a vector register to or from the stack. */
  readonly spills: readonly string[];
  readonly calls: readonly string[];
  /** Instructions that only copy an integer register of x86-64. */
  readonly copies: readonly string[];
}

/** How assemblers write what is looked for. */
const notations = {
  "x86-64": { jump: "j\\w+", vector: /%[xyz]mm/, stack: /\(%rsp/, call: /^\tcall/ },
  aarch64: {
    jump: "(?:b(?:\\.\\w+)?|cbn?z\\s+\\w+,|tbn?z\\s+\\w+, #\\d+,)",
    vector: /\t[qdv]\d/,
    stack: /\[sp/,
    call: /^\tblr?\t/,
  },
} as const;

type Architecture = keyof typeof notations;

/** Loops of the assembly, each from its label to the last jump back to it. */
export function loopsIn(assembly: string, architecture: Architecture): readonly string[] {
  const lines = assembly.split("\n");
  const labels = new Map<string, number>();
  const ends = new Map<string, number>();
  const jump = new RegExp(`^\\t${notations[architecture].jump}\\s+(\\.LBB\\w+)`);
  for (const [number, line] of lines.entries()) {
    const label = /^(\.LBB\w+):/.exec(line)?.[1];
    if (label !== undefined) labels.set(label, number);
    const target = jump.exec(line)?.[1];
    if (target !== undefined && labels.has(target)) ends.set(target, number);
  }
  return [...ends].map(([label, end]) => lines.slice(labels.get(label), end + 1).join("\n"));
}

/** The innermost loops of a function that have `instruction` in them; they may hold loops that lack it. */
export function hotLoops(
  assembly: string,
  name: string,
  instruction: string,
  architecture: Architecture = "x86-64",
): readonly Loop[] {
  const start = assembly.indexOf(`\n${name}:`);
  if (start < 0) throw new Error(`the assembly has no function ${name}`);
  const body = assembly.slice(start, assembly.indexOf("\n.Lfunc_end", start));
  const hot = loopsIn(body, architecture).filter((loop) => loop.includes(`\t${instruction}`));
  const found = hot
    .filter((loop) => !hot.some((other) => other !== loop && loop.includes(other)))
    .map((loop) => loopOf(loop, architecture));
  if (found.length === 0) throw new Error(`no inner loop of ${name} has ${instruction}`);
  return found;
}

function loopOf(text: string, architecture: Architecture): Loop {
  const { vector, stack, call } = notations[architecture];
  const lines = text.split("\n").filter((line) => /^\t[a-z]/.test(line));
  return {
    text,
    count: (instruction, operand) =>
      lines.filter((line) => line.startsWith(`\t${instruction}\t`) && line.includes(operand)).length,
    spills: lines.filter((line) => vector.test(line) && stack.test(line)),
    calls: lines.filter((line) => call.test(line)),
    copies: lines.filter((line) => /^\tmov[lq]\t%\w+, %\w+$/.test(line)),
  };
}
