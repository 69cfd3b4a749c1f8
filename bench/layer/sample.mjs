/** Times of repeated calls: as many as fit into a second and a half, so that slow engines do not hold a benchmark up. */
import { performance } from "node:perf_hooks";
import { median } from "../engines.mjs";

/** Calls at least and at most, and the milliseconds behind which no further one is begun. */
export const CALLS = { least: 3, most: 15, milliseconds: 1500 };

/**
 * Tokens of a call that every engine makes first, uncounted: of 64 experts with 8 chosen each has some, so
 * that all weights were read and their pages are there. Else who filled its memory last would be the fastest.
 */
export const WARM_TOKENS = 512;

/**
 * Median and minimum in milliseconds. `prepare(run)` makes the inputs of a call and gives the call; the first one is not
 * counted. `between` runs behind each counted call with its milliseconds, and what it leaves in the caches is no engine's
 * to bear: a call that is not counted follows it, so that every counted call comes behind a call.
 */
export async function sample(prepare, between) {
  const { least, most, milliseconds: enough } = CALLS;
  const times = [];
  for (let run = 0, spent = 0; run <= least || (run <= most && spent < enough); run++) {
    const call = prepare(run);
    const from = performance.now();
    await call();
    const milliseconds = performance.now() - from;
    if (run === 0) continue;
    spent += milliseconds;
    times.push(milliseconds);
    await between?.(milliseconds);
    if (between) await prepare(run)();
  }
  return { median: median(times), min: Math.min(...times) };
}
