/** Where the states of several texts lie: one behind the other, wherever a device has its states. */
import type { Plan } from "../../compiler/4-schedule/plan.js";

/** States of different texts share no line of a processor's cache. */
const TEXT_ALIGNMENT = 256;

/** Bytes from the states of one text to those of the next. */
export function textStride({ spaces }: Plan): number {
  return Math.ceil(spaces.state / TEXT_ALIGNMENT) * TEXT_ALIGNMENT;
}
