/** The workspace on a disk. Files are called by their absolute path, `std` lies in moec's own folder. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { catalog } from "../../compiler/errors/index.js";
import type { WorkspaceHost } from "./workspace.js";

export interface DiskWorkspace extends WorkspaceHost {
  readonly openFolders: (uris: readonly string[]) => void;
}

/** Folders that hold no sources, and how deep the others are searched. */
const SKIPPED = new Set(["node_modules", "dist", "target", "build"]);
const DEPTH = 8;
const MOST = 5_000;

export interface DiskOptions {
  /** Folder of the standard library. */
  readonly library: string;
  /** The reference page of the error codes, with an anchor for each. */
  readonly errorsPage: string;
}

export function diskWorkspace({ library, errorsPage }: DiskOptions): DiskWorkspace {
  let folders: readonly string[] = [];
  const texts = new Map<string, { readonly stamp: string; readonly text: string }>();
  return {
    openFolders: (uris) => {
      folders = uris.filter((uri) => uri.startsWith("file:")).map((uri) => fileURLToPath(uri));
    },
    list: () => {
      const found: string[] = [];
      for (const folder of folders) listInto(found, folder, 0);
      return found;
    },
    read: (file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      if (!stats?.isFile()) return undefined;
      const stamp = `${stats.mtimeMs} ${stats.size}`;
      const known = texts.get(file);
      if (known?.stamp === stamp) return known.text;
      const text = readFileSync(file, "utf8");
      texts.set(file, { stamp, text });
      return text;
    },
    resolve: (from, specifier) => {
      if (specifier === "std") return join(library, "std.moe");
      if (!specifier.startsWith(".")) return specifier;
      const path = resolve(dirname(from), specifier);
      return path.endsWith(".moe") ? path : `${path}.moe`;
    },
    toUri: (file) => (/^[a-z][a-z+.-]+:/i.test(file) ? file : pathToFileURL(file).href),
    fromUri: (uri) => (uri.startsWith("file:") ? fileURLToPath(uri) : uri),
    explanationUri: (code) =>
      existsSync(errorsPage) ? `${pathToFileURL(errorsPage).href}#${anchorOf(code)}` : undefined,
    isLibrary: (file) => file.startsWith(library + sep),
  };
}

/** The anchor of the heading `MOE2041: axes of different size`. */
export function anchorOf(code: string): string {
  const title = Object.values(catalog).find((entry) => entry.code === code)?.title ?? "";
  return `${code} ${title}`
    .toLowerCase()
    .replace(/[^\w\s-]/g, "")
    .replace(/\s/g, "-");
}

function listInto(found: string[], folder: string, depth: number): void {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    // A folder that went away, or that may not be read, has no files for us.
    return;
  }
  for (const entry of entries) {
    if (found.length >= MOST) return;
    if (entry.isDirectory()) {
      if (depth < DEPTH && !entry.name.startsWith(".") && !SKIPPED.has(entry.name)) {
        listInto(found, join(folder, entry.name), depth + 1);
      }
    } else if (entry.name.endsWith(".moe")) found.push(join(folder, entry.name));
  }
}
