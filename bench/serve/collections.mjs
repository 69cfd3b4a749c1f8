/** Loaded into a server before it starts: collects all garbage when its parent asks, and tells what is left. */
import process from "node:process";

process.on("message", () => {
  // What a finalizer gives up in the first is taken by the second.
  for (let turn = 0; turn < 2; turn++) globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapUsed, external, rss });
});
// The channel is no reason to go on living.
process.channel?.unref();
