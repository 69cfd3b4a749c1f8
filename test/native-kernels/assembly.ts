/** Looks at the code that LLVM made: blocks of a function that are loops of their own and hold a certain instruction. */

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

/** Blocks of the assembly that jump to themselves, each up to the end of its function. */
export const loopsIn = (assembly: string, architecture: Architecture): readonly string[] =>
  assembly
    .split(/\n(?=\.LBB)/)
    .map((block) => block.split("\n.Lfunc_end", 1)[0]!)
    .filter((block) => {
      const label = /^(\.LBB\w+):/.exec(block)?.[1];
      return (
        label !== undefined &&
        new RegExp(`\\t${notations[architecture].jump}\\s+${label.replace(".", "\\.")}\\b`).test(block)
      );
    });

/** The innermost loops of a function that have `instruction` in them: blocks that jump to themselves. */
export function hotLoops(
  assembly: string,
  name: string,
  instruction: string,
  architecture: Architecture = "x86-64",
): readonly Loop[] {
  const start = assembly.indexOf(`\n${name}:`);
  if (start < 0) throw new Error(`the assembly has no function ${name}`);
  const body = assembly.slice(start, assembly.indexOf("\n.Lfunc_end", start));
  const found = loopsIn(body, architecture)
    .filter((block) => block.includes(`\t${instruction}`))
    .map((block) => loopOf(block, architecture));
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
