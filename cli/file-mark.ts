/** Whether a file is the one that was read before, without reading it again. */
import { statSync } from "node:fs";

/** Changes with the size, the time and the place on disk of a file; a file may be absent. */
export function fileMark(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return JSON.stringify(stats ? [file, stats.size, stats.mtimeMs, stats.ino] : [file]);
}
