/** How long fuzzers run: a few seconds each, or as many runs as `MOEC_FUZZ_RUNS` says, for hours on demand. */

const asked = process.env["MOEC_FUZZ_RUNS"];

/** The number of runs where `usual` is right for every day. */
export const runs = (usual: number): number => (asked === undefined ? usual : Number(asked));

/** Milliseconds for that many runs of at most `each` milliseconds. */
export const timeout = (usual: number, each: number): number => 60_000 + runs(usual) * each;

/** `MOEC_FUZZ_SEED` repeats a run; else the day's work is the same everywhere. */
export const seed = Number(process.env["MOEC_FUZZ_SEED"] ?? 20_261_122);
