/**
 * Coded refusals of the schedule: what a program asks for and a target or this compiler version cannot do is said before
 * anything runs.
 */
import type { SourceSpan } from "../errors/diagnostic.js";
import { moecError } from "../errors/raise.js";
import type { MessageSlots } from "../errors/errors.generated.js";

export type RefusalCode =
  "MOE3301" | "MOE3302" | "MOE3303" | "MOE3304" | "MOE3305" | "MOE3350" | "MOE3351" | "MOE3352" | "MOE3370" | "MOE3371";

/**
 * Throws the coded error; the place is the source of the node when it is known.
 *
 * @param help What the user can do about it, where that is known here.
 */
export function refuse<C extends RefusalCode>(
  code: C,
  slots: MessageSlots[C],
  span?: SourceSpan,
  help?: string,
): never {
  throw moecError(code, slots, span && { file: span.file, offset: span.start }, help);
}
