/** Looks at the code that LLVM made: blocks of a function that are loops of their own and hold a certain instruction. */

export interface Loop {
  readonly text: string;
  /** How often an instruction occurs, on registers of this kind. */
  count(instruction: string, register: string): number;
  /** Instructions that move a vector register to or from the stack. */
  readonly spills: readonly string[];
  readonly calls: readonly string[];
}

/**
 * Blocks of the assembly that jump to themselves, each up to the end of its function.
 *
 * @param jump Pattern of the instructions that jump to a label.
 */
export const loopsIn = (assembly: string, jump: string): readonly string[] =>
  assembly
    .split(/\n(?=\.LBB)/)
    .map((block) => block.split("\n.Lfunc_end", 1)[0]!)
    .filter((block) => {
      const label = /^(\.LBB\w+):/.exec(block)?.[1];
      return label !== undefined && new RegExp(`\\t${jump}\\s+${label.replace(".", "\\.")}\\b`).test(block);
    });

/** The innermost loops of a function that have `instruction` in them: blocks that jump to themselves. */
export function hotLoops(assembly: string, name: string, instruction: string): readonly Loop[] {
  const start = assembly.indexOf(`\n${name}:`);
  if (start < 0) throw new Error(`the assembly has no function ${name}`);
  const body = assembly.slice(start, assembly.indexOf("\n.Lfunc_end", start));
  const found = loopsIn(body, "j\\w+")
    .filter((block) => block.includes(`\t${instruction}`))
    .map(loopOf);
  if (found.length === 0) throw new Error(`no inner loop of ${name} has ${instruction}`);
  return found;
}

function loopOf(text: string): Loop {
  const lines = text.split("\n").filter((line) => /^\t[a-z]/.test(line));
  return {
    text,
    count: (instruction, register) =>
      lines.filter((line) => line.startsWith(`\t${instruction}\t`) && line.includes(`%${register}`)).length,
    spills: lines.filter((line) => /%[xyz]mm/.test(line) && /\(%rsp/.test(line)),
    calls: lines.filter((line) => line.startsWith("\tcall")),
  };
}
