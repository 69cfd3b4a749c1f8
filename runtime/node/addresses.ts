/** How much of its address space a process may still take. */
import { readFileSync } from "node:fs";

/**
 * Bytes that are left under the limit of `ulimit -v`; Infinity without one, or where the system doesn't say. V8 ends the
 * process when it gets no addresses for the heap of a thread, so who starts one asks before.
 */
export function addressesLeft(read: (path: string) => string = (path) => readFileSync(path, "utf8")): number {
  try {
    const limit = /^Max address space\s+(\d+)\s/m.exec(read("/proc/self/limits"))?.[1];
    if (limit === undefined) return Infinity;
    const taken = /^VmSize:\s+(\d+) kB$/m.exec(read("/proc/self/status"))?.[1];
    return taken === undefined ? Infinity : Number(limit) - Number(taken) * 1024;
  } catch {
    return Infinity;
  }
}
