/** Writes a text file as a whole or not at all. */
import { statSync, writeFileSync } from "node:fs";
import { replaceFiles } from "../runtime/node/replace-files.js";

/** Replaces `path`, keeping who may read it. */
export function writeTextFile(path: string, text: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  replaceFiles([path], ([aside]) => writeFileSync(aside!, text, mode === undefined ? {} : { mode }));
}
