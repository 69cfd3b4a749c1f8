/** Least and most of the numbers that sampling takes; whoever reads them from people says the same. */
export const SAMPLING_RANGES = {
  temperature: [0, 100],
  topP: [0, 1],
  minP: [0, 1],
  repetitionPenalty: [0.01, 100],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;
