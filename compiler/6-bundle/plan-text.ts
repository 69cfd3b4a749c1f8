/** `plan.json`. */
import type { Plan } from "../4-schedule/plan.js";

/** JSON has no infinities; they are written as text and the runtime reads them back. */
export function planText(plan: Plan): string {
  const finite = (_: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return JSON.stringify(plan, finite);
}
