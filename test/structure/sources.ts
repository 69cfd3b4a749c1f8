/** The source files of the repository, for tests that read them all. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface SourceFile {
  /** Path from the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** All files below the folders whose names end in one of the endings; generated ones are left out on request. */
export function sources(folders: readonly string[], endings: readonly string[] = [".ts"]): readonly SourceFile[] {
  const found: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(root + folder, { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.name === "node_modules" || entry.name === "dist" || entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) walk(path);
      else if (endings.some((ending) => entry.name.endsWith(ending))) {
        found.push({ path, text: readFileSync(root + path, "utf8") });
      }
    }
  };
  for (const folder of folders) {
    try {
      walk(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Written by a program, not by a person. */
export const isGenerated = (path: string): boolean => path.includes(".generated.");
