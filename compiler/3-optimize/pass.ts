/** What a pass is: one step from a program to a better one that gives the same results. */
import type { Program } from "../2-graph/ir.js";

/** Another pass that this one must run before or after, and why; checked when the table is loaded. */
export interface PassOrder {
  readonly pass: string;
  readonly reason: string;
}

export interface Pass {
  /** Kebab case; what `--ir=<pass>` names. */
  readonly name: string;
  /** What it does, for `docs/reference/passes.md`: one paragraph of Markdown. */
  readonly doc: string;
  readonly after?: readonly PassOrder[];
  readonly before?: readonly PassOrder[];
  /** Left out unless asked for, with the reason; such as a change of rounding. */
  readonly off?: string;
  /** The same object when there was nothing to do. */
  run(program: Program): Program;
}
