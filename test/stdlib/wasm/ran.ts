/** Which declarations of the library gave what the reference gives, for the column of docs/coverage.md that names targets. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { LibraryDeclaration } from "./declarations.js";

/**
 * Adds names to those in the list that `MOEC_RAN` names, if it does, at once: a driver may end the process.
 *
 * @param kind Tells apart lists of one target: `webgpu` and `cpu` make `webgpu-cpu.json`.
 */
export function recordRuns(kind?: string): (decl: LibraryDeclaration) => void {
  const target = process.env["MOEC_RAN"];
  if (target === undefined) return () => undefined;
  const report = `${target}${kind === undefined ? "" : `-${kind}`}.json`;
  mkdirSync(dirname(report), { recursive: true });
  return ({ file, name }) => {
    const before = existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as string[]) : [];
    const all = [...new Set([...before, `${file}#${name}`])].sort();
    writeFileSync(report, `${JSON.stringify(all, undefined, 2)}\n`);
  };
}
