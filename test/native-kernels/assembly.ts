/** Looks at the code that LLVM made: blocks of a function that are loops of their own and hold a certain instruction. */

export interface Loop {
  readonly text: string;
  /** How often an instruction occurs, on registers of this kind. */
  count(instruction: string, register: string): number;
  /** Instructions that move a vector register to or from the stack. */
  readonly spills: readonly string[];
  readonly calls: readonly string[];
}

/** The innermost loops of a function that have `instruction` in them: blocks that jump to themselves. */
export function hotLoops(assembly: string, name: string, instruction: string): readonly Loop[] {
  const start = assembly.indexOf(`\n${name}:`);
  if (start < 0) throw new Error(`the assembly has no function ${name}`);
  const body = assembly.slice(start, assembly.indexOf(".Lfunc_end", start));
  const blocks = body.split(/\n(?=\.LBB)/);
  const loops = blocks.filter((block) => {
    const label = /^(\.LBB\w+):/.exec(block)?.[1];
    return label !== undefined && new RegExp(`\\tj\\w+\\s+${label.replace(".", "\\.")}\\b`).test(block);
  });
  const found = loops.filter((block) => block.includes(`\t${instruction}`)).map(loopOf);
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
