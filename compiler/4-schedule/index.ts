/** The schedule: graph IR in, kernels and a plan out. */
export { schedule } from "./schedule.js";
export type { Schedule, ScheduleLimits, ScheduleOptions } from "./options.js";
