/** Which declarations of the library gave what the reference gives, for the column of docs/coverage.md that names targets. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll } from "vitest";
import type { LibraryDeclaration } from "./declarations.js";

/** Collects names while a test file runs and adds them to those in the file that `MOEC_RAN` names, if it does. */
export function recordRuns(): (decl: LibraryDeclaration) => void {
  const report = process.env["MOEC_RAN"];
  const ran: string[] = [];
  afterAll(() => {
    if (report === undefined || ran.length === 0) return;
    mkdirSync(dirname(report), { recursive: true });
    const before = existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as string[]) : [];
    const all = [...new Set([...before, ...ran])].sort();
    writeFileSync(report, `${JSON.stringify(all, undefined, 2)}\n`);
  });
  return ({ file, name }) => ran.push(`${file}#${name}`);
}
