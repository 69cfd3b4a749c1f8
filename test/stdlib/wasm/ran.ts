/** Which declarations of the library gave what the reference gives, for the column of docs/coverage.md that names targets. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll } from "vitest";
import type { LibraryDeclaration } from "./declarations.js";

/**
 * Collects names while a test file runs and adds them to those in the list that `MOEC_RAN` names, if it does.
 *
 * @param kind Tells apart lists of one target: `webgpu` and `cpu` make `webgpu-cpu.json`.
 */
export function recordRuns(kind?: string): (decl: LibraryDeclaration) => void {
  const target = process.env["MOEC_RAN"];
  const ran: string[] = [];
  afterAll(() => {
    if (target === undefined || ran.length === 0) return;
    const report = `${target}${kind === undefined ? "" : `-${kind}`}.json`;
    mkdirSync(dirname(report), { recursive: true });
    const before = existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as string[]) : [];
    const all = [...new Set([...before, ...ran])].sort();
    writeFileSync(report, `${JSON.stringify(all, undefined, 2)}\n`);
  });
  return ({ file, name }) => ran.push(`${file}#${name}`);
}
