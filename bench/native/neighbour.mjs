/**
 * A process that keeps one core busy for as long as the one that forked it lives. It works in slices, because only
 * between two of them it hears that the channel to its parent is closed, however that ended.
 */
import { setImmediate } from "node:timers";

/** Milliseconds of a slice. */
const SLICE = 50;

process.on("disconnect", () => process.exit(0));
// The parent may have gone before this process heard of it.
process.send?.("ready", (error) => {
  if (error) process.exit(0);
});
(function work() {
  const end = performance.now() + SLICE;
  while (performance.now() < end);
  setImmediate(work);
})();
