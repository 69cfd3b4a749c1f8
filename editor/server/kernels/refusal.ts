/** Why a stage refused, as lines of code and message; anything else is a mistake of ours and is thrown. */
import { ProgramRefused } from "../../../compiler/2-graph/index.js";
import { MoecError } from "../../../compiler/errors/moec-error.js";

export function refusal(error: unknown): string {
  if (error instanceof ProgramRefused) {
    return error.diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n");
  }
  if (error instanceof MoecError) return `${error.code}: ${error.message}`;
  throw error;
}

/** A text to show, or why there is none. */
export interface Shown {
  readonly ok: boolean;
  readonly text: string;
}
