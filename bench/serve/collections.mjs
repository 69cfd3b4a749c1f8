/** Loaded into a server before it starts: tells its parent what lives in the heap after each full collection. */
import { constants, PerformanceObserver } from "node:perf_hooks";
import process from "node:process";

new PerformanceObserver((list) => {
  const isFull = list.getEntries().some(({ detail }) => detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR);
  if (!isFull) return;
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  process.send?.({ at: process.uptime(), heapUsed, external, arrayBuffers, rss });
}).observe({ entryTypes: ["gc"] });
