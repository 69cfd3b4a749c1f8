/** Runs the passes over a program. */
import { printProgram, verify } from "../2-graph/index.js";
import type { Program } from "../2-graph/ir.js";
import { moecError } from "../errors/raise.js";
import type { Pass } from "./pass.js";
import { passes } from "./passes.js";

export interface OptimizeOptions {
  /** Names of the passes to run, in the order of the table; all that are not off by default when absent. */
  readonly passes?: readonly string[];
  /** Names of passes to run although they are off by default, such as `rounded-algebra`. */
  readonly also?: readonly string[];
  /** Called after each pass with what it made. */
  readonly observe?: (pass: Pass, program: Program) => void;
  /** Check the program after each pass; a pass that breaks it is named in the error. For tests and `--verify`. */
  readonly verify?: boolean;
}

/**
 * The program after all passes: other graphs, same results.
 *
 * @throws MoecError MOE3101 for a pass name that is not in the table, MOE3102 when `verify` finds a broken graph.
 */
export function optimize(program: Program, options: OptimizeOptions = {}): Program {
  const chosen = choose(options);
  let current = program;
  for (const pass of chosen) {
    current = pass.run(current);
    if (options.verify === true) check(pass, current);
    options.observe?.(pass, current);
  }
  return current;
}

function choose({ passes: names, also = [] }: OptimizeOptions): readonly Pass[] {
  for (const name of [...(names ?? []), ...also]) {
    if (!passes.some((pass) => pass.name === name)) {
      throw moecError("MOE3101", { name, known: passes.map((pass) => pass.name).join(", ") });
    }
  }
  return passes.filter((pass) =>
    names ? names.includes(pass.name) || also.includes(pass.name) : pass.off === undefined || also.includes(pass.name),
  );
}

function check(pass: Pass, program: Program): void {
  const [problem] = verify(program);
  if (!problem) return;
  const text = `${problem.where}: ${problem.code} ${JSON.stringify(problem.slots)}`;
  throw moecError("MOE3102", { pass: pass.name, program: program.name, problem: text });
}

/** The text of the graph before the first pass (under the name `build`) and after each pass. */
export function dumpPasses(
  program: Program,
  options: OptimizeOptions = {},
): readonly { readonly pass: string; readonly text: string }[] {
  const dumps = [{ pass: "build", text: printProgram(program) }];
  optimize(program, {
    ...options,
    observe: (pass, after) => {
      dumps.push({ pass: pass.name, text: printProgram(after) });
      options.observe?.(pass, after);
    },
  });
  return dumps;
}
