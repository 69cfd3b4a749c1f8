/**
 * Least and most of the numbers that people give: whoever reads them (options, project files, requests, the runtime)
 * takes the same, and refuses others before any work.
 */
import { moecError } from "../../compiler/errors/raise.js";

type Ranges = Readonly<Record<string, readonly [number, number]>>;

/** What sampling takes. */
export const SAMPLING_RANGES = {
  temperature: [0, 100],
  topP: [0, 1],
  minP: [0, 1],
  repetitionPenalty: [0.01, 100],
} as const satisfies Ranges;

/** What takes whole numbers. */
export const WHOLE_RANGES = {
  topK: [0, 1_000_000],
  maxTokens: [0, 1_000_000],
  repetitionWindow: [0, 1_000_000],
  seed: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  threads: [1, 256],
  texts: [1, 256],
} as const satisfies Ranges;

/** @throws MoecError MOE5323 when `value` is outside. */
export function inRange(name: string, value: number, from: number, to: number, whole = false): number {
  if (Number.isFinite(value) && value >= from && value <= to && (!whole || Number.isInteger(value))) return value;
  throw moecError("MOE5323", {
    name,
    value: String(value),
    expected: `${whole ? "a whole number" : "a number"} from ${from} to ${to}`,
  });
}
