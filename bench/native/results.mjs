/** Results of the benches as JSON files, of which nobody sees a half: a bench may be ended while it writes. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** Writes the results aside and then puts the file in its place. */
export function writeResults(path, results) {
  const aside = `${path}.new`;
  writeFileSync(aside, `${JSON.stringify(results, null, 2)}\n`);
  renameSync(aside, path);
}

/** The value of a JSON text, or undefined where it is no whole one. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a file holds; undefined where there is none, or none that is whole. */
export const readResults = (path) => (existsSync(path) ? parsed(readFileSync(path, "utf8")) : undefined);
