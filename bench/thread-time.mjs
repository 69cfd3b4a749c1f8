/** Processor time of one thread and of the process, for benches on machines that others use as well. */
import { existsSync, readFileSync } from "node:fs";

/** Milliseconds of processor time that this thread has had; undefined where the system does not tell. */
export function threadTime() {
  const file = "/proc/thread-self/schedstat";
  return existsSync(file) ? Number(readFileSync(file, "utf8").split(" ")[0]) / 1e6 : undefined;
}

/** Processor time of this process in microseconds. */
export const processor = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
