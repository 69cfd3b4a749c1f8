/** Which declarations of the library gave what the reference gives, for the column of docs/coverage.md that names targets. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { LibraryDeclaration } from "./declarations.js";

/** The list that `MOEC_RAN` names, if it does. */
export interface RunRecord {
  /** Writes at once: a driver may end the process. */
  add(decl: LibraryDeclaration): void;
  has(decl: LibraryDeclaration): boolean;
}

/** @param kind Tells apart lists of one target: `webgpu` and `cpu` make `webgpu-cpu.json`. */
export function recordRuns(kind?: string): RunRecord {
  const target = process.env["MOEC_RAN"];
  if (target === undefined) return { add: () => undefined, has: () => false };
  const report = `${target}${kind === undefined ? "" : `-${kind}`}.json`;
  const names = (): readonly string[] =>
    existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as string[]) : [];
  const nameOf = ({ file, name }: LibraryDeclaration): string => `${file}#${name}`;
  return {
    add(decl) {
      mkdirSync(dirname(report), { recursive: true });
      const all = [...new Set([...names(), nameOf(decl)])].sort();
      writeFileSync(report, `${JSON.stringify(all, undefined, 2)}\n`);
    },
    has: (decl) => names().includes(nameOf(decl)),
  };
}
