/** Rates of work by processor time, and their upper decile. */
import { processor } from "../thread-time.mjs";

/** Units of work per microsecond over a slice of at least so many microseconds. */
export function rate(work, run, slice = 8000) {
  const start = processor();
  let count = 0;
  do {
    run();
    count++;
  } while (processor() - start < slice);
  return (work * count) / (processor() - start);
}

/** Nine of ten are at most so high. */
export const decile = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.9)];
