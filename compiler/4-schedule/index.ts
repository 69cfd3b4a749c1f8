/** The schedule: graph IR in, kernels and a plan out. */
export { schedule } from "./schedule.js";
export { CACHES, type CacheStorage, type Schedule, type ScheduleLimits, type ScheduleOptions } from "./options.js";
