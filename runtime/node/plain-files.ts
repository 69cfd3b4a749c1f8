/**
 * Files that end. A pipe may never do so, nor a device, and opening a pipe waits for whoever writes into it: a path that
 * somebody names is opened without waiting and looked at first.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { NOT_PLAIN } from "./system-errors.js";

/**
 * The descriptor of a plain file, for reading; a link leads to one.
 *
 * @throws an error of the system with its `path`, also for a folder (`EISDIR`), a pipe or a device (`NOT_PLAIN`).
 */
export function openPlain(path: string): number {
  // Not a flag of Windows.
  const descriptor = openSync(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0));
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return descriptor;
  closeSync(descriptor);
  const code = stats.isDirectory() ? "EISDIR" : NOT_PLAIN;
  throw Object.assign(new Error(`${code}: ${path}`), { code, syscall: "open", path });
}

/** All bytes of a plain file. @throws as `openPlain` does. */
export function readPlain(path: string): Buffer {
  const descriptor = openPlain(path);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The text of a plain file. @throws as `openPlain` does. */
export const readPlainText = (path: string): string => readPlain(path).toString("utf8");
