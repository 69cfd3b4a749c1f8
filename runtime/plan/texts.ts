/** Where the states of several texts lie: one behind the other, wherever a device has its states. */
import type { Plan, PlanEntry, PlanStep } from "../../compiler/4-schedule/plan.js";

/** States of different texts share no line of a processor's cache. */
const TEXT_ALIGNMENT = 256;

/** Bytes from the states of one text to those of the next. */
export function textStride({ spaces }: Plan): number {
  return Math.ceil(spaces.state / TEXT_ALIGNMENT) * TEXT_ALIGNMENT;
}

/** In a call for several texts: the size that says how many positions the text at a row had before. */
export function pastOf(row: number): string {
  return `past.${row}`;
}

/** In a call for several texts: the size that says which text a row is. */
export function textOf(row: number): string {
  return `text.${row}`;
}

/** How many texts a call of the entry goes on with at most; 0 for entries of one text. */
export function textRows(entry: PlanEntry): number {
  const most = (steps: readonly PlanStep[]): number =>
    Math.max(0, ...steps.map((step) => (step.kind === "launch" ? 0 : step.texts ? step.count : most(step.steps))));
  return most(entry.steps);
}
