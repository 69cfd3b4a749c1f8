/** Coded run-time errors with the sentence from the Markdown file of their code. */
import { fillSlots } from "./construct.js";
import { messages, type ErrorCode, type MessageSlots } from "./errors.generated.js";
import { MoecError, type MoecErrorPlace } from "./moec-error.js";

/**
 * The error to throw for `code`, with the slots of its message filled in.
 *
 * @example throw moecError("MOE5108", { name: "blk.0.w", type: "Q2_K" }, { file });
 */
export function moecError<C extends ErrorCode>(
  code: C,
  slots: MessageSlots[C],
  place?: MoecErrorPlace,
  help?: string,
): MoecError {
  return new MoecError(code, fillSlots(messages[code].message, slots), place, help);
}
