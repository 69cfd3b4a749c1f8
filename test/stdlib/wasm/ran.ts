/** Which declarations of the library gave what the reference gives, for the column of docs/coverage.md that names targets. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll } from "vitest";
import type { LibraryDeclaration } from "./declarations.js";

/** Collects names while a test file runs and writes them where `MOEC_RAN` says, if it does. */
export function recordRuns(): (decl: LibraryDeclaration) => void {
  const report = process.env["MOEC_RAN"];
  const ran: string[] = [];
  afterAll(() => {
    if (report === undefined || ran.length === 0) return;
    mkdirSync(dirname(report), { recursive: true });
    writeFileSync(report, `${JSON.stringify(ran.sort(), undefined, 2)}\n`);
  });
  return ({ file, name }) => ran.push(`${file}#${name}`);
}
