/** What this processor can do, by the names that Linux gives to its features. */
import { readFileSync } from "node:fs";

let known: ReadonlySet<string> | undefined;

/** Features of the processor; empty where the system does not say. */
export function processorFeatures(): ReadonlySet<string> {
  return (known ??= readFeatures());
}

function readFeatures(): ReadonlySet<string> {
  try {
    // All processors of a machine are taken as alike: the first one's line decides.
    const line = /^flags\s*:\s*(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    return new Set(line.split(/\s+/));
  } catch {
    return new Set();
  }
}

/** Of the needed features those that this processor lacks. */
export function missingFeatures(needs: readonly string[], features = processorFeatures()): readonly string[] {
  return needs.filter((name) => !features.has(name));
}
